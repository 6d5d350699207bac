/** Thrown, and caught below, when a text is not JSON as far as is known here, or is unusual: JSON.parse then decides. */
const GIVE_UP = new Error('left to JSON.parse');
/** Deeper values are left to JSON.parse, so that no text can exhaust the stack. */
const MAX_DEPTH = 200;
/** Keys that are remembered as one string each. */
const MAX_KEYS = 1_000;

const SPACE = 0x20;
const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const LETTER_A = 0x41;
const LETTER_Z = 0x5a;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const UNDERSCORE = 0x5f;
const SMALL_E = 0x65;
const SMALL_F = 0x66;
const SMALL_N = 0x6e;
const SMALL_T = 0x74;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

const WORDS = { true: Buffer.from('true'), false: Buffer.from('false'), null: Buffer.from('null') };

/** 1 for each byte that a string may hold and that has no meaning in it. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) => (byte >= SPACE && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0));

/** Parses the JSON that stands, in UTF-8, from `start` to `end`. */
export type ParseLine = (bytes: Buffer, start: number, end: number) => unknown;

/** A name that is kept. */
interface Candidate {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * Makes a JSON.parse that leaves out all members of objects but those of some names, at any depth: each name, the name with a capital behind it
 * (choice types: `value`, `valueQuantity`) and both with an underscore before them (extensions of primitives). What is left out is checked all
 * the same: a text that is not JSON is refused like JSON.parse refuses it. Unusual texts (keys with escapes, deep nesting) come whole. It works on bytes, and makes strings only of what is kept.
 *
 * @param names in ASCII
 * @throws SyntaxError by the function that it makes, when the text is not JSON
 */
export function makeProjectingParser(names: ReadonlySet<string>): ParseLine {
  const parser = new ProjectingParser(names);
  return (bytes, start, end) => parser.parse(bytes, start, end);
}

class ProjectingParser {
  /** Names by their first byte. */
  readonly #candidates: Candidate[][] = Array.from({ length: 256 }, () => []);
  /** Keys that are kept and are not names themselves. */
  readonly #otherKeys = new Map<string, string>();
  #bytes: Buffer = Buffer.alloc(0);
  #start = 0;
  #end = 0;
  #at = 0;
  /** The whole text when each of its bytes is a character: cutting a piece out of it is cheaper than decoding bytes. */
  #ascii: string | undefined;

  constructor(names: ReadonlySet<string>) {
    for (const name of names) this.#candidates[name.charCodeAt(0)]?.push({ name, bytes: Buffer.from(name) });
  }

  parse(bytes: Buffer, start: number, end: number): unknown {
    const text = bytes.toString('utf8', start, end);
    this.#bytes = bytes;
    this.#start = start;
    this.#end = end;
    this.#at = start;
    this.#ascii = text.length === end - start ? text : undefined;
    try {
      this.#skipSpace();
      const value = this.#readValue(true, 0);
      this.#skipSpace();
      if (this.#at === end) return value;
    } catch (error) {
      if (error !== GIVE_UP) throw error;
    }
    return JSON.parse(text);
  }

  #cut(from: number, to: number): string {
    return this.#ascii === undefined
      ? this.#bytes.toString('utf8', from, to)
      : this.#ascii.slice(from - this.#start, to - this.#start);
  }

  /** The byte at hand; behind the end that of a line end, or undefined, neither of which is part of JSON's tokens. */
  #peek(): number {
    return this.#bytes[this.#at] as number;
  }

  /** The first byte that is no white space. */
  #skipSpace(): number {
    let byte = this.#peek();
    if (byte > SPACE) return byte;
    while (this.#at < this.#end && (byte === SPACE || byte === 0x0a || byte === 0x0d || byte === 0x09)) {
      this.#at++;
      byte = this.#peek();
    }
    return byte;
  }

  /** Goes over a string; true when it has escapes. */
  #skipString(): boolean {
    const bytes = this.#bytes;
    let at = this.#at + 1;
    // A line end is not plain, so that this stops at the end.
    while (PLAIN[bytes[at] as number] === 1) at++;
    let hasEscape = false;
    while (bytes[at] !== QUOTE) {
      if (bytes[at] !== BACKSLASH || at >= this.#end) throw GIVE_UP;
      hasEscape = true;
      at = this.#skipEscape(at + 1) + 1;
      while (PLAIN[bytes[at] as number] === 1) at++;
    }
    if (at >= this.#end) throw GIVE_UP;
    this.#at = at + 1;
    return hasEscape;
  }

  /** Where the last byte of an escape stands, which begins behind the backslash at `start`. */
  #skipEscape(start: number): number {
    const escape = this.#cut(start, Math.min(start + 5, this.#end));
    if (/^u[0-9a-fA-F]{4}/.test(escape)) return start + 4;
    if (!/^["\\/bfnrt]/.test(escape)) throw GIVE_UP;
    return start;
  }

  #skipDigits(): void {
    const start = this.#at;
    for (let digit = this.#peek() - ZERO; digit >= 0 && digit <= 9; digit = this.#peek() - ZERO) this.#at++;
    if (this.#at === start) throw GIVE_UP;
  }

  #skipNumber(): void {
    if (this.#peek() === MINUS) this.#at++;
    if (this.#peek() === ZERO) this.#at++;
    else this.#skipDigits();
    if (this.#peek() === POINT) {
      this.#at++;
      this.#skipDigits();
    }
    if ((this.#peek() | 0x20) !== SMALL_E) return;
    this.#at++;
    if (this.#peek() === PLUS || this.#peek() === MINUS) this.#at++;
    this.#skipDigits();
  }

  #skipWord(word: Uint8Array): void {
    if (!startsWith(this.#bytes, this.#at, word)) throw GIVE_UP;
    this.#at += word.length;
  }

  /** Goes over a key; one with escapes is unusual. */
  #skipKey(): void {
    if (this.#peek() !== QUOTE) throw GIVE_UP;
    if (this.#skipString()) throw GIVE_UP;
  }

  #skipColon(): void {
    if (this.#skipSpace() !== COLON) throw GIVE_UP;
    this.#at++;
    this.#skipSpace();
  }

  /** The key to keep a member under, or undefined. */
  #readKey(): string | undefined {
    const keyStart = this.#at + 1;
    this.#skipKey();
    const keyEnd = this.#at - 1;
    const bytes = this.#bytes;
    const start = bytes[keyStart] === UNDERSCORE ? keyStart + 1 : keyStart;
    const candidates = this.#candidates[bytes[start] as number] as Candidate[];
    for (let index = 0; index < candidates.length; index++) {
      const { name, bytes: expected } = candidates[index] as Candidate;
      const end = start + expected.length;
      if (end > keyEnd || !startsWith(bytes, start, expected)) continue;
      if (end === keyEnd && start === keyStart) return name;
      const next = bytes[end] as number;
      if (end === keyEnd || (next >= LETTER_A && next <= LETTER_Z)) return this.#internKey(this.#cut(keyStart, keyEnd));
    }
    return undefined;
  }

  #internKey(key: string): string {
    const known = this.#otherKeys.get(key);
    if (known === undefined && this.#otherKeys.size < MAX_KEYS) this.#otherKeys.set(key, key);
    return known ?? key;
  }

  #readObject(depth: number): Record<string, unknown> {
    const object: Record<string, unknown> = {};
    this.#at++;
    if (this.#skipSpace() === CLOSE_OBJECT) {
      this.#at++;
      return object;
    }
    for (;;) {
      const key = this.#readKey();
      this.#skipColon();
      const value = this.#readValue(key !== undefined, depth);
      if (key !== undefined) object[key] = value;
      if (this.#isEnd(CLOSE_OBJECT)) return object;
    }
  }

  #skipObject(depth: number): void {
    this.#at++;
    if (this.#skipSpace() === CLOSE_OBJECT) {
      this.#at++;
      return;
    }
    do {
      this.#skipKey();
      this.#skipColon();
      this.#readValue(false, depth);
    } while (!this.#isEnd(CLOSE_OBJECT));
  }

  #readArray(depth: number): unknown[] {
    const array: unknown[] = [];
    this.#at++;
    if (this.#skipSpace() === CLOSE_ARRAY) {
      this.#at++;
      return array;
    }
    do array.push(this.#readValue(true, depth));
    while (!this.#isEnd(CLOSE_ARRAY));
    return array;
  }

  #skipArray(depth: number): void {
    this.#at++;
    if (this.#skipSpace() === CLOSE_ARRAY) {
      this.#at++;
      return;
    }
    do this.#readValue(false, depth);
    while (!this.#isEnd(CLOSE_ARRAY));
  }

  /** Goes over a comma, or over the end of an object or array, which is told. */
  #isEnd(close: number): boolean {
    const byte = this.#skipSpace();
    this.#at++;
    if (byte === close) return true;
    if (byte !== COMMA) throw GIVE_UP;
    this.#skipSpace();
    return false;
  }

  #readValue(isWanted: boolean, depth: number): unknown {
    const start = this.#at;
    switch (this.#peek()) {
      case QUOTE: {
        const hasEscape = this.#skipString();
        if (!isWanted) return undefined;
        return hasEscape ? (JSON.parse(this.#cut(start, this.#at)) as string) : this.#cut(start + 1, this.#at - 1);
      }
      case OPEN_OBJECT:
        if (depth >= MAX_DEPTH) throw GIVE_UP;
        return isWanted ? this.#readObject(depth + 1) : this.#skipObject(depth + 1);
      case OPEN_ARRAY:
        if (depth >= MAX_DEPTH) throw GIVE_UP;
        return isWanted ? this.#readArray(depth + 1) : this.#skipArray(depth + 1);
      case SMALL_T:
        this.#skipWord(WORDS.true);
        return true;
      case SMALL_F:
        this.#skipWord(WORDS.false);
        return false;
      case SMALL_N:
        this.#skipWord(WORDS.null);
        return null;
      default:
        this.#skipNumber();
        return isWanted ? Number(this.#cut(start, this.#at)) : undefined;
    }
  }
}

function startsWith(bytes: Uint8Array, start: number, expected: Uint8Array): boolean {
  for (let at = 0; at < expected.length; at++) if (bytes[start + at] !== expected[at]) return false;
  return true;
}
