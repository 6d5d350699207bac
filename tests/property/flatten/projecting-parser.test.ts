import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { makeProjectingParser } from '../../../app/flatten/projecting-parser.ts';

const NAMES = new Set(['id', 'value', 'name', 'a']);
const key = fc.constantFrom(
  'id',
  'value',
  'valueCode',
  'values',
  '_value',
  '_valueCode',
  'name',
  'a',
  'A',
  'aB',
  'b',
  '',
  '_',
  'é',
  '__proto__',
);
const leaf = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }).filter((text) => text.isWellFormed()),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
);
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { weight: 2, arbitrary: leaf },
    { weight: 1, arbitrary: fc.array(tie('json'), { maxLength: 4 }) },
    {
      weight: 3,
      arbitrary: fc.array(fc.tuple(key, tie('json')), { maxLength: 6 }).map((entries) => Object.fromEntries(entries)),
    },
  ),
}));

/** What should be left of a value, told without reading text. */
function project(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(project);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => [...NAMES].some((kept) => new RegExp(`^_?${kept}(?:[A-Z].*)?$`, 's').test(name)))
      .map(([name, item]) => [name, project(item)]),
  );
}

function parse(text: string): unknown {
  const bytes = Buffer.from(`garbage\n${text}\n"more"`);
  return makeProjectingParser(NAMES)(bytes, 8, bytes.length - 7);
}

function outcome(read: () => unknown): unknown {
  try {
    return { value: read() };
  } catch (error) {
    return (error as Error).name;
  }
}

describe('reading no more than some names', () => {
  it('gives of any JSON what JSON.parse gives, without the other members', () => {
    fc.assert(
      fc.property(json, fc.constantFrom(undefined, 1, '\t'), (value, space) => {
        const text = JSON.stringify(value, undefined, space);
        expect(parse(text)).toEqual(project(JSON.parse(text)));
      }),
      { numRuns: 2_000 },
    );
  });

  it('gives of texts that resemble each other what JSON.parse gives of each', () => {
    fc.assert(
      fc.property(
        fc.array(json, { minLength: 2, maxLength: 8 }),
        fc.array(fc.nat(), { minLength: 1, maxLength: 12 }),
        (values, picks) => {
          const read = makeProjectingParser(NAMES);
          for (const pick of [...picks, ...picks]) {
            // Parts of all values come at the same places again, beside others.
            const parts = [values[pick % values.length], values[(pick >> 3) % values.length]];
            const text = JSON.stringify({ name: parts[0], b: parts[1], a: [{ id: parts[1], value: parts[0] }] });
            const bytes = Buffer.from(text);
            expect(read(bytes, 0, bytes.length)).toEqual(project(JSON.parse(text)));
          }
        },
      ),
      { numRuns: 1_000 },
    );
  });

  it('gives the right values of a key that has more of them than are remembered', () => {
    const read = makeProjectingParser(NAMES);
    for (let round = 0; round < 3; round++) {
      for (let number = 0; number < 3_000; number++) {
        const value = { name: `v${number % 1_500}`, a: { id: `x${number % 1_500}`, b: number }, value: `u${number % 7}` };
        const bytes = Buffer.from(JSON.stringify(value));
        expect(read(bytes, 0, bytes.length)).toEqual(project(value));
      }
    }
  });

  it('refuses every text that JSON.parse refuses', () => {
    const damage = fc.record({
      at: fc.nat(),
      drop: fc.nat({ max: 2 }),
      insert: fc.constantFrom('', '"', ',', '{', ']', '\\', '0', '-', 'e', '\n', '\u0001', ' ', '.', 't'),
    });
    fc.assert(
      fc.property(json, damage, (value, { at, drop, insert }) => {
        const text = JSON.stringify(value);
        const place = at % (text.length + 1);
        const damaged = text.slice(0, place) + insert + text.slice(place + drop);
        // Unusual texts, such as keys with escapes, come whole.
        expect(outcome(() => project(parse(damaged)))).toEqual(
          outcome(() => project(JSON.parse(Buffer.from(damaged).toString()))),
        );
      }),
      { numRuns: 5_000 },
    );
  });

  it.each([
    '01',
    '1.',
    '-',
    '1e',
    '.5',
    '+1',
    'tru',
    'nul',
    '"\\x"',
    '"\\u12g4"',
    '"',
    '[1,]',
    '{"a":1,}',
    '{"a"}',
    '{a:1}',
    '1 2',
    '',
    '\ufeff1',
  ])('refuses %j', (text) => expect(outcome(() => parse(text))).toBe('SyntaxError'));
});
