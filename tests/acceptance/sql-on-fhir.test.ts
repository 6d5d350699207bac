import { describe, expect, it } from '@jest/globals';
import { prepare } from '../helpers/view-fuzz/run-fuzz.ts';
import { hasSuite, readSuite, runSuiteTest } from '../helpers/sql-on-fhir-suite.ts';

const TITLE = 'official SQL-on-FHIR tests';

if (!hasSuite()) {
  it.skip(`${TITLE} (skipped: ../shared/conformance/sql-on-fhir is missing)`, () => undefined);
} else {
  const suite = readSuite();
  describe(TITLE, () => {
    for (const { file, resources, tests } of suite) {
      describe(file, () => {
        for (const test of tests) {
          it(`${test.title} (${test.tags?.join(', ') ?? 'untagged'})`, () => {
            expect(runSuiteTest(resources, test)).toBeUndefined();
            expect(runSuiteTest(resources, test, { interpret: true })).toBeUndefined();
          });
        }
      });
    }

    it('are done by compiled code for the most part: at most 8 % of the expressions are left to fhirpath.js', () => {
      const views = suite.flatMap(({ tests }) => tests).flatMap(({ view }) => prepare(view) ?? []);
      const sum = (count: (view: (typeof views)[number]) => number): number =>
        views.reduce((total, view) => total + count(view), 0);
      expect(sum(({ compiled }) => compiled.fallbacks.length) / sum(({ compiled }) => compiled.expressionCount)).toBeLessThan(
        0.08,
      );
    });

    it('are all there: 136 tests, 125 of them shareable', () => {
      const all = suite.flatMap(({ tests }) => tests);
      expect([all.length, all.filter(({ tags }) => tags?.includes('shareable') === true).length]).toEqual([136, 125]);
    });
  });

  describe('the runner', () => {
    const resources = [{ resourceType: 'Patient', id: 'p1', active: true }];
    const view = {
      resource: 'Patient',
      select: [
        {
          column: [
            { name: 'id', path: 'id' },
            { name: 'active', path: 'active' },
          ],
        },
      ],
    };

    it.each([
      ['a value of another type', { expect: [{ id: 'p1', active: 'true' }] }],
      [
        'a missing row',
        {
          expect: [
            { id: 'p1', active: true },
            { id: 'p1', active: true },
          ],
        },
      ],
      ['a surplus row', { expect: [] }],
      ['a column too few', { expect: [{ id: 'p1' }] }],
      ['columns in another order', { expect: [{ id: 'p1', active: true }], expectColumns: ['active', 'id'] }],
      ['a wrong count', { expectCount: 2 }],
      ['success where an error is expected', { expectError: true }],
    ])('fails a test on %s', (_title, expected) => {
      expect(runSuiteTest(resources, { title: 't', view, ...expected })).toBeDefined();
    });
  });
}
