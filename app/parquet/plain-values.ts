import type { PrimitiveType, TableValue } from '../rows/table-type.ts';
import { ByteSink } from './byte-sink.ts';
import { makePlainWriter, type Bound, type ValueEncoder, type WriteValue } from './value-encoder.ts';

/** Values of every type but booleans and texts, in PLAIN encoding. */
export class PlainValues implements ValueEncoder {
  readonly #page = new ByteSink(4096);
  readonly #write: WriteValue;
  readonly #hasBounds: boolean;
  readonly #isFloat: boolean;
  #min: number | bigint | undefined;
  #max: number | bigint | undefined;
  #sawNaN = false;

  constructor(type: PrimitiveType) {
    this.#write = makePlainWriter(type);
    this.#hasBounds = type.kind !== 'binary';
    this.#isFloat = type.kind === 'float';
  }

  add(value: TableValue): void {
    this.#write(this.#page, value);
    if (!this.#hasBounds) return;
    const bound = (this.#isFloat ? Math.fround(value as number) : value) as number | bigint;
    if (this.#min === undefined || bound < this.#min) this.#min = bound;
    if (this.#max === undefined || bound > this.#max) this.#max = bound;
    // Readers disagree on where NaN stands, so there are no bounds beside it.
    if (bound !== bound) this.#sawNaN = true;
  }

  get pageBytes(): number {
    return this.#page.length;
  }

  closePage(sink: ByteSink): 'PLAIN' {
    sink.addBytes(this.#page.view());
    this.#page.clear();
    return 'PLAIN';
  }

  dictionary(): undefined {
    return undefined;
  }

  restart(): void {
    this.#min = this.#max = undefined;
    this.#sawNaN = false;
  }

  bounds(): { readonly min: Bound; readonly max: Bound } | undefined {
    if (this.#min === undefined || this.#max === undefined || this.#sawNaN) return undefined;
    // Minus zero was written as zero.
    return typeof this.#min === 'number' && typeof this.#max === 'number'
      ? { min: this.#min + 0, max: this.#max + 0 }
      : { min: this.#min, max: this.#max };
  }
}
