import { mkdir, mkdtemp, readdir, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { isAppError } from '../../../app/errors/app-error.ts';
import { openObjectStore } from '../../../app/storage/open-object-store.ts';
import type { TableLocation } from '../../../app/storage/table-location.ts';

let directory: string;
let localRoot: string;

beforeEach(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), 'open-')));
  localRoot = join(directory, 'tables');
});
afterEach(() => rm(directory, { recursive: true }));

const open = (location: TableLocation) => openObjectStore(location, { localRoot });

async function refusal(location: TableLocation): Promise<{ code: string; message: string }> {
  const error = await open(location).then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (!isAppError(error)) throw new Error('an AppError was expected', { cause: error });
  return error;
}

describe('a file:// table path', () => {
  it('opens a directory below the local root, neither of which need exist', async () => {
    const store = await open({ tablePath: `file://${localRoot}/a/b c/` });
    expect(store.address).toBe(`file://${localRoot}/a/b c`);
    await store.put('x', new Uint8Array([1]));
    expect(await readdir(join(localRoot, 'a', 'b c'))).toContain('x');
  });

  it('works where the local root itself is reached through a link', async () => {
    await mkdir(join(directory, 'real'));
    await symlink(join(directory, 'real'), localRoot);
    const store = await open({ tablePath: `file://${localRoot}/t` });
    await store.put('x', new Uint8Array([1]));
    expect(await readdir(join(directory, 'real', 't'))).toContain('x');
  });

  it.each([
    ['outside the local root', (root: string) => join(root, '..', 'other')],
    ['that only shares the beginning of its name', (root: string) => `${root}-2/t`],
    ['that is the local root itself', (root: string) => root],
    ['of the system', () => '/etc'],
  ])('refuses a directory %s', async (_, path) => {
    expect((await refusal({ tablePath: `file://${path(localRoot)}` })).code).toBe('STORAGE_PATH_NOT_ALLOWED');
  });

  it('refuses a link below the local root that leads out of it, existing or not', async () => {
    await mkdir(localRoot);
    await mkdir(join(directory, 'outside'));
    await symlink(join(directory, 'outside'), join(localRoot, 'link'));
    await symlink(join(directory, 'nowhere'), join(localRoot, 'dangling'));
    for (const path of ['link', 'link/t', 'link/t/u', 'dangling', 'dangling/t']) {
      expect((await refusal({ tablePath: `file://${localRoot}/${path}` })).code).toBe('STORAGE_PATH_NOT_ALLOWED');
    }
  });
});

describe('a table path', () => {
  it.each(['gs://bucket/t', 'abfss://c@a.dfs.core.windows.net/t'])(
    '%s is known, but not in this build yet',
    async (tablePath) => {
      expect(await refusal({ tablePath })).toMatchObject({
        code: 'STORAGE_SCHEME_UNSUPPORTED',
        message: expect.stringContaining('not in this build yet'),
      });
    },
  );

  it.each(['s3a://bucket/t', 'http://host/t', 'dbfs://x/t'])('%s has a scheme that is not taken', async (tablePath) => {
    expect((await refusal({ tablePath })).code).toBe('STORAGE_SCHEME_UNSUPPORTED');
  });

  it.each([
    '',
    'tables/patients',
    '/tables/patients',
    's3:bucket/t',
    's3://',
    's3:///t',
    's3://b/t',
    's3://bucket/a%20b',
    's3://bucket/a?b',
    's3://bucket/a//b',
    's3://bucket/../t',
    's3://bucket/a\nb',
    'file://host/t',
    'file://',
    'file:///',
  ])('%j is malformed', async (tablePath) => {
    expect((await refusal({ tablePath })).code).toBe('STORAGE_ADDRESS_INVALID');
  });

  it.each<TableLocation>([
    { tablePath: 's3://CANARY:CANARY@bucket/t' },
    { tablePath: 'CANARY' },
    { tablePath: 's3://bucket/t?key=CANARY' },
    { tablePath: 's3://bucket/t', s3Endpoint: 'http://CANARY:CANARY@host:9000' },
    { tablePath: 's3://bucket/t', s3Endpoint: 'http://host:9000/?key=CANARY' },
    { tablePath: 's3://bucket/t', s3Endpoint: 'CANARY' },
    { tablePath: 's3://bucket/t', accessKeyId: 'CANARY' },
    { tablePath: 's3://bucket/t', secretAccessKey: 'CANARY' },
  ])('with a key in the wrong place is refused without repeating it: %#', async (location) => {
    const error = await refusal(location);
    expect(error.code).toBe('STORAGE_ADDRESS_INVALID');
    expect(error.message).not.toContain('CANARY');
  });

  it('of S3 gives a store with an address that holds no key', async () => {
    const store = await open({
      tablePath: 's3://bucket/a/b/',
      awsRegion: 'eu-central-1',
      accessKeyId: 'CANARY',
      secretAccessKey: 'CANARY',
    });
    expect(store.address).toBe('s3://bucket/a/b');
    await store.close();
  });

  it('is taken as it stands: a URL made by the system of a path with a space is refused, the path itself is not', async () => {
    const path = join(localRoot, 'a b');
    expect((await refusal({ tablePath: pathToFileURL(path).href })).code).toBe('STORAGE_ADDRESS_INVALID');
    await expect(open({ tablePath: `file://${path}` })).resolves.toBeDefined();
  });
});
