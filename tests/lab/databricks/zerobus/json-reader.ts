/** A text that is no JSON, or JSON of another form than the table wants. The message says where: `… at line 1 column 12`. */
export class DecodeError extends Error {
  constructor(problem: string, text: string, at: number) {
    const before = text.slice(0, at);
    const line = before.split('\n').length;
    const column = Buffer.byteLength(before.slice(before.lastIndexOf('\n') + 1)) + 1;
    super(`${problem} at line ${line} column ${column}`);
  }
}

const [QUOTE, MINUS, DOT, ZERO, NINE, UPPER_E, LOWER_E] = [0x22, 0x2d, 0x2e, 0x30, 0x39, 0x45, 0x65];
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const MAX_DEPTH = 128;

/** Reads JSON value by value, so that each keeps its digits and each error its place. All of RFC 8259 and nothing else. */
export class JsonReader {
  readonly text: string;
  at = 0;
  private nextBackslash = -1;
  private readonly hasControl: boolean;
  private depth = 0;

  constructor(text: string) {
    this.text = text;
    // Control characters may stand between values, never inside of a string. Few bodies have any: they are looked for once.
    // eslint-disable-next-line no-control-regex
    this.hasControl = /[\u0000-\u001f]/.test(text);
  }

  /** Go past white space. @returns the code of the next character, NaN at the end */
  next(): number {
    let code = this.text.charCodeAt(this.at);
    while (code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09) code = this.text.charCodeAt(++this.at);
    return code;
  }

  /** Take a sign, if it is the next. */
  take(sign: number): boolean {
    if (this.next() !== sign) return false;
    this.at++;
    return true;
  }

  /** @throws DecodeError when another sign is next */
  expect(sign: number, problem: string): void {
    if (!this.take(sign)) throw this.fail(Number.isNaN(this.next()) ? 'EOF while parsing a value' : problem);
  }

  enter(): void {
    if (++this.depth > MAX_DEPTH) throw this.fail('recursion limit exceeded');
  }

  leave(): void {
    this.depth--;
  }

  /** Take `true`, `false` or `null`, if it is the next. */
  takeWord(word: 'true' | 'false' | 'null'): boolean {
    this.next();
    if (!this.text.startsWith(word, this.at)) return false;
    this.at += word.length;
    return true;
  }

  isString(): boolean {
    return this.next() === QUOTE;
  }

  /** @throws DecodeError when no string is next */
  readString(): string {
    if (this.next() !== QUOTE) throw this.fail('invalid type, expected a string');
    const start = this.at + 1;
    let end = this.text.indexOf('"', start);
    if (end < 0) throw this.fail('EOF while parsing a string');
    if (this.nextBackslash < start) {
      const found = this.text.indexOf('\\', start);
      this.nextBackslash = found < 0 ? Infinity : found;
    }
    if (this.nextBackslash < end) {
      end = this.findEnd(start);
      const text = this.unescape(start - 1, end + 1);
      this.at = end + 1;
      return text;
    }
    const text = this.text.slice(start, end);
    // eslint-disable-next-line no-control-regex
    if (this.hasControl && /[\u0000-\u001f]/.test(text)) throw this.fail('control character found while parsing a string');
    this.at = end + 1;
    return text;
  }

  /** The digits of an integer as they stand, with their sign. @throws DecodeError for anything else */
  readIntegerText(): string {
    const code = this.next();
    if (code === QUOTE) throw this.fail('invalid digit found in string');
    const start = this.at;
    let at = code === MINUS ? start + 1 : start;
    const first = this.text.charCodeAt(at);
    let digit = first;
    while (digit >= ZERO && digit <= NINE) digit = this.text.charCodeAt(++at);
    const count = at - start - (code === MINUS ? 1 : 0);
    if (count === 0) throw this.fail('invalid type, expected an integer');
    if (first === ZERO && count > 1) throw this.fail('invalid number');
    if (digit === DOT || digit === LOWER_E || digit === UPPER_E)
      throw this.fail('invalid type: floating point, expected an integer');
    this.at = at;
    return this.text.slice(start, at);
  }

  /** The text of any number. @throws DecodeError when no number is next */
  readNumberText(): string {
    if (this.next() === QUOTE) throw this.fail('invalid type: string, expected a number');
    NUMBER.lastIndex = this.at;
    if (!NUMBER.test(this.text)) throw this.fail('invalid type, expected a number');
    const text = this.text.slice(this.at, NUMBER.lastIndex);
    const after = this.text.charCodeAt(NUMBER.lastIndex);
    if ((after >= ZERO && after <= NINE) || after === DOT) throw this.fail('invalid number');
    this.at = NUMBER.lastIndex;
    return text;
  }

  /** @returns an error for the place where the reader is, or for `at` */
  fail(problem: string, at = this.at): DecodeError {
    return new DecodeError(problem, this.text, at);
  }

  private findEnd(start: number): number {
    for (let at = start; at < this.text.length; at++) {
      const code = this.text.charCodeAt(at);
      if (code === QUOTE) return at;
      if (code === 0x5c) at++;
    }
    throw this.fail('EOF while parsing a string');
  }

  private unescape(from: number, to: number): string {
    let text: string;
    try {
      text = JSON.parse(this.text.slice(from, to)) as string;
    } catch {
      throw this.fail('invalid escape or control character in a string');
    }
    if (!text.isWellFormed()) throw this.fail('lone surrogate in a string');
    return text;
  }
}
