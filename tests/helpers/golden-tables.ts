import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ARCHIVE = fileURLToPath(new URL('../../../shared/conformance/delta-golden-tables.tar.gz', import.meta.url));

/** Why the tests on golden tables cannot run, as part of the name of a skipped test; undefined when they can. */
export const goldenTablesMissing = existsSync(ARCHIVE)
  ? undefined
  : 'skipped: ../shared/conformance/delta-golden-tables.tar.gz is missing';

export interface GoldenTables {
  /** Names of all tables, relative to the directory, sorted. */
  readonly names: readonly string[];
  pathOf(name: string): string;
  remove(): void;
}

/** Unpacks the tables that Spark wrote into a directory of their own. */
export function unpackGoldenTables(): GoldenTables {
  const root = mkdtempSync(join(tmpdir(), 'delta-golden-'));
  execFileSync('tar', ['xzf', ARCHIVE, '-C', root]);
  return {
    names: findTables(root, '').sort(),
    pathOf: (name) => join(root, name),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** A table has a log, or, for some that are broken on purpose, files only. */
function findTables(root: string, name: string): string[] {
  const entries = readdirSync(join(root, name), { withFileTypes: true });
  if (entries.some((entry) => entry.name === '_delta_log') || entries.every((entry) => entry.isFile())) return [name];
  return entries.filter((entry) => entry.isDirectory()).flatMap((entry) => findTables(root, join(name, entry.name)));
}
