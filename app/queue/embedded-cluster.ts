import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, lstat, mkdir, mkdtemp, readFile, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { AppError } from '../errors/app-error.ts';
import { type Account, canEnter } from './embedded-account.ts';
import type { Binaries } from './embedded-binaries.ts';

/** Data directory of one server, made and owned by the account that runs it. */
export interface Cluster {
  /** Real path. */
  readonly dir: string;
  readonly password: string;
}

export const SUPERUSER = 'lakehouse';
/** Where an account that cannot enter the data directory has its things. */
export const SHARED_DIR = '/var/lib/aidbox-data-lakehouse';
const PASSWORD_FILE = 'lakehouse-password';

/**
 * Finds or makes the cluster of `dataDir`: `<dataDir>/cluster`, or a link of that name to one under /var/lib when `account` cannot
 * enter `dataDir`. It appears under its name only when it is complete, so two processes may do this at once.
 * @throws AppError QUEUE_EMBEDDED_FAILED
 */
export async function prepareCluster(dataDir: string, binaries: Binaries, account: Account | undefined): Promise<Cluster> {
  const link = join(dataDir, 'cluster');
  try {
    await mkdir(dataDir, { recursive: true, mode: account === undefined ? 0o700 : 0o755 });
    if ((await findEntry(link)) === undefined) await makeCluster(link, binaries, account);
    const dir = await realpath(link);
    const major = Number.parseInt(await readFile(join(dir, 'PG_VERSION'), 'utf8'), 10);
    if (major !== binaries.major) {
      throw new AppError(
        'QUEUE_EMBEDDED_FAILED',
        `${link} is of PostgreSQL ${major}, this build brings ${binaries.major}: migrate it with pg_upgrade`,
      );
    }
    return { dir, password: (await readFile(join(dir, PASSWORD_FILE), 'utf8')).trim() };
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    throw new AppError('QUEUE_EMBEDDED_FAILED', `cannot prepare the database in ${link} (${code ?? 'error'})`, { cause });
  }
}

async function makeCluster(link: string, binaries: Binaries, account: Account | undefined): Promise<void> {
  const isNear = account === undefined || canEnter(dirname(link), account);
  if (!isNear) await mkdir(SHARED_DIR, { recursive: true, mode: 0o755 });
  const place = isNear ? dirname(link) : await mkdtemp(join(SHARED_DIR, 'data-'));
  if (!isNear && account !== undefined) await chown(place, account.uid, account.gid);

  const draft = join(place, `cluster.${randomBytes(4).toString('hex')}`);
  try {
    await mkdir(draft, { mode: 0o700 });
    if (account !== undefined) await chown(draft, account.uid, account.gid);
    await initialise(draft, binaries, account);
    if (isNear) await rename(draft, link);
    else {
      await rename(draft, join(place, 'cluster'));
      await symlink(join(place, 'cluster'), link);
    }
  } catch (error) {
    await rm(isNear ? draft : place, { recursive: true, force: true });
    if ((await findEntry(link)) === undefined) throw error; // else another process was quicker
  }
}

async function initialise(dir: string, binaries: Binaries, account: Account | undefined): Promise<void> {
  const password = randomBytes(24).toString('base64url');
  const scratch = await mkdtemp(join(tmpdir(), 'lakehouse-'));
  const passwordFile = join(scratch, 'password');
  try {
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
    if (account !== undefined) for (const path of [scratch, passwordFile]) await chown(path, account.uid, account.gid);
    await run(
      binaries.initdb,
      [
        `--pgdata=${dir}`,
        `--username=${SUPERUSER}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        '--locale=C',
        '--no-instructions',
      ],
      account,
    );
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  await writeFile(join(dir, PASSWORD_FILE), password, { mode: 0o600 });
  if (account !== undefined) await chown(join(dir, PASSWORD_FILE), account.uid, account.gid);
}

function run(program: string, args: readonly string[], account: Account | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    // Our environment stays with us: it holds secrets.
    const child = spawn(program, args, { ...account, cwd: '/', env: { LC_ALL: 'C' }, stdio: ['ignore', 'ignore', 'pipe'] });
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (complaint = (complaint + text).slice(-500)));
    child.on('error', reject);
    child.on('close', (status) => {
      if (status === 0) resolve();
      else reject(new AppError('QUEUE_EMBEDDED_FAILED', `initdb ended with status ${status}: ${complaint.trim()}`));
    });
  });
}

async function findEntry(path: string): Promise<unknown> {
  return lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}
