import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Availability } from '../../../../helpers/services/availability.ts';
import { CACHED, findOnPath, INSTALL, isComplete, pythonOf } from '../../../../helpers/services/cache.ts';
import type { Parameter } from '../engine.ts';

const SCRIPT = fileURLToPath(new URL('spark_sql.py', import.meta.url));
const CLOSE_TIMEOUT_MS = 10_000;

export type SparkRequest = { readonly text: string; readonly parameters?: readonly Parameter[] } | { readonly schemaOf: string };

export interface SparkAnswer {
  readonly columns?: readonly { readonly name: string; readonly type: string }[];
  readonly rows?: readonly (readonly unknown[])[];
  readonly schema?: unknown;
  readonly error?: { readonly class: string | null; readonly sqlState: string | null; readonly message: string };
}

/** Spark as a child process that answers one request after the other. */
export interface SparkProcess {
  ask(request: SparkRequest): Promise<SparkAnswer>;
  close(): Promise<void>;
}

/** Starts Spark with further settings; takes some seconds and about 1.3 GB. */
export type StartSparkSql = (configuration?: Readonly<Record<string, string>>) => Promise<SparkProcess>;

/** Cached environment only, as for the tests' reader. */
export function findSparkSql(): Availability<StartSparkSql> {
  const name = 'Spark';
  if (findOnPath('java') === undefined) return { name, enableBy: `install Java 17, then ${INSTALL}` };
  if (!isComplete(CACHED.spark) || !isComplete(CACHED.sparkJars)) return { name, enableBy: INSTALL };
  return { name, found: startSparkSql };
}

async function startSparkSql(configuration: Readonly<Record<string, string>> = {}): Promise<SparkProcess> {
  const jars = readdirSync(CACHED.sparkJars).filter((file) => file.endsWith('.jar'));
  const paths = jars.map((jar) => join(CACHED.sparkJars, jar));
  const child = spawn(pythonOf(CACHED.spark), ['-B', SCRIPT, JSON.stringify(configuration), ...paths], {
    // Spark resolves the machine's own name, which containers often lack.
    env: { ...process.env, SPARK_LOCAL_IP: '127.0.0.1', SPARK_LOCAL_HOSTNAME: 'localhost' },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors = (errors + text).slice(-4_000)));
  const killNow = (): void => void child.kill('SIGKILL');
  process.once('exit', killNow);
  child.stdin.on('error', () => undefined); // told by the end of the process

  const waiting = new Map<number, { resolve: (answer: SparkAnswer) => void; reject: (error: Error) => void }>();
  let last = 0;
  let end: Error | undefined;
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()).once('error', () => resolve()));
  const waitFor = (id: number): Promise<SparkAnswer> =>
    new Promise((resolve, reject) => (end === undefined ? waiting.set(id, { resolve, reject }) : reject(end)));
  createInterface({ input: child.stdout }).on('line', (text) => {
    const answer = JSON.parse(text) as SparkAnswer & { readonly id: number };
    waiting.get(answer.id)?.resolve(answer);
    waiting.delete(answer.id);
  });
  void gone.then(() => {
    end = new Error(`Spark ended: ${errors}`);
    for (const { reject } of waiting.values()) reject(end);
  });

  await waitFor(0);
  return {
    ask: (request) => {
      const id = ++last;
      const answer = waitFor(id);
      child.stdin.write(`${JSON.stringify({ id, ...request })}\n`);
      return answer;
    },
    close: async () => {
      child.stdin.end();
      const timer = setTimeout(killNow, CLOSE_TIMEOUT_MS);
      await gone;
      clearTimeout(timer);
      process.removeListener('exit', killNow);
    },
  };
}
