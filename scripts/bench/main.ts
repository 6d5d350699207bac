import { parseArgs } from 'node:util';
import { runEndToEndBench } from './end-to-end.ts';
import { runFlattenBench } from './flatten.ts';
import { runHostileBench } from './hostile.ts';
import { runSqlBench, runZerobusBench } from './managed.ts';
import { runQueueBench } from './queue.ts';
import { runParquetBench } from './parquet.ts';
import { runViewRunBench } from './view-run.ts';
import { runWebhookBench } from './webhook.ts';
import type { BenchOptions, BenchResult } from './bench.ts';

const BENCHES: Readonly<
  Record<string, { readonly what: string; readonly run: (options: BenchOptions) => Promise<BenchResult> }>
> = {
  webhook: { what: 'events acknowledged durably, by queue store; load from a second process', run: runWebhookBench },
  'end-to-end': { what: 'rows from the webhook to the table, beside parse + flatten + encode alone', run: runEndToEndBench },
  zerobus: { what: 'rows from the webhook by Zerobus to a stand-in of 150 ms, 500 rows a request', run: runZerobusBench },
  sql: { what: 'rows from the webhook by a SQL warehouse to a stand-in', run: runSqlBench },
  queue: { what: 'add, peek and settle of the queue stores alone', run: runQueueBench },
  parquet: { what: 'encoding of data files, beside hyparquet-writer and parquetjs', run: runParquetBench },
  'view-run': { what: 'NDJSON to Parquet by `view run`: rows per CPU second, memory, one and two threads', run: runViewRunBench },
  hostile: { what: 'hostile resources: ms each, and the delay of events of another destination meanwhile', run: runHostileBench },
  flatten: { what: 'views: µs per resource, compiled, by hand and with fhirpath.js', run: runFlattenBench },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: 'string', default: '20' },
    json: { type: 'boolean', default: false },
    store: { type: 'string' },
    target: { type: 'string' },
    batch: { type: 'string' },
  },
});
const bench = BENCHES[positionals[0] ?? ''];
const seconds = Number(values.seconds);
if (bench === undefined || !(seconds > 0)) {
  process.stderr.write(
    `usage: npm run bench -- NAME [--seconds N] [--json] [--store redis|postgres|embedded] [--target disk|minio] [--batch N]\n`,
  );
  for (const [name, { what }] of Object.entries(BENCHES)) process.stderr.write(`  ${name.padEnd(12)} ${what}\n`);
  process.exit(2);
}
const result = await bench.run({
  seconds,
  say: (text) => process.stderr.write(`${text}\n`),
  ...(values.store === undefined ? {} : { store: values.store }),
  ...(values.target === undefined ? {} : { target: values.target }),
  ...(values.batch === undefined ? {} : { batchSize: Number(values.batch) }),
});
for (const line of result.lines) process.stdout.write(`${line}\n`);
if (values.json) process.stdout.write(`${JSON.stringify({ bench: positionals[0], seconds, ...result.figures })}\n`);
process.exit(0);
