/** A part of a pattern, translated to the syntax of RE2. */
interface Part {
  readonly re2: string;
  /** States that an engine needs for it, repetitions written out. */
  readonly size: number;
  readonly mayBeEmpty: boolean;
  readonly hasGroup: boolean;
}

/** Why a pattern is refused, in words that follow "the regular expression is refused: ". */
export class RegexRefused extends Error {}

/** Bounds the states that each character of a text may meet. */
const MAX_SIZE = 1_000;
const MAX_CODE_POINT = 0x10ffff;

type Range = readonly [from: number, to: number];
const DIGITS: readonly Range[] = [[0x30, 0x39]];
const WORD: readonly Range[] = [...DIGITS, [0x41, 0x5a], [0x5f, 0x5f], [0x61, 0x7a]];
/** White space of JavaScript, which is more than that of RE2. */
const SPACE: readonly Range[] = [
  ...([
    [0x09, 0x0d],
    [0x20, 0x20],
    [0xa0, 0xa0],
    [0x1680, 0x1680],
    [0x2000, 0x200a],
    [0x2028, 0x2029],
  ] as const),
  ...([
    [0x202f, 0x202f],
    [0x205f, 0x205f],
    [0x3000, 0x3000],
    [0xfeff, 0xfeff],
  ] as const),
];
const CLASSES: Readonly<Record<string, readonly Range[]>> = {
  d: DIGITS,
  w: WORD,
  s: SPACE,
  D: complement(DIGITS),
  W: complement(WORD),
  S: complement(SPACE),
};
const LINE_ENDS: readonly Range[] = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
];
const CONTROLS: Readonly<Record<string, number>> = { t: 9, n: 10, v: 11, f: 12, r: 13, '0': 0 };

/**
 * Translates a pattern of JavaScript (flag `u`) to RE2, keeping its meaning: all that the two read differently is written out in code
 * points. What RE2 has no linear-time counterpart for, or whose meaning would change, is refused.
 *
 * @param forReplacing true when matches are replaced, so that their extent counts and not only that there is one
 * @param dotAll whether a dot matches the ends of lines too
 * @throws RegexRefused
 */
export function translateRegex(
  pattern: string,
  { forReplacing, dotAll }: { readonly forReplacing: boolean; readonly dotAll: boolean },
): string {
  try {
    new RegExp(pattern, 'u');
  } catch {
    throw new RegexRefused('it is no regular expression');
  }
  const parser = new Parser(pattern, forReplacing, dotAll);
  const { re2, size } = parser.disjunction();
  if (size > MAX_SIZE) throw new RegexRefused(`with its repetitions written out it has more than ${MAX_SIZE} parts`);
  return re2;
}

/** Reads a pattern that RegExp accepted. */
class Parser {
  readonly #chars: readonly string[];
  readonly #forReplacing: boolean;
  readonly #dot: string;
  #at = 0;

  constructor(pattern: string, forReplacing: boolean, dotAll: boolean) {
    this.#chars = [...pattern];
    this.#forReplacing = forReplacing;
    this.#dot = dotAll ? '(?s:.)' : writeClass(complement(LINE_ENDS));
  }

  disjunction(): Part {
    const branches = [this.#alternative()];
    while (this.#take('|')) branches.push(this.#alternative());
    const [only] = branches;
    if (only !== undefined && branches.length === 1) return only;
    return {
      re2: branches.map(({ re2 }) => re2).join('|'),
      size: sum(branches) + branches.length,
      mayBeEmpty: branches.some((branch) => branch.mayBeEmpty),
      hasGroup: branches.some(({ hasGroup }) => hasGroup),
    };
  }

  #alternative(): Part {
    const parts: Part[] = [];
    for (let next = this.#chars[this.#at]; next !== undefined && next !== '|' && next !== ')'; next = this.#chars[this.#at])
      parts.push(this.#term());
    return {
      re2: parts.map(({ re2 }) => re2).join(''),
      size: sum(parts),
      mayBeEmpty: parts.every((part) => part.mayBeEmpty),
      hasGroup: parts.some(({ hasGroup }) => hasGroup),
    };
  }

  #term(): Part {
    const assertion = this.#assertion();
    if (assertion !== undefined) return { re2: assertion, size: 1, mayBeEmpty: true, hasGroup: false };
    const atom = this.#atom();
    const found = /^(?:[*+?]|\{\d+(?:,\d*)?\})\??/.exec(this.#chars.slice(this.#at, this.#at + 24).join(''));
    return found === null ? atom : this.#repetition(atom, found[0]);
  }

  #repetition(atom: Part, quantifier: string): Part {
    this.#at += quantifier.length;
    const [least = 0, most = Infinity] = readBounds(quantifier);
    const times = most === Infinity ? least + 1 : most;
    if (times > MAX_SIZE) throw new RegexRefused(`it repeats more than ${MAX_SIZE} times`);
    if (this.#forReplacing) {
      // JavaScript and RE2 choose different extents, or groups, here.
      if (atom.mayBeEmpty) throw new RegexRefused('it repeats what may be empty');
      if (atom.hasGroup && most > 1) throw new RegexRefused('it repeats a group that is captured; write (?:…) for it');
    }
    return {
      ...atom,
      re2: atom.re2 + quantifier,
      size: Math.max(1, times) * atom.size + 1,
      mayBeEmpty: atom.mayBeEmpty || least === 0,
    };
  }

  #assertion(): string | undefined {
    if (this.#take('^')) return '\\A';
    if (this.#take('$')) return '\\z';
    if (this.#take('\\b')) return '\\b';
    return this.#take('\\B') ? '\\B' : undefined;
  }

  #atom(): Part {
    if (this.#take('(')) return this.#group();
    const atom = { size: 1, mayBeEmpty: false, hasGroup: false };
    if (this.#take('.')) return { ...atom, re2: this.#dot };
    if (this.#take('[')) return { ...atom, re2: this.#class() };
    return { ...atom, re2: writeClass(this.#character(false)) };
  }

  #group(): Part {
    const isCaptured = this.#chars[this.#at] !== '?';
    if (!isCaptured && !this.#take('?:'))
      throw new RegexRefused('lookahead, lookbehind, named groups and flags inside of it are not supported');
    const inner = this.disjunction();
    this.#at++;
    return {
      ...inner,
      re2: `(${isCaptured ? '' : '?:'}${inner.re2})`,
      size: inner.size + 1,
      hasGroup: isCaptured || inner.hasGroup,
    };
  }

  #class(): string {
    const isNegated = this.#take('^');
    const ranges: Range[] = [];
    while (!this.#take(']')) {
      const from = this.#character(true);
      const isRange = this.#chars[this.#at] === '-' && this.#chars[this.#at + 1] !== ']';
      if (!isRange) {
        ranges.push(...from);
        continue;
      }
      this.#at++;
      const to = this.#character(true);
      ranges.push([from[0]?.[0] ?? 0, to[0]?.[1] ?? 0]);
    }
    const kept = isNegated ? complement(ranges) : ranges;
    if (kept.length === 0) throw new RegexRefused('it has a class that matches nothing');
    return writeClass(kept);
  }

  /** One character, or the class that an escape names. */
  #character(isInClass: boolean): readonly Range[] {
    const char = this.#next();
    if (char !== '\\') return single(char.codePointAt(0) ?? 0);
    const escape = this.#next();
    if (Object.hasOwn(CLASSES, escape)) return CLASSES[escape] as readonly Range[];
    if (Object.hasOwn(CONTROLS, escape)) return single(CONTROLS[escape] as number);
    if (escape === 'b' && isInClass) return single(8);
    if (escape === 'c') return single((this.#next().codePointAt(0) ?? 0) % 32);
    if (escape === 'x') return single(this.#hex(2));
    if (escape === 'u') return single(this.#unicode());
    if (/[1-9k]/.test(escape)) throw new RegexRefused('references back to a group are not supported');
    if (/[pP]/.test(escape)) throw new RegexRefused('properties of characters (\\p) are not supported');
    return single(escape.codePointAt(0) ?? 0);
  }

  #unicode(): number {
    if (this.#take('{')) {
      const digits = this.#chars.slice(this.#at, this.#chars.indexOf('}', this.#at)).join('');
      this.#at += digits.length + 1;
      return parseInt(digits, 16);
    }
    const unit = this.#hex(4);
    const isHigh = unit >= 0xd800 && unit < 0xdc00;
    if (!isHigh || !/^\\u[dD][c-fC-F]/.test(this.#chars.slice(this.#at, this.#at + 4).join(''))) return unit;
    this.#at += 2;
    return (unit - 0xd800) * 0x400 + (this.#hex(4) - 0xdc00) + 0x10000;
  }

  #hex(length: number): number {
    this.#at += length;
    return parseInt(this.#chars.slice(this.#at - length, this.#at).join(''), 16);
  }

  #next(): string {
    return this.#chars[this.#at++] ?? '';
  }

  #take(text: string): boolean {
    if (!text.split('').every((char, offset) => this.#chars[this.#at + offset] === char)) return false;
    this.#at += text.length;
    return true;
  }
}

function readBounds(quantifier: string): readonly [number, number] {
  if (quantifier.startsWith('*')) return [0, Infinity];
  if (quantifier.startsWith('+')) return [1, Infinity];
  if (quantifier.startsWith('?')) return [0, 1];
  const [, least = '', comma, most = ''] = /^\{(\d+)(,?)(\d*)\}/.exec(quantifier) ?? [];
  return [Number(least), comma === '' ? Number(least) : most === '' ? Infinity : Number(most)];
}

function sum(parts: readonly Part[]): number {
  return parts.reduce((total, { size }) => total + size, 0);
}

function single(code: number): readonly Range[] {
  return [[code, code]];
}

function complement(ranges: readonly Range[]): readonly Range[] {
  const rest: Range[] = [];
  let from = 0;
  for (const [start, end] of [...ranges].sort(([a], [b]) => a - b)) {
    if (start > from) rest.push([from, start - 1]);
    from = Math.max(from, end + 1);
  }
  return from > MAX_CODE_POINT ? rest : [...rest, [from, MAX_CODE_POINT]];
}

/** Every character by its number, so that nothing in a class has a meaning of its own. */
function writeClass(ranges: readonly Range[]): string {
  const [only] = ranges;
  const code = (value: number): string => `\\x{${value.toString(16)}}`;
  if (ranges.length === 1 && only !== undefined && only[0] === only[1]) return code(only[0]);
  return `[${ranges.map(([from, to]) => (from === to ? code(from) : `${code(from)}-${code(to)}`)).join('')}]`;
}
