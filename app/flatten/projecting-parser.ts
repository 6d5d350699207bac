import { startsWithBytes } from './equal-bytes.ts';
import { KeyTree, type Key, type Keys } from './key-tree.ts';

/** Thrown, and caught below, when a text is not JSON as far as is known here, or is unusual: JSON.parse then decides. */
const GIVE_UP = new Error('left to JSON.parse');
/** Deeper values are left to JSON.parse, so that no text can exhaust the stack. */
const MAX_DEPTH = 200;
/** Of a text up to this length strings are cut; of a longer one they are decoded one by one. */
const MAX_CUT_BYTES = 2_048;
/** Numbers of so many digits are whole numbers of JavaScript, which divided by a power of ten give the nearest number. */
const MAX_DIGITS = 15;
const POWERS = Array.from({ length: MAX_DIGITS + 1 }, (_, exponent) => 10 ** exponent);

const SPACE = 0x20;
const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const SMALL_E = 0x65;
const SMALL_F = 0x66;
const SMALL_N = 0x6e;
const SMALL_T = 0x74;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

const WORDS = { true: Buffer.from('true'), false: Buffer.from('false'), null: Buffer.from('null') };

/** 1 for each byte that a string may hold and that has no meaning in it. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= SPACE && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0));

/** Parses the JSON that stands, in UTF-8, from `start` to `end`; a line end follows, or nothing. What it gives must not be changed. */
export type ParseLine = (bytes: Buffer, start: number, end: number) => unknown;

/**
 * Makes a JSON.parse that leaves out all members of objects but those of some names, at any depth: each name, the name with a capital behind it
 * (choice types: `value`, `valueQuantity`) and both with an underscore before them (extensions of primitives). What is left out is checked all
 * the same: a text that is not JSON is refused like JSON.parse refuses it. Unusual texts (keys with escapes, deep nesting) come whole. It works
 * on bytes, knows keys and values that it has seen before, and makes strings only of what is kept. Objects in what it gives may be the same
 * as in what it gave before.
 *
 * @param names in ASCII
 * @throws SyntaxError by the function that it makes, when the text is not JSON
 */
export function makeProjectingParser(names: ReadonlySet<string>): ParseLine {
  const parser = new ProjectingParser(names);
  return (bytes, start, end) => parser.parse(bytes, start, end);
}

/**
 * Its methods take where something begins. Those that skip return where it ends; those that read return what it is, and leave its end in `#at`: an
 * object that is old pays for each young one that is put into it.
 */
class ProjectingParser {
  readonly #tree: KeyTree;
  #bytes: Buffer = Buffer.alloc(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #start = 0;
  #end = 0;
  /** Each byte of the text as a character, when it is first needed: cutting a piece out of it is cheaper than decoding bytes. */
  #characters: string | undefined;
  /** Where the value that was read last ends. */
  #at = 0;
  /** Not 0 while a value is read that will be remembered. */
  #remembering = 0;

  constructor(names: ReadonlySet<string>) {
    this.#tree = new KeyTree(names);
  }

  parse(bytes: Buffer, start: number, end: number): unknown {
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    this.#start = start;
    this.#end = end;
    this.#characters = undefined;
    this.#remembering = 0;
    try {
      const value = this.#readValue(this.#skipSpace(start), this.#tree.root, 0);
      if (this.#skipSpace(this.#at) === end) return value;
    } catch (error) {
      if (error !== GIVE_UP) throw error;
    }
    return JSON.parse(bytes.toString('utf8', start, end));
  }

  /** The string of these bytes; one that is remembered must not keep the whole text. */
  #cut(from: number, to: number, isAscii: boolean): string {
    if (!isAscii) return this.#bytes.toString('utf8', from, to);
    if (this.#remembering > 0 || this.#end - this.#start > MAX_CUT_BYTES) return this.#bytes.toString('latin1', from, to);
    const characters = (this.#characters ??= this.#bytes.toString('latin1', this.#start, this.#end));
    return characters.slice(from - this.#start, to - this.#start);
  }

  /** Where the first byte stands that is no white space. */
  #skipSpace(start: number): number {
    const bytes = this.#bytes;
    // Behind the end stands a line end, or nothing.
    if ((bytes[start] as number) > SPACE) return start;
    let at = start;
    for (; at < this.#end; at++) {
      const byte = bytes[at];
      if (byte !== SPACE && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) break;
    }
    return at;
  }

  /** Where the first byte of a string stands that has a meaning in it; most are found four bytes at a time. */
  #findMeaning(start: number): number {
    const view = this.#view;
    const last = view.byteLength - 4;
    let at = start;
    for (; at <= last; at += 4) {
      const word = view.getInt32(at, true);
      const quotes = word ^ 0x22222222;
      const backslashes = word ^ 0x5c5c5c5c;
      // The highest bit of each byte that is a quote, a backslash or below a space; above the first of them some bits may be wrong.
      const found =
        (((quotes - 0x01010101) & ~quotes) | ((backslashes - 0x01010101) & ~backslashes) | ((word - 0x20202020) & ~word)) &
        0x80808080;
      if (found !== 0) return at + ((31 - Math.clz32(found & -found)) >> 3);
    }
    while (PLAIN[this.#bytes[at] as number] === 1) at++;
    return at;
  }

  /** Goes over the rest of a string in which a backslash stands at `start`. */
  #skipEscaped(start: number): number {
    let at = start;
    while (this.#bytes[at] === BACKSLASH) {
      const escape = this.#bytes.toString('latin1', at + 1, Math.min(at + 6, this.#end));
      if (/^u[0-9a-fA-F]{4}/.test(escape)) at += 6;
      else if (/^["\\/bfnrt]/.test(escape)) at += 2;
      else throw GIVE_UP;
      at = this.#findMeaning(at);
    }
    return this.#closeString(at);
  }

  #closeString(at: number): number {
    if (this.#bytes[at] !== QUOTE || at >= this.#end) throw GIVE_UP;
    return at + 1;
  }

  #readString(start: number, isKept: boolean): string | undefined {
    const at = this.#findMeaning(start + 1);
    if (this.#bytes[at] === BACKSLASH) {
      this.#at = this.#skipEscaped(at);
      return isKept ? (JSON.parse(this.#bytes.toString('utf8', start, this.#at)) as string) : undefined;
    }
    this.#at = this.#closeString(at);
    return isKept ? this.#cut(start + 1, at, this.#isAscii(start + 1, at)) : undefined;
  }

  #isAscii(from: number, to: number): boolean {
    const view = this.#view;
    let bits = 0;
    let at = from;
    for (; at + 4 <= to; at += 4) bits |= view.getInt32(at, true);
    for (; at < to; at++) bits |= this.#bytes[at] as number;
    return (bits & 0x80808080) === 0;
  }

  #skipDigits(start: number): number {
    let at = start;
    for (let digit = (this.#bytes[at] as number) - ZERO; digit >= 0 && digit <= 9; digit = (this.#bytes[at] as number) - ZERO)
      at++;
    if (at === start) throw GIVE_UP;
    return at;
  }

  #readNumber(start: number, isKept: boolean): number | undefined {
    const bytes = this.#bytes;
    const first = bytes[start] === MINUS ? start + 1 : start;
    const point = bytes[first] === ZERO ? first + 1 : this.#skipDigits(first);
    const mantissaEnd = bytes[point] === POINT ? this.#skipDigits(point + 1) : point;
    let end = mantissaEnd;
    if (((bytes[end] as number) | 0x20) === SMALL_E) {
      const sign = bytes[end + 1];
      end = this.#skipDigits(sign === PLUS || sign === MINUS ? end + 2 : end + 1);
    }
    this.#at = end;
    if (!isKept) return undefined;
    if (end !== mantissaEnd || end - first > MAX_DIGITS) return Number(bytes.toString('latin1', start, end));
    let mantissa = 0;
    for (let at = first; at < end; at++) if (at !== point) mantissa = 10 * mantissa + (bytes[at] as number) - ZERO;
    const absolute = point === end ? mantissa : mantissa / (POWERS[end - point - 1] as number);
    return first === start ? absolute : -absolute;
  }

  #readWord<T>(start: number, word: Uint8Array, value: T): T {
    for (let at = 0; at < word.length; at++) if (this.#bytes[start + at] !== word[at]) throw GIVE_UP;
    this.#at = start + word.length;
    return value;
  }

  /** @param keys of it, or of the objects in it */
  #readValue(start: number, keys: Keys, depth: number): unknown {
    switch (this.#bytes[start] as number) {
      case QUOTE:
        return this.#readString(start, keys.isKept);
      case OPEN_OBJECT:
        return this.#readObject(start, keys, depth + 1);
      case OPEN_ARRAY:
        return this.#readArray(start, keys, depth + 1);
      case SMALL_T:
        return this.#readWord(start, WORDS.true, true);
      case SMALL_F:
        return this.#readWord(start, WORDS.false, false);
      case SMALL_N:
        return this.#readWord(start, WORDS.null, null);
      default:
        return this.#readNumber(start, keys.isKept);
    }
  }

  #readArray(start: number, keys: Keys, depth: number): unknown[] {
    if (depth > MAX_DEPTH) throw GIVE_UP;
    const array: unknown[] = [];
    let at = this.#skipSpace(start + 1);
    if (this.#bytes[at] !== CLOSE_ARRAY) {
      for (;;) {
        const value = this.#readValue(at, keys, depth);
        if (keys.isKept) array.push(value);
        at = this.#skipSpace(this.#at);
        if (this.#bytes[at] === CLOSE_ARRAY) break;
        if (this.#bytes[at] !== COMMA) throw GIVE_UP;
        at = this.#skipSpace(at + 1);
      }
    }
    this.#at = at + 1;
    return array;
  }

  #readObject(start: number, keys: Keys, depth: number): Record<string, unknown> {
    if (depth > MAX_DEPTH) throw GIVE_UP;
    const object: Record<string, unknown> = {};
    let at = this.#skipSpace(start + 1);
    if (this.#bytes[at] !== CLOSE_OBJECT) {
      for (let key = this.#readKey(at, keys, undefined); ; key = this.#readKey(at, keys, key)) {
        const value = this.#readMember(this.#skipSpace(at + key.token.byteLength), key, depth);
        if (key.name !== undefined) object[key.name] = value;
        at = this.#skipSpace(this.#at);
        if (this.#bytes[at] === CLOSE_OBJECT) break;
        if (this.#bytes[at] !== COMMA) throw GIVE_UP;
        at = this.#skipSpace(at + 1);
      }
    }
    this.#at = at + 1;
    return object;
  }

  /** The key that stands at `at`, most likely the one that came behind `before` the last time. */
  #readKey(at: number, keys: Keys, before: Key | undefined): Key {
    const expected = before === undefined ? keys.first : before.next;
    if (expected !== undefined && this.#isAt(at, expected)) return expected;
    const found = this.#findKey(at, keys);
    if (before === undefined) keys.first = found;
    else before.next = found;
    return found;
  }

  #isAt(at: number, { token }: Key): boolean {
    return startsWithBytes(this.#view, at, token, 0, token.byteLength);
  }

  /** A value that may be known by its bytes. */
  #readMember(start: number, key: Key, depth: number): unknown {
    const { memo } = key;
    const byte = this.#bytes[start];
    const isText = byte === QUOTE && key.name !== undefined;
    if (memo === undefined || (!isText && byte !== OPEN_OBJECT && byte !== OPEN_ARRAY))
      return this.#readValue(start, key.keys, depth);
    const known = memo.find(this.#bytes, this.#view, start);
    if (known !== undefined && memo.end <= this.#end) {
      this.#at = memo.end;
      return known.value;
    }
    if (memo.isUseless) {
      key.memo = undefined;
      return this.#readValue(start, key.keys, depth);
    }
    this.#remembering++;
    const value = this.#readValue(start, key.keys, depth);
    this.#remembering--;
    if (known === undefined) memo.add(this.#bytes, start, this.#at, key.name === undefined ? undefined : value);
    return value;
  }

  /** The key that stands at `at`, with quotes and colon. */
  #findKey(at: number, keys: Keys): Key {
    const known = keys.known.find((key) => this.#isAt(at, key));
    if (known !== undefined) return known;
    if (this.#bytes[at] !== QUOTE) throw GIVE_UP;
    const end = this.#findMeaning(at + 1);
    // One with escapes is unusual, and so is white space before the colon.
    if (this.#bytes[end] !== QUOTE || this.#bytes[end + 1] !== COLON || end + 1 >= this.#end) throw GIVE_UP;
    return this.#tree.learn(keys, this.#bytes.toString('utf8', at + 1, end), this.#bytes.subarray(at, end + 2));
  }
}
