import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

interface LockEntry {
  readonly version?: string;
  readonly resolved?: string;
  readonly hasInstallScript?: boolean;
  readonly funding?: unknown;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const { packages } = readJson('package-lock.json') as { packages: Readonly<Record<string, LockEntry>> };
const manifest = readJson('package.json') as LockEntry & { allowScripts: Readonly<Record<string, boolean>> };

function readJson(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8'));
}

/** Where Node would find `name` from the package at `from`. */
function resolvePackage(from: string, name: string): string | undefined {
  for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('node_modules/') - 1))) {
    const path = `${at === '' ? '' : `${at}/`}node_modules/${name}`;
    if (packages[path] !== undefined) return path;
    if (at === '') return undefined;
  }
}

describe('package-lock.json', () => {
  it('asks for what package.json asks for', () => {
    const root = packages[''];
    expect(root?.dependencies).toEqual(manifest.dependencies);
    expect(root?.devDependencies).toEqual(manifest.devDependencies);
  });

  // A registry that lacks some platforms gives a lock without them, which `npm ci` then refuses on every machine.
  it('has an entry for every optional package, of all platforms', () => {
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).flatMap((name) =>
        resolvePackage(path, name) === undefined ? [`${path} → ${name}`] : [],
      ),
    );
    expect(missing).toEqual([]);
  });

  it('names no registry', () => {
    const hosts = Object.entries(packages).flatMap(([path, { funding: _, ...entry }]) =>
      entry.resolved !== undefined || /:\/\//.test(JSON.stringify(entry)) ? [path] : [],
    );
    expect(hosts).toEqual([]);
  });

  it('holds no install script that package.json neither allows nor declines', () => {
    const withScript = Object.entries(packages).flatMap(([path, entry]) =>
      entry.hasInstallScript === true ? [path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)] : [],
    );
    expect([...new Set(withScript)].sort()).toEqual(Object.keys(manifest.allowScripts).sort());
  });
});
