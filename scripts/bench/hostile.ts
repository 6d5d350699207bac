import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeSlowLane } from '../../app/slow-lane/slow-lane.ts';
import { startLaneDestination, type LaneDestination } from '../../tests/helpers/lane-destination.ts';
import { quantile, type BenchOptions, type BenchResult } from './bench.ts';

/** Another destination gets an event this often. */
const EVERY_MS = 20;
const LIMIT_MS = 10_000;

interface Case {
  readonly title: string;
  readonly select: object;
  readonly body: string;
}

const idColumn = { column: [{ name: 'id', path: 'id' }] };
const names = {
  forEach: 'name',
  column: [
    { name: 'family', path: 'family' },
    { name: 'use', path: 'use' },
  ],
};
const column = (path: string): object => ({ column: [{ name: 'x', path }] });

function patients(count: number, rest = ''): string {
  const name = Array.from({ length: count }, (_, n) => `{"use":"official","family":"Family${n}","given":["Given${n}"]}`).join();
  return bundle(`{"resourceType":"Patient","id":"hostile","meta":{"versionId":"1"},"name":[${name}]${rest}}`);
}
const bundle = (resource: string): string => `{"resourceType":"Bundle","entry":[{"resource":${resource}}]}`;
const extended = (levels: number): string => `${'{"url":"u","extension":['.repeat(levels)}{"url":"u"}${']}'.repeat(levels)}`;

const CASES: readonly Case[] = [
  { title: 'JSON: 5 MB of empty lists', select: column('gender'), body: patients(1, `,"x":[${'[],'.repeat(1_700_000)}[]]`) },
  {
    title: 'JSON: 2,500,000 lists in each other',
    select: column('gender'),
    body: patients(1, `,"x":${'['.repeat(2_500_000)}${']'.repeat(2_500_000)}`),
  },
  {
    title: 'JSON: 5 MB of decimals, digits kept',
    select: { column: [{ name: 'x', path: 'multipleBirth.ofType(integer).lowBoundary()' }] },
    body: patients(1, `,"x":[${'1.0,'.repeat(1_200_000)}1.0]`),
  },
  {
    title: '10,000 levels of extensions',
    select: column("extension.extension('u').url"),
    body: patients(1, `,"extension":[${extended(10_000)}]`),
  },
  { title: '5 MB, 100,000 rows, compiled', select: names, body: patients(99_999) },
  {
    title: '5 MB, 100,000 rows, one expression interpreted',
    select: { forEach: 'name', column: [{ name: 'x', path: "family.replace('a', 'b')" }] },
    body: patients(99_999),
  },
  {
    title: '5 MB, 100,000 rows, interpreted as a whole',
    select: names,
    body: patients(99_998, ',"gender":["x"]').replace('"name":[', '"name":[null,'),
  },
  {
    title: '20 KB, 90,000 rows by a product',
    select: { select: [names, { forEach: 'name', column: [{ name: 'g', path: 'given.first()' }] }] },
    body: patients(300),
  },
  { title: '2,000 items compared with each other', select: column('name.family.distinct().count()'), body: patients(2_000) },
  { title: '5 MB that fails, kept in quarantine', select: column('name.family'), body: patients(99_999) },
  {
    title: 'regular expression on 10,000 characters',
    select: column("name.first().family.matches('^a*b$')"),
    body: patients(1).replace('Family0', 'a'.repeat(9_999)),
  },
];

/** What a hostile resource costs, and how long an event of another destination of the process waits for its commit meanwhile. */
export async function runHostileBench({ say }: BenchOptions): Promise<BenchResult> {
  const lane = makeSlowLane(LIMIT_MS);
  const other = await startLaneDestination('other', aView('other', names), lane);
  await measureOther(other, sleep(2_000)); // warm
  const quiet = await measureOther(other, sleep(2_000));
  const lines = [
    `${'no hostile resource'.padEnd(48)}        – ms   other: p95 ${format(quantile(quiet.delays, 0.95))}, largest ${format(quiet.delays.at(-1))} ms`,
  ];
  const figures: Record<string, unknown> = { quiet: quiet.delays.at(-1) };
  let worst = 0;
  for (const { title, select, body } of CASES) {
    say(title);
    const destination = await startLaneDestination('hostile', aView('hostile', select), lane);
    for (const round of ['first', 'second'] as const) {
      const beganAtMs = performance.now();
      let ms = 0;
      const run = (async () => {
        await destination.sendBody(Buffer.from(body.replace('"versionId":"1"', `"versionId":"${round}"`)));
        while (destination.queue.jobs.length > 0) await sleep(1);
        ms = performance.now() - beganAtMs;
      })();
      const { delays, stall } = await measureOther(other, run);
      const largest = delays.at(-1) ?? 0;
      worst = Math.max(worst, largest);
      const codes = [...destination.queue.quarantine.values()].map(({ code }) => code);
      lines.push(
        `${title.padEnd(48)} ${format(ms).padStart(8)} ms   other: p95 ${format(quantile(delays, 0.95))}, largest ${format(largest)} ms; longest stall ${format(stall)} ms ${codes.length > 0 ? codes[0] : ''}`,
      );
      figures[`${title} (${round})`] = { ms, largest, stall };
    }
    await destination.stop();
  }
  lines.push(`largest delay of another destination's event: ${format(worst)} ms`);
  await other.stop();
  await lane.close();
  return { lines, figures: { ...figures, worst } };
}

const aView = (name: string, select: object): object => ({
  resourceType: 'ViewDefinition',
  name,
  status: 'active',
  resource: 'Patient',
  select: [idColumn, select],
});
const format = (ms: number | undefined): string => (ms ?? Number.NaN).toFixed(0);

/** Milliseconds from the arrival of each event of `other` to the end of its job, sorted, until `over`; and the longest stall of the event loop. */
async function measureOther(other: LaneDestination, over: Promise<void>): Promise<{ delays: number[]; stall: number }> {
  const delays: number[] = [];
  const sent = new Set<string>();
  let isOver = false;
  void over.finally(() => (isOver = true));
  const histogram = monitorEventLoopDelay({ resolution: 5 });
  histogram.enable();
  const watches: Promise<void>[] = [];
  // Sent by the clock, as Aidbox would: an event that should have come during a stall counts from then.
  for (let dueAtMs = performance.now(); !isOver; dueAtMs += EVERY_MS) {
    await sleep(Math.max(0, dueAtMs - performance.now()));
    const from = dueAtMs;
    await other.send({ resourceType: 'Patient', id: `p${sent.size}`, name: [{ family: 'x' }] });
    const id = other.queue.jobs.at(-1)?.id ?? '';
    sent.add(id);
    watches.push(
      (async () => {
        while (other.queue.jobs.some((job) => job.id === id)) await sleep(1);
        delays.push(performance.now() - from);
      })(),
    );
  }
  await Promise.all(watches);
  histogram.disable();
  await over;
  return { delays: delays.sort((a, b) => a - b), stall: histogram.max / 1e6 };
}
