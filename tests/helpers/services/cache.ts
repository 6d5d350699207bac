import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

/** The command that fills the cache. */
export const INSTALL = 'npm run services:install';

/** Where parts that the tests use are kept between runs and between checkouts: programs, Python environments, Java archives. */
export const CACHE = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'aidbox-data-lakehouse');

export const CACHED = {
  minio: join(CACHE, 'bin', 'minio'),
  /** Python environment with deltalake and pyarrow. */
  deltaRs: join(CACHE, 'python'),
  /** Python environment with pyspark. */
  spark: join(CACHE, 'spark-4.0.1'),
  /** What Spark needs for Delta tables, on S3 too. */
  sparkJars: join(CACHE, 'spark-jars-4.0.0'),
} as const;

/** Directories of the cache appear under their names when they are complete. */
export function isComplete(directory: string): boolean {
  return existsSync(directory);
}

export function pythonOf(environment: string): string {
  return process.platform === 'win32' ? join(environment, 'Scripts', 'python.exe') : join(environment, 'bin', 'python');
}

/** Full path of a program on PATH, in the cache, or where Debian keeps the server programs of PostgreSQL; or undefined. */
export function findOnPath(program: string): string | undefined {
  const directories = (process.env['PATH'] ?? '').split(delimiter).filter((directory) => directory !== '');
  return [...directories, join(CACHE, 'bin'), ...listPostgresDirectories()]
    .map((directory) => join(directory, program))
    .find(isExecutable);
}

/** Newest version first. */
function listPostgresDirectories(): string[] {
  const root = '/usr/lib/postgresql';
  if (!existsSync(root)) return [];
  const versions = readdirSync(root).sort((a, b) => Number(b) - Number(a));
  return versions.map((version) => join(root, version, 'bin'));
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** True when the Python program exists and can import all of `modules`. */
export async function canImport(python: string, ...modules: string[]): Promise<boolean> {
  if (!isExecutable(python)) return false;
  return promisify(execFile)(python, ['-c', `import ${modules.join(', ')}`], { timeout: 60_000 }).then(
    () => true,
    () => false,
  );
}
