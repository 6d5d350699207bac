import { RE2JS } from 're2js';
import { isSimpleRegex } from './simple-regex.ts';
import { RegexRefused, translateRegex } from './regex-translation.ts';

/** Functions of FHIRPath that take a regular expression. */
export type RegexUse = 'matches' | 'matchesFull' | 'replaceMatches';

/** A regular expression whose time is bounded. */
export interface BoundedRegex {
  /** True when it runs on the linear-time engine, which is slower than that of JavaScript. */
  readonly isLinear: boolean;
  readonly test: (text: string) => boolean;
  /** Replaces each match; `$1`, `$&` and their like mean what they mean to String.replace. */
  readonly replace: (text: string, replacement: string) => string;
}

/**
 * Compiles a pattern. Simple ones run on the engine of JavaScript, others on a port of RE2, whose time grows with the length of the text only.
 * @throws RegexRefused
 */
export function compileRegex(pattern: string, use: RegexUse): BoundedRegex {
  const forReplacing = use === 'replaceMatches';
  const whole = use === 'matchesFull' ? `^(?:${pattern})$` : pattern;
  if (isSimpleRegex(pattern)) {
    const native = new RegExp(whole, forReplacing ? 'gu' : 'su');
    return {
      isLinear: false,
      test: (text) => native.test(text),
      replace: (text, replacement) => text.replace(native, replacement),
    };
  }
  // The pattern by itself first: in the frame of the whole, `a)|(b` would be one.
  translateRegex(pattern, { forReplacing, dotAll: !forReplacing });
  const linear = compileLinear(translateRegex(whole, { forReplacing, dotAll: !forReplacing }));
  return {
    isLinear: true,
    test: (text) => linear.test(text),
    replace: (text, replacement) => replaceAll(linear, text, replacement),
  };
}

/** Why a pattern may not be used, or undefined. */
export function findRegexProblem(pattern: string, use: RegexUse): string | undefined {
  try {
    compileRegex(pattern, use);
    return undefined;
  } catch (error) {
    if (error instanceof RegexRefused) return error.message;
    throw error;
  }
}

function compileLinear(translated: string): RE2JS {
  try {
    return RE2JS.compile(translated);
  } catch {
    throw new RegexRefused('it is too large for the engine');
  }
}

function replaceAll(regex: RE2JS, text: string, replacement: string): string {
  const matcher = regex.matcher(text);
  let result = '';
  let from = 0;
  while (matcher.find()) {
    const [start, end] = [matcher.start(), matcher.end()];
    const groups = Array.from({ length: matcher.groupCount() }, (_, index) => matcher.group(index + 1) ?? '');
    result += text.slice(from, start) + expand(replacement, text, start, end, groups);
    from = end;
  }
  return result + text.slice(from);
}

/** GetSubstitution of ECMAScript, for patterns without named groups. */
function expand(replacement: string, text: string, start: number, end: number, groups: readonly string[]): string {
  return replacement.replace(/\$(?:([$&`'])|(\d\d?))/g, (sign, special: string | undefined, digits: string | undefined) => {
    switch (special) {
      case '$':
        return '$';
      case '&':
        return text.slice(start, end);
      case '`':
        return text.slice(0, start);
      case "'":
        return text.slice(end);
      case undefined:
    }
    const number = Number(digits);
    if (number >= 1 && number <= groups.length) return groups[number - 1] ?? '';
    const first = Number(digits?.[0]);
    return digits?.length === 2 && first >= 1 && first <= groups.length ? `${groups[first - 1] ?? ''}${digits[1] ?? ''}` : sign;
  });
}
