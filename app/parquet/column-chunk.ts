import { ByteWriter } from 'hyparquet-writer';
import { serializeTCompactProtocol } from 'hyparquet-writer/src/thrift.js';
import type { PrimitiveType, TableValue } from '../rows/table-type.ts';
import { BooleanValues } from './boolean-values.ts';
import { ByteSink } from './byte-sink.ts';
import { addHybrid } from './hybrid-encoding.ts';
import type { FileColumn } from './parquet-schema.ts';
import { PlainValues } from './plain-values.ts';
import { addSnappy } from './snappy.ts';
import { TextValues } from './text-values.ts';
import type { Bound, ValueEncoder } from './value-encoder.ts';

/** A page is closed at the end of the row in which it reaches one of these, as the Java writer does. */
const PAGE_VALUES = 20_000;
const PAGE_BYTES = 1 << 20;

const PAGE_TYPE = { data: 0, dictionary: 2 } as const;
const ENCODING = { PLAIN: 0, RLE: 3, RLE_DICTIONARY: 8 } as const;

/** What the footer says of a chunk; offsets from the beginning of the chunk. Can be cloned from thread to thread. */
export interface ColumnChunk {
  readonly sizeBytes: number;
  readonly uncompressedBytes: number;
  /** Values, nulls and empty lists counted. */
  readonly valueCount: number;
  readonly nullCount: number;
  readonly bounds: { readonly min: Bound; readonly max: Bound } | undefined;
  /** Where the first data page begins; a dictionary stands before it. */
  readonly dataOffset: number;
  readonly encodings: readonly (keyof typeof ENCODING)[];
}

/** Pages are put together here, one at a time: buffers of their own would cost a file's size in garbage. */
const pageScratch = new ByteSink(4096);
const compressedScratch = new ByteSink(4096);

/** Encodes one column of a row group: pages of version 1, which every reader knows, compressed with Snappy. */
export class ColumnChunkEncoder {
  readonly #values: ValueEncoder;
  readonly #column: FileColumn;
  /** Level of a value that is there. */
  readonly #maxDefinition: number;
  readonly #isList: boolean;
  readonly #pages = new ByteSink(4096);
  #definitions = new Uint8Array(1024);
  #repetitions = new Uint8Array(1024);
  #levelCount = 0;
  #valueCount = 0;
  #nullCount = 0;
  #uncompressedBytes = 0;
  readonly #encodings = new Set<keyof typeof ENCODING>();

  constructor(column: FileColumn) {
    const { type, nullable } = column;
    this.#column = column;
    this.#isList = type.kind === 'array';
    this.#maxDefinition = (nullable ? 1 : 0) + (type.kind === 'array' ? (type.containsNull ? 2 : 1) : 0);
    this.#values = makeValueEncoder(type.kind === 'array' ? type.element : type);
  }

  /** Adds the value of the next row, in the shape of the column's type: nothing is checked here. */
  add(value: TableValue): void {
    if (this.#isList) this.#addList(value as readonly TableValue[] | null);
    else this.#addItem(value, 0, 0);
    if (this.#levelCount >= PAGE_VALUES || this.#values.pageBytes >= PAGE_BYTES) this.#closePage();
  }

  /** Bytes held for the chunk so far. */
  get heldBytes(): number {
    return this.#pages.length + this.#values.pageBytes;
  }

  /** Adds the chunk to `sink` and begins the next one. */
  finish(sink: ByteSink): ColumnChunk {
    if (this.#levelCount > 0 || this.#valueCount === 0) this.#closePage();
    const start = sink.length;
    const dictionary = this.#values.dictionary();
    if (dictionary !== undefined) {
      this.#addPage(sink, dictionary.bytes, PAGE_TYPE.dictionary, { field_1: dictionary.count, field_2: ENCODING.PLAIN });
      this.#encodings.add('PLAIN');
    }
    const dataOffset = sink.length - start;
    sink.addBytes(this.#pages.view());
    const chunk: ColumnChunk = {
      sizeBytes: sink.length - start,
      uncompressedBytes: this.#uncompressedBytes,
      valueCount: this.#valueCount,
      nullCount: this.#nullCount,
      bounds: this.#isList ? undefined : this.#values.bounds(),
      dataOffset,
      encodings: [...this.#encodings],
    };
    this.#values.restart();
    this.#pages.clear();
    this.#encodings.clear();
    this.#valueCount = this.#nullCount = this.#uncompressedBytes = 0;
    return chunk;
  }

  #addList(list: readonly TableValue[] | null): void {
    const present = this.#column.nullable ? 1 : 0;
    if (list === null) return this.#addLevels(0, 0);
    if (list.length === 0) return this.#addLevels(present, 0);
    for (let at = 0; at < list.length; at++) this.#addItem(list[at] as TableValue, present + 1, at === 0 ? 0 : 1);
  }

  /** @param nullDefinition level that says that this value is missing */
  #addItem(value: TableValue, nullDefinition: number, repetition: number): void {
    if (value === null) return this.#addLevels(nullDefinition, repetition);
    this.#addLevels(this.#maxDefinition, repetition);
    this.#values.add(value);
  }

  #addLevels(definition: number, repetition: number): void {
    if (this.#levelCount === this.#definitions.length) {
      this.#definitions = grow(this.#definitions);
      this.#repetitions = grow(this.#repetitions);
    }
    this.#definitions[this.#levelCount] = definition;
    this.#repetitions[this.#levelCount++] = repetition;
    if (definition < this.#maxDefinition) this.#nullCount++;
  }

  #closePage(): void {
    const page = pageScratch;
    page.clear();
    if (this.#isList) addLevels(page, this.#repetitions, this.#levelCount, 1);
    if (this.#maxDefinition > 0) addLevels(page, this.#definitions, this.#levelCount, this.#maxDefinition);
    const encoding = this.#values.closePage(page);
    this.#encodings.add(encoding).add('RLE');
    this.#addPage(this.#pages, page.view(), PAGE_TYPE.data, {
      field_1: this.#levelCount,
      field_2: ENCODING[encoding],
      field_3: ENCODING.RLE,
      field_4: ENCODING.RLE,
    });
    this.#valueCount += this.#levelCount;
    this.#levelCount = 0;
  }

  /** Adds a page with its header (struct PageHeader of the format's Thrift definition). */
  #addPage(sink: ByteSink, body: Uint8Array, type: number, header: Record<string, number>): void {
    const compressed = compressedScratch;
    compressed.clear();
    addSnappy(compressed, body);
    const writer = new ByteWriter();
    serializeTCompactProtocol(writer, {
      field_1: type,
      field_2: body.length,
      field_3: compressed.length,
      ...(type === PAGE_TYPE.data ? { field_5: header } : { field_7: header }),
    });
    sink.addBytes(writer.getBytes());
    sink.addBytes(compressed.view());
    this.#uncompressedBytes += writer.offset + body.length;
  }
}

function makeValueEncoder(type: PrimitiveType): ValueEncoder {
  if (type.kind === 'string') return new TextValues();
  return type.kind === 'boolean' ? new BooleanValues() : new PlainValues(type);
}

/** Levels stand behind their length in four bytes. */
function addLevels(page: ByteSink, levels: Uint8Array, count: number, maxLevel: number): void {
  const lengthAt = page.length;
  page.addUint32(0);
  addHybrid(page, levels, count, maxLevel === 1 ? 1 : 2);
  const end = page.length;
  page.length = lengthAt;
  page.addUint32(end - lengthAt - 4);
  page.length = end;
}

function grow(levels: Uint8Array): Uint8Array<ArrayBuffer> {
  const grown = new Uint8Array(2 * levels.length);
  grown.set(levels);
  return grown;
}
