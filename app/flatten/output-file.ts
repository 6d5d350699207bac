import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { AppError } from '../errors/app-error.ts';
import { describeCause } from '../lib/describe-cause.ts';

/** Where the bytes of a run go. */
export interface Output {
  write(bytes: Uint8Array): Promise<void>;
  /** Everything is written: the output may be seen. */
  complete(): Promise<void>;
  /** Takes away what was written, as far as that is possible. */
  discard(): Promise<void>;
}

/**
 * A file that appears under its name when it is complete, never before: it is written beside it as `.NAME.….partial` and renamed.
 * @throws AppError OUTPUT_UNWRITABLE
 */
export async function openOutputFile(path: string): Promise<Output> {
  const partial = join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}.partial`);
  const attempt = async <T>(action: Promise<T>): Promise<T> =>
    action.catch((error: unknown) => {
      throw new AppError('OUTPUT_UNWRITABLE', `${path} cannot be written: ${describeCause(error)}`, { cause: error });
    });
  const file = await attempt(open(partial, 'wx'));
  return {
    write: async (bytes) => void (await attempt(file.writeFile(bytes))),
    complete: async () => {
      await attempt(file.sync());
      await file.close();
      await attempt(rename(partial, path));
    },
    discard: async () => {
      await file.close().catch(() => undefined);
      await rm(partial, { force: true });
    },
  };
}

/** Thrown when the reader of standard output has gone away: it has seen enough. */
export class ReaderGone extends Error {}

/** Standard output, no faster than its reader. @throws ReaderGone */
export function openStandardOutput(): Output {
  let isGone = false;
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    isGone = true;
    process.stdout.emit('drain');
  });
  return {
    write: async (bytes) => {
      if (!process.stdout.write(bytes) && !isGone) await once(process.stdout, 'drain');
      if (isGone) throw new ReaderGone();
    },
    complete: async () => undefined,
    discard: async () => undefined,
  };
}
