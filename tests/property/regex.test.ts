import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { compileRegex, type RegexUse } from '../../app/view/regex-functions.ts';
import { RegexRefused, translateRegex } from '../../app/view/regex-translation.ts';
import { isSimpleRegex } from '../../app/view/simple-regex.ts';

const LITERALS = [
  'a',
  'b',
  'c',
  'A',
  '1',
  '_',
  ' ',
  '-',
  '\\.',
  '\\/',
  '\\\\',
  '\\-',
  '\n',
  'é',
  '😀',
  '\\x61',
  '\\u0062',
  '\\u{1F600}',
  '\\uD83D\\uDE00',
  '\\t',
  '\\cJ',
  '\\0',
];
const inClass = fc.constantFrom(
  'a',
  'b-c',
  '0-9',
  '\\d',
  '\\W',
  '\\s',
  '\\S',
  'é-ü',
  '😀',
  '\\]',
  '^',
  '.',
  '\\b',
  '\\x41-\\x43',
  '_',
);
const atom: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...LITERALS.filter((text) => text !== '\\-')) },
  fc.constantFrom('.', '\\d', '\\D', '\\w', '\\W', '\\s', '\\S'),
  fc
    .tuple(fc.constantFrom('', '^'), fc.array(inClass, { minLength: 1, maxLength: 3 }))
    .map(([not, parts]) => `[${not}${parts.join('')}]`),
);
const quantifier = fc
  .tuple(fc.constantFrom('*', '+', '?', '{2}', '{1,2}', '{1,}', '{0,2}'), fc.constantFrom('', '', '?'))
  .map((parts) => parts.join(''));
const { pattern } = fc.letrec<{ pattern: string; sequence: string; term: string }>((tie) => ({
  pattern: fc.array(tie('sequence'), { minLength: 1, maxLength: 3 }).map((parts) => parts.join('|')),
  sequence: fc.array(tie('term'), { maxLength: 4 }).map((parts) => parts.join('')),
  term: fc.oneof(
    { maxDepth: 2 },
    fc.tuple(atom, fc.option(quantifier, { nil: '' })).map((parts) => parts.join('')),
    fc.constantFrom('^', '$', '\\b', '\\B'),
    fc
      .tuple(fc.constantFrom('(', '(?:'), tie('pattern'), fc.option(quantifier, { nil: '' }))
      .map(([open, inner, times]) => `${open}${inner})${times}`),
  ),
}));
const text = fc
  .array(
    fc.constantFrom(
      'a',
      'b',
      'c',
      'A',
      '1',
      '_',
      ' ',
      '-',
      '.',
      '\n',
      '\r',
      '\u2028',
      '\u00a0',
      '\ufeff',
      'é',
      '😀',
      '\ud83d',
      '/',
    ),
    { maxLength: 9 },
  )
  .map((parts) => parts.join(''));
const replacement = fc
  .array(fc.constantFrom('x', '$1', '$2', '$12', '$01', '$0', '$&', '$$', '$`', "$'", '$', '$<a>'), { maxLength: 3 })
  .map((parts) => parts.join(''));

/** What JavaScript gives for the same. */
function native(use: RegexUse, source: string, input: string, replaceBy: string): unknown {
  if (use === 'replaceMatches') return input.replace(new RegExp(source, 'gu'), replaceBy);
  return new RegExp(use === 'matches' ? source : `^(?:${source})$`, 'su').test(input);
}

describe('regular expressions on the linear-time engine', () => {
  it.each<RegexUse>(['matches', 'matchesFull', 'replaceMatches'])('mean what they mean to JavaScript: %s', (use) => {
    const counts = { compared: 0, refused: 0 };
    fc.assert(
      fc.property(pattern, fc.array(text, { minLength: 5, maxLength: 5 }), replacement, (source, inputs, replaceBy) => {
        fc.pre(!isSimpleRegex(source));
        let regex: ReturnType<typeof compileRegex>;
        try {
          regex = compileRegex(source, use);
        } catch (error) {
          if (!(error instanceof RegexRefused)) throw error;
          counts.refused++;
          return;
        }
        counts.compared++;
        expect(regex.isLinear).toBe(true);
        for (const sample of inputs) {
          // V8 finds an empty match, and \B, inside of a surrogate pair, where no character begins.
          const input = use === 'replaceMatches' || source.includes('\\B') ? sample.replace(/[\ud800-\udfff]/g, '~') : sample;
          const found = use === 'replaceMatches' ? regex.replace(input, replaceBy) : regex.test(input);
          expect({ source, input, found }).toEqual({ source, input, found: native(use, source, input, replaceBy) });
        }
      }),
      { numRuns: 600 },
    );
    expect(counts.compared).toBeGreaterThan(100);
  });

  it.each(['\\d', '\\D', '\\w', '\\W', '\\s', '\\S', '.', '[^\\s\\d]', '[\\W\\S]'])(
    'know the same characters as JavaScript: %s',
    (source) => {
      const [ours, theirs] = [compileRegex(`(?:${source})`, 'replaceMatches'), new RegExp(source, 'gu')];
      const all = Array.from({ length: 0x11000 }, (_, code) => code).filter((code) => code < 0xd800 || code > 0xdfff);
      const characters = String.fromCodePoint(...all.slice(0, 30_000)) + String.fromCodePoint(...all.slice(30_000));
      expect(ours.replace(characters, '') === characters.replace(theirs, '')).toBe(true);
    },
  );

  it.each([
    ['(a)\\1', 'references back'],
    ['(?=a)b', 'lookahead'],
    ['(?<!a)b', 'lookahead'],
    ['(?<n>a|b)', 'named groups'],
    ['\\p{L}+x*', 'properties of characters'],
    ['(?:a{100}){100}', 'more than 1000 parts'],
    ['(a', 'no regular expression'],
    ['a)|(b', 'no regular expression'],
    ['(?:[]|a)', 'matches nothing'],
  ])('are refused with the reason: %s', (source, reason) => {
    expect(() => translateRegex(source, { forReplacing: false, dotAll: true })).toThrow(reason);
  });

  it.each([
    ['(?:a|b*)*', 'repeats what may be empty'],
    ['(a|b)+', 'repeats a group'],
  ])('are refused for replacing where the extent of a match would differ: %s', (source, reason) => {
    expect(() => compileRegex(source, 'replaceMatches')).toThrow(reason);
    expect(compileRegex(source, 'matches').test('ab')).toBe(true);
  });

  it('end on what takes JavaScript for ever', () => {
    const hostile = `${'a'.repeat(9_999)}!`;
    for (const source of [
      '^(a+)+$',
      '^(a|a)*$',
      '^(a|aa)+$',
      '(.*a){12}$',
      '^([a-zA-Z]+)*$',
      '(a*)*b',
      '(?:a?){300}b',
      'x*x*x*x*x*y|a+a+a+a+$',
    ]) {
      const beganAtMs = performance.now();
      expect(compileRegex(source, 'matches').test(hostile)).toBe(false);
      process.stdout.write(`  ${source}: ${Math.round(performance.now() - beganAtMs)} ms\n`);
    }
  });
});
