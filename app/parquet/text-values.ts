import { compareUtf8 } from '../lib/utf8-order.ts';
import type { TableValue } from '../rows/table-type.ts';
import { ByteSink } from './byte-sink.ts';
import { addHybrid } from './hybrid-encoding.ts';
import type { ValueEncoder } from './value-encoder.ts';

/** A dictionary is given up when it has this many entries and more than half of the values were new. */
const TRIAL_ENTRIES = 512;
const MAX_ENTRIES = 65_536;
const MAX_DICTIONARY_BYTES = 1 << 20;
/** Texts up to this length are copied character by character, which is faster than a call out of JavaScript. */
const SHORT = 16;

/** Texts, by dictionary as long as they repeat: codes and units shrink to a few bits, ids are written as they are. */
export class TextValues implements ValueEncoder {
  readonly #page = new ByteSink(4096);
  /** Undefined once it was given up; pages that were closed before still refer to `entries`. */
  #index: Map<string, number> | undefined = new Map();
  readonly #entries: string[] = [];
  #indices = new Uint32Array(1024);
  #indexCount = 0;
  /** Values often come several times in a row. */
  #lastText: string | undefined;
  #lastIndex = 0;
  #valueCount = 0;
  #dictionaryBytes = 0;
  #hasDictionaryPage = false;
  #min: string | undefined;
  #max: string | undefined;

  add(value: TableValue): void {
    const text = value as string;
    if (this.#index === undefined) {
      this.#widenBounds(text);
      addText(this.#page, text);
      return;
    }
    this.#valueCount++;
    let index = text === this.#lastText ? this.#lastIndex : this.#index.get(text);
    if (index === undefined) {
      index = this.#entries.length;
      this.#index.set(text, index);
      this.#entries.push(text);
      this.#dictionaryBytes += 4 + text.length;
      this.#widenBounds(text);
    }
    if (this.#indexCount === this.#indices.length) {
      const grown = new Uint32Array(2 * this.#indices.length);
      grown.set(this.#indices);
      this.#indices = grown;
    }
    this.#lastText = text;
    this.#lastIndex = index;
    this.#indices[this.#indexCount++] = index;
    const isTried = this.#entries.length >= TRIAL_ENTRIES && 2 * this.#entries.length > this.#valueCount;
    if (isTried || this.#entries.length >= MAX_ENTRIES || this.#dictionaryBytes > MAX_DICTIONARY_BYTES) this.#giveUp();
  }

  get pageBytes(): number {
    return this.#page.length + 2 * this.#indexCount;
  }

  closePage(sink: ByteSink): 'PLAIN' | 'RLE_DICTIONARY' {
    if (this.#index !== undefined && 2 * this.#entries.length > this.#valueCount) this.#giveUp();
    if (this.#index === undefined) {
      sink.addBytes(this.#page.view());
      this.#page.clear();
      return 'PLAIN';
    }
    const bitWidth = Math.max(1, 32 - Math.clz32(this.#entries.length - 1));
    sink.addByte(bitWidth);
    addHybrid(sink, this.#indices, this.#indexCount, bitWidth);
    this.#indexCount = 0;
    this.#hasDictionaryPage = true;
    return 'RLE_DICTIONARY';
  }

  dictionary(): { readonly bytes: Uint8Array; readonly count: number } | undefined {
    if (!this.#hasDictionaryPage) return undefined;
    const sink = new ByteSink(2 * this.#dictionaryBytes);
    for (const entry of this.#entries) addText(sink, entry);
    return { bytes: sink.view(), count: this.#entries.length };
  }

  bounds(): { readonly min: string; readonly max: string } | undefined {
    return this.#min === undefined || this.#max === undefined ? undefined : { min: this.#min, max: this.#max };
  }

  restart(): void {
    this.#index = new Map();
    this.#entries.length = 0;
    this.#valueCount = this.#dictionaryBytes = 0;
    this.#hasDictionaryPage = false;
    this.#lastText = this.#min = this.#max = undefined;
  }

  /** The values of the open page, and all that follow, are written as they are. */
  #giveUp(): void {
    this.#index = undefined;
    for (let at = 0; at < this.#indexCount; at++) addText(this.#page, this.#entries[this.#indices[at] as number] as string);
    this.#indexCount = 0;
  }

  #widenBounds(text: string): void {
    if (this.#min === undefined || compareUtf8(text, this.#min) < 0) this.#min = text;
    if (this.#max === undefined || compareUtf8(text, this.#max) > 0) this.#max = text;
  }
}

/** Adds length and UTF-8 bytes. */
function addText(sink: ByteSink, text: string): void {
  sink.reserve(4 + 3 * text.length);
  const start = sink.length + 4;
  let size = text.length <= SHORT ? copyAscii(sink.bytes, start, text) : -1;
  if (size < 0) size = sink.bytes.write(text, start, 'utf8');
  sink.addUint32(size);
  sink.length += size;
}

/** The number of bytes copied, or -1 when the text is not ASCII. */
function copyAscii(bytes: Buffer, start: number, text: string): number {
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit > 0x7f) return -1;
    bytes[start + at] = unit;
  }
  return text.length;
}
