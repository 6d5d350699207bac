import { randomUUID } from 'node:crypto';
import { lstat, mkdir, open, readdir, realpath, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError } from '../errors/app-error.ts';
import { systemClock } from '../lib/clock.ts';
import { describeCause } from '../lib/describe-cause.ts';

/** What a killed process left among the unfinished files is removed once it is older than this. */
const STALE_TEMP_MS = 24 * 60 * 60 * 1000;

/** `path` without symbolic links; parts that do not exist yet are kept as they are. */
export async function realpathOfNearest(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const parent = dirname(path);
    if (errorCode(error) !== 'ENOENT' || parent === path) throw error;
    // A dangling link looks absent to realpath, yet a write would go through it.
    if ((await lstat(path).catch(undefinedWhenAbsent))?.isSymbolicLink()) throw linkRefused(path);
    return join(await realpathOfNearest(parent), path.slice(parent.length));
  }
}

/** Creates `directory` and its parents, all of them durable when it resolves. */
export async function makeDirectory(directory: string): Promise<void> {
  const first = await mkdir(directory, { recursive: true });
  if (first === undefined) return;
  for (let at = directory; at.length >= dirname(first).length; at = dirname(at)) {
    await syncDirectory(at);
    if (at === dirname(at)) return;
  }
}

/** Makes the names in `directory` survive a power cut. Windows has no such call. */
export async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Writes `body` to a new file in `directory`, synced; returns its path. The file is gone when it throws. */
export async function writeTempFile(directory: string, body: Uint8Array): Promise<string> {
  const path = join(directory, randomUUID());
  const handle = await open(path, 'wx');
  try {
    await handle.writeFile(body);
    await handle.sync();
  } catch (error) {
    await removeFile(path);
    throw error;
  } finally {
    await handle.close();
  }
  return path;
}

/** Removes unfinished files of processes that died long ago. Best effort: it only frees space. */
export async function sweepTempFiles(directory: string): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    const path = join(directory, name);
    const found = await lstat(path).catch(() => undefined);
    if (found !== undefined && systemClock.now() - found.mtimeMs > STALE_TEMP_MS) await removeFile(path);
  }
}

/** Removes a file that nobody needs; failure does no harm. */
export async function removeFile(path: string): Promise<void> {
  await unlink(path).catch(() => undefined);
}

/** For `.catch`: no such file is no error. */
export function undefinedWhenAbsent(error: unknown): undefined {
  if (errorCode(error) !== 'ENOENT' && errorCode(error) !== 'ENOTDIR') throw error;
}

export function errorCode(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : '';
}

export function linkRefused(path: string): AppError {
  return new AppError('STORAGE_PATH_NOT_ALLOWED', `${path} is a symbolic link; tables are reached without links`);
}

/** An error of the file system in the words of the catalogue. `action` continues "cannot …". */
export function wrapFileError(error: unknown, action: string): AppError {
  if (error instanceof AppError) return error;
  const code = errorCode(error);
  const fail = (kind: AppError['code'], found: string): AppError =>
    new AppError(kind, `cannot ${action}: ${found}`, { facts: { cause: describeCause(error) }, cause: error });
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return fail('STORAGE_FULL', 'no space left');
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return fail('STORAGE_FORBIDDEN', `the user of this process lacks the right (${code})`);
    case 'ELOOP':
      return fail('STORAGE_PATH_NOT_ALLOWED', 'it is a symbolic link');
    case 'EEXIST':
    case 'EISDIR':
    case 'ENOTDIR':
    case 'ENAMETOOLONG':
      return fail('STORAGE_PATH_NOT_ALLOWED', `a file and a directory are in each other's way, or a name is too long (${code})`);
    default:
      return fail('STORAGE_UNAVAILABLE', `the file system answered ${code || 'with an unknown error'}`);
  }
}
