import { mkdir, mkdtemp, readdir, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { openLocalObjectStore } from '../../app/storage/local-object-store.ts';
import { wrapFileError } from '../../app/storage/local-files.ts';
import { bytes, listPaths, objectStoreSuite } from './object-store-suite.ts';

objectStoreSuite('a local directory', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'store-'));
  const root = join(directory, 'table');
  return {
    store: await openLocalObjectStore(root, 'file:///table'),
    other: await openLocalObjectStore(root, 'file:///table'),
    remove: () => rm(directory, { recursive: true }),
  };
});

describe('a local directory', () => {
  let directory: string;
  let root: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'store-'));
    root = join(directory, 'table');
  });
  afterEach(() => rm(directory, { recursive: true }));

  const open = () => openLocalObjectStore(root, 'file:///table');
  const notAllowed = expect.objectContaining({ code: 'STORAGE_PATH_NOT_ALLOWED' });

  it('leaves nothing unfinished behind, and shows nothing unfinished', async () => {
    const store = await open();
    await store.put('a', bytes('x'));
    await store.putIfAbsent('a', bytes('y'));
    const temp = (await readdir(root)).filter((name) => name !== 'a');
    expect(temp).toEqual([expect.stringMatching(/^\./)]);
    expect(await readdir(join(root, temp[0] as string))).toEqual([]);
    await writeFile(join(root, temp[0] as string, 'half'), 'ha');
    expect(await listPaths(store, '')).toEqual(['a']);
    await expect(store.read(`${temp[0]}/half`)).rejects.toEqual(notAllowed);
  });

  it('removes what a killed process left unfinished, once it is a day old', async () => {
    await (await open()).put('a', bytes('x'));
    const temp = join(root, '.lakehouse-tmp');
    await writeFile(join(temp, 'old'), 'x');
    await writeFile(join(temp, 'young'), 'x');
    await utimes(join(temp, 'old'), 0, Date.now() / 1000 - 2 * 24 * 60 * 60);
    await (await open()).put('b', bytes('x'));
    expect(await readdir(temp)).toEqual(['young']);
  });

  it('follows no symbolic link below its root, to a directory or to a file', async () => {
    await mkdir(join(directory, 'outside'));
    await writeFile(join(directory, 'outside', 'secret'), 'x');
    await mkdir(root);
    await symlink(join(directory, 'outside'), join(root, 'link'));
    await symlink(join(directory, 'not-there-yet'), join(root, 'dangling'));
    await symlink(join(directory, 'outside', 'secret'), join(root, 'file'));
    const store = await open();
    for (const path of ['link/secret', 'link/new', 'link/new/new', 'dangling/new']) {
      await expect(store.put(path, bytes('y'))).rejects.toEqual(notAllowed);
      await expect(store.putIfAbsent(path, bytes('y'))).rejects.toEqual(notAllowed);
      await expect(store.read(path)).rejects.toEqual(notAllowed);
      await expect(store.delete(path)).rejects.toEqual(notAllowed);
    }
    await expect(store.read('file')).rejects.toEqual(notAllowed);
    await expect(store.head('file')).rejects.toEqual(notAllowed);
    await expect(listPaths(store, '')).rejects.toEqual(notAllowed);
    await expect(listPaths(store, 'link/')).rejects.toEqual(notAllowed);
    expect(await readdir(join(directory, 'outside'))).toEqual(['secret']);
  });

  it('says that a file stands where a directory is needed', async () => {
    const store = await open();
    await store.put('a', bytes('x'));
    await expect(store.put('a/b', bytes('x'))).rejects.toEqual(notAllowed);
    await store.put('d/e', bytes('x'));
    await expect(store.put('d', bytes('x'))).rejects.toEqual(notAllowed);
  });

  it.each([
    ['ENOSPC', 'STORAGE_FULL'],
    ['EDQUOT', 'STORAGE_FULL'],
    ['EACCES', 'STORAGE_FORBIDDEN'],
    ['EROFS', 'STORAGE_FORBIDDEN'],
    ['EIO', 'STORAGE_UNAVAILABLE'],
    ['EMFILE', 'STORAGE_UNAVAILABLE'],
    ['ENAMETOOLONG', 'STORAGE_PATH_NOT_ALLOWED'],
  ])('turns %s of the file system into %s', (code, expected) => {
    const error = wrapFileError(Object.assign(new Error('text of the system'), { code }), 'write "a" in file:///table');
    expect(error.code).toBe(expected);
    expect(error.message).toContain('cannot write "a" in file:///table');
    expect(error.message).not.toContain('text of the system');
  });
});
