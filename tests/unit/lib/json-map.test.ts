import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { findPlace, JsonSyntaxError, mapJson } from '../../../app/lib/json-map.ts';

describe('the places of a JSON text', () => {
  const text = '{\n  "select": [\n    { "column": [ {"name": "a"}, {"name": "b", "path": "x"} ] }\n  ]\n}';

  it('are found by path', () => {
    const places = mapJson(text);
    expect(places.get('select[0].column[1].path')).toEqual({ line: 3, column: (text.split('\n')[2] ?? '').indexOf('"x"') + 1 });
    expect(places.get('')).toEqual({ line: 1, column: 1 });
  });

  it('are those of the nearest value around what is missing', () => {
    const places = mapJson(text);
    expect(findPlace(places, 'select[0].column[1].type')).toEqual(places.get('select[0].column[1]'));
    expect(findPlace(places, 'where[3].path')).toEqual({ line: 1, column: 1 });
  });

  it.each([
    ['{\n "a": 1,\n}', { line: 3, column: 1 }],
    ['{"a" 1}', { line: 1, column: 6 }],
    ['[1, 2', { line: 1, column: 6 }],
    ['[1] x', { line: 1, column: 5 }],
    ['', { line: 1, column: 1 }],
  ])('of %j name where it is wrong', (broken, place) => {
    let error: unknown;
    try {
      mapJson(broken);
    } catch (thrown) {
      error = thrown;
    }
    expect((error as JsonSyntaxError).place).toEqual(place);
  });

  it('exist for the texts that JSON.parse reads, and for no others', () => {
    const damage = fc.record({ at: fc.nat(), insert: fc.constantFrom('', '"', ',', '}', '[', ':', '0', ' ') });
    const reads = (read: () => unknown): boolean => {
      try {
        read();
        return true;
      } catch {
        return false;
      }
    };
    fc.assert(
      fc.property(fc.json({ maxDepth: 3 }), damage, (json, { at, insert }) => {
        const place = at % (json.length + 1);
        const damaged = json.slice(0, place) + insert + json.slice(place);
        expect(reads(() => mapJson(damaged))).toBe(reads(() => JSON.parse(damaged)));
      }),
      { numRuns: 1_000 },
    );
  });
});
