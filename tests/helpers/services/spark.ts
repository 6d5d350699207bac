import { spawn, type ChildProcess } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Availability } from './availability.ts';
import { CACHED, findOnPath, INSTALL, isComplete, pythonOf } from './cache.ts';
import { parseRows, type DeltaReader, type DeltaRow } from './delta-reader.ts';

const SCRIPT = fileURLToPath(new URL('../python/spark_reader.py', import.meta.url));

interface Answer {
  readonly ready?: boolean;
  readonly id?: number;
  readonly rows?: number;
  readonly error?: string;
}

/** Spark also runs statements; their tables without a location are gone when it is closed. */
export interface Spark extends DeltaReader {
  /** @param parameters values of `:name`, all of them texts. @throws Error with the text of Spark's error */
  runSql(sql: string, parameters?: Readonly<Record<string, string>>): Promise<DeltaRow[]>;
}

/** Starts Spark; takes some seconds, so once per test file. */
export type StartSpark = () => Promise<Spark>;

/** Cached environment only: which versions of Spark, Delta and Hadoop go together is not left to what a machine happens to have. */
export async function findSpark(): Promise<Availability<StartSpark>> {
  const name = 'Spark';
  if (findOnPath('java') === undefined) return { name, enableBy: `install Java 17, then ${INSTALL}` };
  if (!isComplete(CACHED.spark) || !isComplete(CACHED.sparkJars)) return { name, enableBy: INSTALL };
  return { name, found: startSpark };
}

async function startSpark(): Promise<Spark> {
  const directory = await mkdtemp(join(tmpdir(), 'spark-rows-'));
  const jars = readdirSync(CACHED.sparkJars).filter((file) => file.endsWith('.jar'));
  const child = spawn(pythonOf(CACHED.spark), ['-B', SCRIPT, ...jars.map((jar) => join(CACHED.sparkJars, jar))], {
    // Spark resolves the machine's own name, which containers often lack.
    env: { ...process.env, SPARK_LOCAL_IP: '127.0.0.1', SPARK_LOCAL_HOSTNAME: 'localhost' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-4_000)));
  const killNow = (): void => void child.kill('SIGKILL');
  process.once('exit', killNow);
  let ended = false;
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()).once('error', () => resolve()));
  child.stdin.on('error', () => undefined);

  const waiting = new Map<number, (answer: Answer) => void>();
  let lastId = 0;
  const describeEnd = (): Answer => ({ error: `Spark ended: ${errors}` });
  const waitFor = (id: number): Promise<Answer> =>
    new Promise((resolve) => (ended ? resolve(describeEnd()) : waiting.set(id, resolve)));
  createInterface({ input: child.stdout }).on('line', (text) => {
    const answer = JSON.parse(text) as Answer;
    waiting.get(answer.id ?? 0)?.(answer);
    waiting.delete(answer.id ?? 0);
  });
  void gone.then(() => {
    ended = true;
    for (const resolve of waiting.values()) resolve(describeEnd());
  });

  const started = await waitFor(0);
  if (started.error !== undefined) throw new Error(started.error);
  const ask = async (request: object): Promise<DeltaRow[]> => {
    lastId += 1;
    const id = lastId;
    const output = join(directory, `${id}.jsonl`);
    const answer = waitFor(id);
    send(child, { ...request, id, output });
    const { error } = await answer;
    if (error !== undefined) throw new Error(error);
    const rows = parseRows(await readFile(output, 'utf8'));
    await rm(output);
    return rows;
  };
  return {
    name: 'Spark',
    readDeltaRows: ({ tablePath, s3Endpoint: endpoint, accessKeyId, secretAccessKey }, { version } = {}) =>
      ask({ address: tablePath, version, s3: { endpoint, accessKeyId, secretAccessKey } }).catch((error: unknown) => {
        throw new Error(`Spark cannot read ${tablePath}: ${(error as Error).message}`);
      }),
    runSql: (sql, parameters = {}) => ask({ sql, parameters }),
    close: async () => {
      child.stdin.end();
      const timer = setTimeout(killNow, 10_000);
      await gone;
      clearTimeout(timer);
      process.removeListener('exit', killNow);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function send(child: ChildProcess, request: object): void {
  child.stdin?.write(`${JSON.stringify(request)}\n`);
}
