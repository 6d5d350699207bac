import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { BenchOptions, BenchResult } from './bench.ts';
import { makeObservations, makePatients, type DataFile } from './view-run-data.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PROGRAM = join(ROOT, 'dist', 'cli', 'view.js');
const PEER = fileURLToPath(new URL('./view-run-peer.ts', import.meta.url));
const OBSERVATIONS = 1_000_000;
const PATIENTS = 100_000;
/** parquetjs needs minutes for more. */
const PARQUETJS_LIMIT = 50_000;
const SAMPLE_MS = 20;
const MIB = 1 << 20;

/** Rows per CPU second of Pathling, warm, on Spark: NDJSON of Synthea to Parquet, views of eight and nine columns. */
const PATHLING = { Patient: 7_600, Observation: 59_700 } as const;

const column = (name: string, path: string, type: string): object => ({ name, path, type });
const VIEWS = {
  Patient: [
    column('id', 'getResourceKey()', 'string'),
    column('gender', 'gender', 'code'),
    column('birth_date', 'birthDate', 'date'),
    column('family', "name.where(use = 'official').first().family", 'string'),
    column('given', "name.where(use = 'official').first().given.first()", 'string'),
    column('city', 'address.first().city', 'string'),
    column('state', 'address.first().state', 'string'),
    column('postal_code', 'address.first().postalCode', 'string'),
  ],
  Observation: [
    column('id', 'getResourceKey()', 'string'),
    column('patient_id', 'subject.getReferenceKey(Patient)', 'string'),
    column('encounter_id', 'encounter.getReferenceKey(Encounter)', 'string'),
    column('status', 'status', 'code'),
    column('code', 'code.coding.first().code', 'code'),
    column('display', 'code.coding.first().display', 'string'),
    column('effective', 'effective.ofType(dateTime)', 'dateTime'),
    column('value', 'value.ofType(Quantity).value', 'decimal'),
    column('unit', 'value.ofType(Quantity).unit', 'string'),
  ],
} as const;

/** One run of a program in a process tree of its own. */
interface Run {
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
  /** Largest resident memory of the process, its threads included. */
  readonly peakMiB: number;
}

/**
 * `view run` to Parquet with one thread and with two, as it runs in the image (compiled), beside reading and parsing alone and beside parquetjs. CPU is
 * that of the whole process; "warm" leaves out what the same command takes for one resource, as Pathling's figures do.
 */
export async function runViewRunBench({ seconds, say }: BenchOptions): Promise<BenchResult> {
  say('compiling');
  await promisify(execFile)('npm', ['run', '--silent', 'build'], { cwd: ROOT });
  const directory = await mkdtemp(join(tmpdir(), 'lakehouse-view-run-out-'));
  const lines: string[] = [];
  const figures: Record<string, unknown> = {};
  try {
    for (const type of ['Observation', 'Patient'] as const) {
      say(`${type}: data`);
      const data = type === 'Patient' ? await makePatients(PATIENTS) : await makeObservations(OBSERVATIONS);
      const viewPath = join(directory, `${type}.json`);
      await writeFile(
        viewPath,
        JSON.stringify({
          resourceType: 'ViewDefinition',
          name: type,
          resource: type,
          status: 'active',
          select: [{ column: VIEWS[type] }],
        }),
      );
      const result = await measureType(type, viewPath, data, directory, seconds, say);
      lines.push(...result.lines);
      figures[type] = result.figures;
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
  return { lines, figures };
}

async function measureType(
  type: keyof typeof VIEWS,
  viewPath: string,
  data: DataFile,
  directory: string,
  seconds: number,
  say: (text: string) => void,
): Promise<BenchResult> {
  const output = join(directory, `${type}.parquet`);
  const onePath = join(directory, `${type}-one.ndjson`);
  await writeFile(onePath, await readFirstLine(data.path));
  const run = (path: string, threads: number): Promise<Run> =>
    runProgram([PROGRAM, 'run', viewPath, path, '--out', 'parquet', '--output', output, '--threads', String(threads)]);

  const byThreads = [];
  for (const threads of [1, 2]) {
    const startCpu = (await run(onePath, threads)).cpuSeconds;
    const runs: Run[] = [];
    for (const endAtMs = performance.now() + 1000 * seconds; runs.length === 0 || performance.now() < endAtMs;) {
      say(`${type}: ${threads} thread(s)`);
      runs.push(await run(data.path, threads));
    }
    const best = runs.reduce((a, b) => (b.cpuSeconds < a.cpuSeconds ? b : a));
    byThreads.push({
      threads,
      rowsPerCpuSecond: Math.round(data.resources / best.cpuSeconds),
      warmRowsPerCpuSecond: Math.round(data.resources / (best.cpuSeconds - startCpu)),
      rowsPerSecond: Math.round(data.resources / Math.min(...runs.map(({ wallSeconds }) => wallSeconds))),
      startCpuSeconds: startCpu,
      peakMiB: Math.max(...runs.map(({ peakMiB }) => peakMiB)),
      runs: runs.length,
    });
  }
  const bytesPerRow = (await stat(output)).size / data.resources;
  say(`${type}: floors`);
  const parse = await runPeer('parse', viewPath, data, data.resources, output);
  const parquetjs = await runPeer('parquetjs', viewPath, data, PARQUETJS_LIMIT, output);
  const [one, two] = byThreads;
  const warm = one?.warmRowsPerCpuSecond ?? Number.NaN;
  const speedup = (two?.rowsPerSecond ?? Number.NaN) / (one?.rowsPerSecond ?? Number.NaN);
  return {
    lines: [
      `${type}: ${data.resources} resources, ${VIEWS[type].length} columns, ${bytesPerRow.toFixed(1)} bytes of Parquet a row`,
      ...byThreads.map(
        (each) =>
          `  ${each.threads} thread(s)      ${each.rowsPerCpuSecond} rows per CPU-s (warm ${each.warmRowsPerCpuSecond}), ${each.rowsPerSecond} rows/s, ${each.peakMiB} MiB`,
      ),
      `  two by one     ${speedup.toFixed(2)} x rows/s`,
      `  read and parse ${parse} resources per CPU-s, no view and no output`,
      `  parquetjs      ${parquetjs} rows per CPU-s, same view`,
      `  Pathling       ${PATHLING[type]} rows per CPU-s, on its own machine: ${(warm / PATHLING[type]).toFixed(1)} x`,
    ],
    figures: {
      byThreads,
      speedup,
      bytesPerRow,
      parsePerCpuSecond: parse,
      parquetjsPerCpuSecond: parquetjs,
      toPathling: warm / PATHLING[type],
    },
  };
}

async function readFirstLine(path: string): Promise<Buffer> {
  const file = await open(path);
  const { buffer } = await file.read(Buffer.alloc(64 << 10), 0, 64 << 10, 0);
  await file.close();
  return buffer.subarray(0, buffer.indexOf(0x0a) + 1);
}

async function runProgram(args: readonly string[]): Promise<Run> {
  const [beforeCpu, beforeMs] = [await childCpuSeconds(), performance.now()];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  let peakMiB = 0;
  const sampler = setInterval(
    () => void peakResidentMiB(child.pid ?? 0).then((mib) => (peakMiB = Math.max(peakMiB, mib))),
    SAMPLE_MS,
  );
  const [code] = (await once(child, 'close')) as [number | null];
  clearInterval(sampler);
  if (code !== 0) throw new Error(`view run ended with ${code}: ${errors}`);
  return { cpuSeconds: (await childCpuSeconds()) - beforeCpu, wallSeconds: (performance.now() - beforeMs) / 1000, peakMiB };
}

/** Resources (or rows) per CPU second of a peer. */
async function runPeer(
  peer: 'parse' | 'parquetjs',
  viewPath: string,
  data: DataFile,
  limit: number,
  output: string,
): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    ...['--import', 'tsx', PEER, peer, viewPath, data.path, String(limit), output],
  ]);
  const { resources, cpuSeconds } = JSON.parse(stdout) as { resources: number; cpuSeconds: number };
  return Math.round(resources / cpuSeconds);
}

/** CPU seconds, user and system, of all children that ended, and of theirs (Linux). */
async function childCpuSeconds(): Promise<number> {
  const text = await readFile('/proc/self/stat', 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

/** Highest resident memory of a process so far (Linux). */
async function peakResidentMiB(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Math.round((Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) * 1024) / MIB);
}
