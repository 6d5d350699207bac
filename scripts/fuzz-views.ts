/**
 * Differential fuzzing of the view compiler: random views on random and on Synthea resources, some of them spoilt, evaluated compiled and by
 * the interpreter alone. `npm run fuzz:views -- [--pairs N] [--seed S]`. Exit code 1 when anything differs.
 */
import { parseArgs } from 'node:util';
import { readSynthea, runFuzz } from '../tests/helpers/view-fuzz/run-fuzz.ts';

const { values } = parseArgs({ options: { pairs: { type: 'string', default: '100000' }, seed: { type: 'string' } } });
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const resources = readSynthea();
console.log(`seed ${seed}, ${[...resources.values()].reduce((sum, list) => sum + list.length, 0)} Synthea resources`);
if (resources.size === 0) console.log('Synthea resources are missing in ../shared/data/synthea: generated ones only');

const result = runFuzz({ pairs: Number(values.pairs), seed, resources });
const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(1)} %`;
for (const [name, count] of [...result.functions].sort(([, a], [, b]) => a - b)) console.log(`${name.padEnd(16)} ${count}`);
console.log('left to fhirpath.js:');
for (const [reason, count] of [...result.reasons].sort(([, a], [, b]) => b - a))
  console.log(`  ${String(count).padEnd(8)} ${reason}`);
console.log(`${result.pairs} pairs of ${result.views} views (${result.invalidViews} more were refused), ${result.rows} rows`);
console.log(
  `compiled code alone ${percent(result.fastPairs, result.pairs)}, left to the interpreter ${percent(result.deoptPairs, result.pairs)}`,
);
console.log(
  `${result.fallbackExpressions} of ${result.expressions} expressions left to fhirpath.js (${percent(result.fallbackExpressions, result.expressions)})`,
);
for (const difference of result.differences) console.log(`difference: ${JSON.stringify(difference)}`);
console.log(`seed ${seed}: ${result.differences.length} differences`);
process.exitCode = result.differences.length === 0 ? 0 : 1;
