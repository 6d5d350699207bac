import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { isAppError } from '../../app/errors/app-error.ts';
import { compileView, type CompileOptions } from '../../app/view/compile-view.ts';
import type { FlatValue, Resource } from '../../app/view/compiled-view.ts';
import { parseExactly } from '../../app/view/exact-json.ts';

/** Folder of the official tests, beside the checkout. */
export const SUITE_DIRECTORY = new URL('../../../shared/conformance/sql-on-fhir/', import.meta.url);

export interface SuiteTest {
  readonly title: string;
  readonly tags?: readonly string[];
  readonly view: unknown;
  readonly expect?: readonly Readonly<Record<string, unknown>>[];
  readonly expectCount?: number;
  readonly expectColumns?: readonly string[];
  readonly expectError?: boolean;
}

export interface SuiteFile {
  readonly file: string;
  readonly resources: readonly Resource[];
  readonly tests: readonly SuiteTest[];
}

export function hasSuite(): boolean {
  return existsSync(SUITE_DIRECTORY);
}

/** Resources are read as a view that `needsExactDecimals` wants them (`1.0` stays `1.0`), all else by JSON.parse. */
export function readSuite(): readonly SuiteFile[] {
  return readdirSync(SUITE_DIRECTORY)
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => {
      const text = readFileSync(new URL(file, SUITE_DIRECTORY), 'utf8');
      const { tests } = JSON.parse(text) as { tests: readonly SuiteTest[] };
      return { file, resources: (parseExactly(text) as { resources: readonly Resource[] }).resources, tests };
    });
}

/** Why a test fails, or undefined when it passes. Strict: values, types and nulls deeply equal, order of rows free, order of columns checked. */
export function runSuiteTest(resources: readonly Resource[], test: SuiteTest, options: CompileOptions = {}): string | undefined {
  let columns: readonly string[];
  let rows: readonly (readonly FlatValue[])[];
  try {
    const view = compileView(test.view, options);
    columns = view.columns.map(({ name }) => name);
    rows = resources.flatMap((resource) => view.evaluate(resource));
  } catch (error) {
    if (!isAppError(error)) return `threw something else than an AppError: ${String(error)}`;
    return test.expectError === true ? undefined : error.message;
  }
  if (test.expectError === true) return 'expected an error';
  if (test.expectCount !== undefined && rows.length !== test.expectCount)
    return `${rows.length} rows, expected ${test.expectCount}`;
  if (test.expectColumns !== undefined && !isDeepStrictEqual(columns, test.expectColumns)) return `columns ${columns.join(', ')}`;
  if (test.expect === undefined) return undefined;
  const found = rows.map((row) => Object.fromEntries(columns.map((name, index) => [name, row[index]])));
  return sameRows(found, test.expect) ? undefined : `rows ${JSON.stringify(found)}, expected ${JSON.stringify(test.expect)}`;
}

/** Equal as multisets. An expected row may leave out nothing. */
function sameRows(found: readonly unknown[], expected: readonly unknown[]): boolean {
  const left = [...found];
  for (const row of expected) {
    const index = left.findIndex((candidate) => isDeepStrictEqual(candidate, row));
    if (index < 0) return false;
    left.splice(index, 1);
  }
  return left.length === 0;
}
