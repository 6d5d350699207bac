import { spawn } from 'node:child_process';

/** A program that a test started. It never outlives the test process. */
export interface Child {
  readonly pid: number;
  /** The end of what it wrote to standard error and, when nobody else reads it, standard output. */
  output(): string;
  hasExited(): boolean;
  /** SIGTERM, and SIGKILL after five seconds; resolves when the process is gone. */
  stop(): Promise<void>;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
}

const OUTPUT_KEPT = 4_000;
const STOP_TIMEOUT_MS = 5_000;

/** Starts `program`; throws when it cannot be started. */
export async function startChild(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Child> {
  const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output = (output + text).slice(-OUTPUT_KEPT)));
  }
  const killNow = (): void => void child.kill('SIGKILL');
  process.once('exit', killNow);
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => {
      process.removeListener('exit', killNow);
      resolve();
    });
  });
  await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));

  const hasExited = (): boolean => child.exitCode !== null || child.signalCode !== null;
  return {
    pid: child.pid as number,
    output: () => output,
    hasExited,
    kill: async () => {
      killNow();
      await exited;
    },
    stop: async () => {
      if (hasExited()) return;
      child.kill('SIGTERM');
      const timer = setTimeout(killNow, STOP_TIMEOUT_MS);
      await exited;
      clearTimeout(timer);
    },
  };
}
