import type { TableValue } from '../rows/table-type.ts';
import type { ByteSink } from './byte-sink.ts';
import type { ValueEncoder } from './value-encoder.ts';

/** Booleans in PLAIN encoding, eight a byte: older readers of Spark refuse the run-length form. They get no bounds. */
export class BooleanValues implements ValueEncoder {
  #values: boolean[] = [];

  add(value: TableValue): void {
    this.#values.push(value === true);
  }

  get pageBytes(): number {
    return this.#values.length / 8;
  }

  closePage(sink: ByteSink): 'PLAIN' {
    for (let start = 0; start < this.#values.length; start += 8) {
      let byte = 0;
      for (let bit = 0; bit < 8; bit++) if (this.#values[start + bit] === true) byte |= 1 << bit;
      sink.addByte(byte);
    }
    this.#values = [];
    return 'PLAIN';
  }

  dictionary(): undefined {
    return undefined;
  }

  bounds(): undefined {
    return undefined;
  }

  restart(): void {
    this.#values = [];
  }
}
