import { spawn, type ChildProcess } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';

const MAIN = fileURLToPath(new URL('../../app/main.ts', import.meta.url));

/** The service as a process of its own, as it runs in production. */
export interface AppProcess {
  readonly url: string;
  readonly pid: number;
  /** Ends it gracefully. */
  stop(): Promise<void>;
}

export interface AppProcessOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
  /** Longest wait until `/ready` answers 200. */
  readonly timeoutMs?: number;
}

/** Starts `app/main.ts` and waits until it is ready. @throws when it ends or is not ready in time; the log file tells why */
export async function startAppProcess({ env, logFile, timeoutMs = 60_000 }: AppProcessOptions): Promise<AppProcess> {
  const port = env['PORT'] ?? String(await freePort());
  const log = createWriteStream(logFile, { flags: 'a' });
  const child = spawn(process.execPath, ['--import', 'tsx', MAIN], {
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env, PORT: port },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout.pipe(log);
  child.stderr.pipe(log);
  const url = `http://127.0.0.1:${port}`;
  const deadline = performance.now() + timeoutMs;
  while (!(await isReady(url))) {
    if (child.exitCode !== null) throw new Error(`the service ended with status ${child.exitCode}; see ${logFile}`);
    if (performance.now() > deadline) {
      child.kill('SIGKILL');
      throw new Error(`the service was not ready after ${timeoutMs} ms; see ${logFile}`);
    }
    await pause(100);
  }
  return { url, pid: child.pid!, stop: () => stopChild(child) };
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/ready`)).ok;
  } catch {
    return false;
  }
}

function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
  });
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
