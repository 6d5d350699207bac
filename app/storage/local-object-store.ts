import { constants } from 'node:fs';
import { link, lstat, open, readdir, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError } from '../errors/app-error.ts';
import {
  errorCode,
  linkRefused,
  makeDirectory,
  realpathOfNearest,
  removeFile,
  sweepTempFiles,
  syncDirectory,
  undefinedWhenAbsent,
  wrapFileError,
  writeTempFile,
} from './local-files.ts';
import { checkObjectPath, compareBytes } from './object-path.ts';
import type { ListedObject, ObjectStore } from './object-store.ts';

/** Unfinished files live here, under the root so that they share its file system. Delta engines pass over names that begin with a dot. */
const TEMP_DIRECTORY = '.lakehouse-tmp';
/** How many files of a directory are looked at side by side while it is listed. */
const STAT_BATCH = 64;

/**
 * Objects as files under `root`, an absolute path that need not exist yet. Symbolic links below the root are refused, not followed.
 * A write is durable when it resolves: the file and its name are synced.
 *
 * @param address for people and logs, see ObjectStore
 */
export async function openLocalObjectStore(root: string, address: string): Promise<ObjectStore> {
  const realRoot = await realpathOfNearest(root).catch((error: unknown) => {
    throw wrapFileError(error, `open ${address}`);
  });
  const tempDirectory = join(realRoot, TEMP_DIRECTORY);
  let swept = false;

  /** File path of an object, after checking that neither its name nor a link leads out of the root. */
  async function locate(path: string): Promise<string> {
    checkObjectPath(path);
    if (path.startsWith(`${TEMP_DIRECTORY}/`)) {
      throw new AppError('STORAGE_PATH_NOT_ALLOWED', `"${path}" lies in the directory for unfinished files`);
    }
    const file = join(realRoot, path);
    await refuseLinks(dirname(file));
    return file;
  }

  async function refuseLinks(directory: string): Promise<void> {
    if ((await realpathOfNearest(directory)) !== directory) throw linkRefused(directory);
  }

  /** Hands `publish` a complete and synced file to be given its name, then makes the name durable. */
  async function publishFile<T>(path: string, body: Uint8Array, publish: (temp: string, file: string) => Promise<T>): Promise<T> {
    const file = await locate(path);
    await makeDirectory(dirname(file));
    await makeDirectory(tempDirectory);
    if (!swept) await sweepTempFiles(tempDirectory);
    swept = true;
    const temp = await writeTempFile(tempDirectory, body);
    try {
      const outcome = await publish(temp, file);
      await syncDirectory(dirname(file));
      return outcome;
    } finally {
      await removeFile(temp);
    }
  }

  async function* walk(directory: string, prefix: string, startAfter: string): AsyncGenerator<ListedObject> {
    const names = await readdir(join(realRoot, directory), { withFileTypes: true }).catch(undefinedWhenAbsent);
    // A directory sorts as its name with the slash that follows in the paths below it: "a-b" < "a/x" < "a0".
    const paths = (names ?? [])
      .map((entry) => directory + entry.name + (entry.isDirectory() ? '/' : ''))
      .filter((path) => path !== `${TEMP_DIRECTORY}/`)
      .filter((path) => path.startsWith(prefix) || (path.endsWith('/') && prefix.startsWith(path)))
      .filter((path) => compareBytes(path, startAfter) > 0 || (path.endsWith('/') && startAfter.startsWith(path)))
      .sort(compareBytes);
    for (let from = 0; from < paths.length; from += STAT_BATCH) {
      const slice = paths.slice(from, from + STAT_BATCH);
      const objects = await Promise.all(slice.map(async (path) => (path.endsWith('/') ? undefined : readListed(realRoot, path))));
      for (const [index, path] of slice.entries()) {
        const object = objects[index];
        if (path.endsWith('/')) yield* walk(path, prefix, startAfter);
        else if (object !== undefined) yield object;
      }
    }
  }

  async function guard<T>(verb: string, path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw wrapFileError(error, `${verb} "${path}" in ${address}`);
    }
  }

  return {
    address,
    read: (path) => guard('read', path, async () => readWhole(await locate(path))),
    head: (path) =>
      guard('look at', path, async () => {
        await locate(path);
        return readListed(realRoot, path);
      }),
    async *list(prefix, startAfter = '') {
      try {
        const directory = prefix.slice(0, prefix.lastIndexOf('/') + 1);
        if (directory !== '') checkObjectPath(directory.slice(0, -1));
        const isBelowFile = await refuseLinks(join(realRoot, directory.slice(0, -1))).then(
          () => false,
          (error: unknown) => {
            if (errorCode(error) !== 'ENOTDIR') throw error;
            return true;
          },
        );
        if (!isBelowFile) yield* walk(directory, prefix, startAfter);
      } catch (error) {
        throw wrapFileError(error, `list "${prefix}" in ${address}`);
      }
    },
    put: (path, body) => guard('write', path, () => publishFile(path, body, rename)),
    putIfAbsent: (path, body) => guard('create', path, () => publishFile(path, body, linkIfAbsent)),
    delete: (path) =>
      guard('delete', path, async () => {
        const file = await locate(path);
        const removed = await unlink(file).then(() => true, undefinedWhenAbsent);
        if (removed) await syncDirectory(dirname(file));
      }),
    close: async () => undefined,
  };
}

async function readWhole(file: string): Promise<Uint8Array | undefined> {
  const handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW).catch(undefinedWhenAbsent);
  try {
    return handle !== undefined && (await handle.stat()).isFile() ? await handle.readFile() : undefined;
  } finally {
    await handle?.close();
  }
}

async function readListed(realRoot: string, path: string): Promise<ListedObject | undefined> {
  const file = join(realRoot, path);
  const found = await lstat(file).catch(undefinedWhenAbsent);
  if (found?.isSymbolicLink()) throw linkRefused(file);
  return found?.isFile() ? { path, sizeBytes: found.size, modifiedAtMs: Math.trunc(found.mtimeMs) } : undefined;
}

/** `link()` is the one call that makes a complete file appear under a name that must be free; `rename()` would overwrite. */
async function linkIfAbsent(temp: string, file: string): Promise<'created' | 'exists'> {
  try {
    await link(temp, file);
    return 'created';
  } catch (error) {
    const code = errorCode(error);
    if (code === 'EEXIST') return 'exists';
    if (['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'].includes(code)) {
      throw new AppError('STORAGE_NOT_ATOMIC', `the file system of the table has no hard links (${code})`, { cause: error });
    }
    throw error;
  }
}
