import type { PrimitiveType, TableValue } from '../rows/table-type.ts';
import type { ByteSink } from './byte-sink.ts';
import { decimalByteLength } from './parquet-schema.ts';

/** A least or greatest value as the statistics of a file take it. */
export type Bound = number | bigint | string;

/** Encodes the values of one column chunk, nulls left out, page by page. */
export interface ValueEncoder {
  /** @param value neither null nor an array, in the shape of the column's type: nothing is checked here */
  add(value: TableValue): void;
  /** About how many bytes the open page has so far. */
  readonly pageBytes: number;
  /** Adds the values of the open page to `sink`, opens the next page, and tells how they are encoded. */
  closePage(sink: ByteSink): 'PLAIN' | 'RLE_DICTIONARY';
  /** The dictionary that closed pages refer to, in PLAIN encoding. */
  dictionary(): { readonly bytes: Uint8Array; readonly count: number } | undefined;
  /** Undefined without values, and where readers disagree on the order. */
  bounds(): { readonly min: Bound; readonly max: Bound } | undefined;
  /** Begins the next chunk; the open page is empty. Buffers are kept: new ones for each chunk would be much garbage. */
  restart(): void;
}

/** How values of a type that has no dictionary go into a page. Numbers: minus zero as zero, as engines order the two differently. */
export type WriteValue = (sink: ByteSink, value: TableValue) => void;

const scratch = new DataView(new ArrayBuffer(8));

/** The function that adds one value in PLAIN encoding; not for booleans, which are bits, and texts, which have dictionaries. */
export function makePlainWriter(type: PrimitiveType): WriteValue {
  switch (type.kind) {
    case 'byte':
    case 'short':
    case 'integer':
    case 'date':
      return (sink, value) => sink.addUint32(value as number);
    case 'float':
      return (sink, value) => {
        scratch.setFloat32(0, (value as number) + 0, true);
        sink.addUint32(scratch.getUint32(0, true));
      };
    case 'double':
      return (sink, value) => {
        scratch.setFloat64(0, (value as number) + 0, true);
        addScratch(sink);
      };
    case 'long':
    case 'timestamp':
    case 'timestamp_ntz':
      return addInt64;
    case 'decimal': {
      if (type.precision <= 9) return (sink, value) => sink.addUint32(Number(value));
      if (type.precision <= 18) return addInt64;
      const length = decimalByteLength(type.precision);
      return (sink, value) => addBigEndian(sink, value as bigint, length);
    }
    case 'binary':
      return (sink, value) => {
        sink.addUint32((value as Uint8Array).length);
        sink.addBytes(value as Uint8Array);
      };
    case 'boolean':
    case 'string':
      throw new TypeError(`${type.kind} is not written value by value`);
  }
}

function addInt64(sink: ByteSink, value: TableValue): void {
  scratch.setBigInt64(0, value as bigint, true);
  addScratch(sink);
}

function addScratch(sink: ByteSink): void {
  sink.addUint32(scratch.getUint32(0, true));
  sink.addUint32(scratch.getUint32(4, true));
}

function addBigEndian(sink: ByteSink, value: bigint, length: number): void {
  sink.reserve(length);
  let rest = value;
  for (let at = sink.length + length - 1; at >= sink.length; at--, rest >>= 8n) sink.bytes[at] = Number(rest & 0xffn);
  sink.length += length;
}
