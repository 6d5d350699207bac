/**
 * Runs the official SQL-on-FHIR tests: one line per file, failures in full, the sum last. Exit code 1 when a test fails.
 * `--report <file>` also writes the result in the official report format.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { hasSuite, readSuite, runSuiteTest } from '../tests/helpers/sql-on-fhir-suite.ts';

const { values } = parseArgs({ options: { report: { type: 'string' } } });

if (!hasSuite()) {
  console.error('the official tests are expected in ../shared/conformance/sql-on-fhir');
  process.exit(2);
}

const report: Record<string, { tests: { name: string; result: { passed: boolean; reason?: string } }[] }> = {};
let passed = 0;
let total = 0;
for (const { file, resources, tests } of readSuite()) {
  const results = tests.map((test) => ({ name: test.title, reason: runSuiteTest(resources, test) }));
  const good = results.filter(({ reason }) => reason === undefined).length;
  passed += good;
  total += results.length;
  report[file] = {
    tests: results.map(({ name, reason }) => ({
      name,
      result: { passed: reason === undefined, ...(reason !== undefined && { reason }) },
    })),
  };
  console.log(`${file} ${good}/${results.length}`);
  for (const { name, reason } of results) if (reason !== undefined) console.log(`  failed: ${name}: ${reason}`);
}
if (values.report !== undefined) writeFileSync(values.report, JSON.stringify(report, null, 2));
console.log(`sql-on-fhir ${passed}/${total}`);
process.exitCode = passed === total ? 0 : 1;
