import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AppError } from '../../app/errors/app-error.ts';
import { compileView, validateView } from '../../app/view/compile-view.ts';
import type { Resource } from '../../app/view/compiled-view.ts';
import { parseExactly } from '../../app/view/exact-json.ts';
import { isSimpleRegex } from '../../app/view/simple-regex.ts';
import { aColumn, freezeDeeply } from '../helpers/views.ts';

const CANARY = 'CANARY';
const text = fc.string({ maxLength: 5 }).map((each) => CANARY + each);

const anyPatient = fc
  .record(
    {
      id: text,
      gender: fc.oneof(text, fc.integer()),
      birthDate: fc.oneof(text, fc.constant('1970-01')),
      active: fc.oneof(fc.boolean(), text),
      multipleBirthInteger: fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), text),
      name: fc.oneof(
        fc.array(
          fc.record(
            {
              use: fc.constantFrom('official', 'old'),
              family: text,
              given: fc.array(fc.oneof(text, fc.constant(null)), { maxLength: 3 }),
            },
            { requiredKeys: [] },
          ),
          { maxLength: 3 },
        ),
        text,
        fc.constant(null),
      ),
      contact: fc.array(fc.record({ name: fc.record({ family: text }) }), { maxLength: 2 }),
      extension: fc.array(fc.record({ url: fc.constant('urn:u'), valueString: text }), { maxLength: 2 }),
      contained: fc.array(
        fc.record({
          resourceType: fc.constantFrom('Patient', 'Organization'),
          name: fc.oneof(text, fc.array(fc.record({ family: text }))),
        }),
        { maxLength: 2 },
      ),
    },
    { requiredKeys: [] },
  )
  .map((patient): Resource => ({ resourceType: 'Patient', ...patient }));

const COLUMNS = [
  'id',
  'birthDate.lowBoundary()',
  'birthDate < @1980',
  'name.family',
  "name.given.join(',')",
  'name.family + name.family',
  'name.family + 1',
  'name.family.toInteger() + 1',
  'active.not()',
  'multipleBirth.ofType(integer) + 1',
  "extension('urn:u').value.ofType(string)",
  'contained.name',
  "name.where(use = 'official').given.first().substring(0, 3)",
  'name.exists(%resource.active)',
  'iif(active, id, gender)',
  "name.family.matches('^[A-Z]+$')",
  "contact.name.select(family & ' ' & given.first())",
];

const VIEW = {
  name: 'v',
  resource: 'Patient',
  select: [
    {
      column: COLUMNS.filter((path) => !path.includes('active')).map((path, index) => ({
        name: `c${index}`,
        path,
        collection: true,
      })),
    },
    {
      forEachOrNull: 'name',
      column: [
        { name: 'n', path: 'family' },
        { name: 'i', path: '%rowIndex' },
      ],
      unionAll: [{ column: [{ name: 'u', path: 'use' }] }, { forEach: 'given', column: [{ name: 'u', path: '$this' }] }],
    },
    { repeat: ['contact', 'name'], column: [{ name: 'r', path: 'family' }] },
  ],
};

/** Rows, or the message of the AppError; anything else is thrown on. */
function outcome(call: () => unknown): unknown {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return error.message;
  }
}

describe('evaluating any resource', () => {
  const views = [
    VIEW,
    ...COLUMNS.map((path) => aColumn(path.replace('name.exists(%resource.active)', 'name.exists(%resource.active)'))),
  ].map((view) => compileView(view));

  it('changes nothing in it and gives the same rows for a deeply frozen copy', () => {
    fc.assert(
      fc.property(anyPatient, (patient) => {
        const before = JSON.stringify(patient);
        const frozen = freezeDeeply(structuredClone(patient));
        for (const view of views) {
          expect(outcome(() => view.evaluate(frozen))).toEqual(outcome(() => view.evaluate(patient)));
        }
        expect(JSON.stringify(patient)).toBe(before);
        expect(hiddenKeys(patient)).toEqual([]);
      }),
      { numRuns: 150 },
    );
  });

  it('throws nothing but an AppError without data of the resource', () => {
    fc.assert(
      fc.property(anyPatient, (patient) => {
        for (const view of views) {
          const result = outcome(() => view.evaluate(patient));
          if (typeof result === 'string') expect(result).not.toContain(CANARY);
        }
      }),
      { numRuns: 150 },
    );
  });
});

describe('checking any JSON as a view', () => {
  it('never throws, whatever it is', () => {
    const part = fc.letrec((tie) => ({
      select: fc.record(
        {
          column: fc.array(
            fc.record(
              {
                name: fc.oneof(fc.string(), fc.constant('a')),
                path: fc.oneof(fc.string(), fc.constantFrom(...COLUMNS), fc.integer()),
                type: fc.constantFrom('string', 'Coding', '__proto__'),
              },
              { requiredKeys: [] },
            ),
            { maxLength: 3 },
          ),
          forEach: fc.oneof(fc.string(), fc.constantFrom('name', 'contact')),
          repeat: fc.array(fc.string(), { maxLength: 2 }),
          select: fc.oneof({ maxDepth: 3 }, fc.constant([]), fc.array(tie('select'), { maxLength: 2 })),
          unionAll: fc.oneof({ maxDepth: 3 }, fc.anything(), fc.array(tie('select'), { maxLength: 2 })),
        },
        { requiredKeys: [] },
      ),
    })).select;
    const view = fc.oneof(
      fc.anything(),
      fc.record({
        resource: fc.constantFrom('Patient', 'Foo'),
        select: fc.array(part, { maxLength: 2 }),
        where: fc.anything(),
        constant: fc.anything(),
      }),
    );
    fc.assert(
      fc.property(view, (input) => {
        expect(Array.isArray(validateView(input))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});

describe('exact JSON', () => {
  it('differs from JSON.parse in nothing but the digits of numbers', () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: 'binary' }), (json) => {
        expect(JSON.stringify(parseExactly(json))).toBe(JSON.stringify(JSON.parse(json)));
      }),
      { numRuns: 500 },
    );
  });
});

describe('a regular expression that counts as simple', () => {
  it('has no group, no alternative and at most one variable repetition', () => {
    const piece = fc.constantFrom(
      'a',
      '.',
      '[a-z]',
      '\\d',
      '\\.',
      '*',
      '+',
      '?',
      '{2}',
      '{1,3}',
      '(',
      ')',
      '|',
      '^',
      '$',
      '\\1',
      '[^',
      ']',
      '(?:',
      '-',
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
        (pattern) => {
          if (!isSimpleRegex(pattern)) return;
          const bare = pattern.replace(/\\./g, 'x').replace(/\[\^?[^\]]+\]/g, 'x');
          expect(bare).not.toMatch(/[()|]/);
          expect((bare.match(/[*+?]|\{\d+,\d*\}/g) ?? []).length).toBeLessThanOrEqual(1);
          expect(() => new RegExp(pattern, 'u')).not.toThrow();
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

function hiddenKeys(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  const enumerable = new Set([...Object.keys(value), ...(Array.isArray(value) ? ['length'] : [])]);
  return [
    ...Object.getOwnPropertyNames(value).filter((key) => !enumerable.has(key)),
    ...Object.values(value).flatMap(hiddenKeys),
  ];
}
