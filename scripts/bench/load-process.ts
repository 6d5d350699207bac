import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const LOAD = fileURLToPath(new URL('./load.ts', import.meta.url));

export interface LoadResult {
  /** Events. */
  readonly accepted: number;
  readonly notifications: number;
  readonly refused: number;
  readonly bytes: number;
  readonly seconds: number;
  readonly p50: number;
  readonly p95: number;
}

/** Runs the load generator as a second process. */
export function runLoad(task: Readonly<Record<string, unknown>>): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import', 'tsx', LOAD, JSON.stringify(task)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.once('exit', (status) =>
      status === 0
        ? resolve(JSON.parse(output) as LoadResult)
        : reject(new Error(`the load generator ended with status ${status}`)),
    );
  });
}
