import { spawn } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';

/** A checkout of two packages, and an npm that writes down how it was called and leaves the record that npm leaves. */
const LOCK = {
  packages: {
    '': {},
    'node_modules/used': { version: '1.0.0' },
    'node_modules/tool': { version: '2.0.0', dev: true },
    'node_modules/native-elsewhere': { version: '3.0.0', optional: true },
  },
};
const FAKE_NPM = `
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
const args = process.argv.slice(2);
appendFileSync('calls.txt', args.join(' ') + '\\n');
if (process.env.FAKE_NPM_FAILS) process.exit(7);
const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const kept = Object.entries(packages).filter(([path, entry]) => path && !entry.optional && !(entry.dev && args.includes('--omit=dev')));
mkdirSync('node_modules', { recursive: true });
writeFileSync('node_modules/.package-lock.json', JSON.stringify({ packages: Object.fromEntries(kept) }));
`;

describe('scripts/setup.mjs', () => {
  let checkout: string;

  beforeEach(async () => {
    checkout = await mkdtemp(join(tmpdir(), 'setup-'));
    await mkdir(join(checkout, 'scripts'));
    await copyFile(fileURLToPath(new URL('../../scripts/setup.mjs', import.meta.url)), join(checkout, 'scripts', 'setup.mjs'));
    await writeFile(join(checkout, 'package-lock.json'), JSON.stringify(LOCK));
    await writeFile(join(checkout, 'npm.mjs'), FAKE_NPM);
    // npm tells its scripts where it is; only a name that ends in .js is taken for it.
    await writeFile(join(checkout, 'npm-cli.js'), `import(${JSON.stringify(join(checkout, 'npm.mjs'))});`);
  });
  afterEach(() => rm(checkout, { recursive: true }));

  async function setup(args: string[] = [], env: Record<string, string> = {}): Promise<{ code: number | null; errors: string }> {
    const child = spawn(process.execPath, [join(checkout, 'scripts', 'setup.mjs'), ...args], {
      env: { ...process.env, npm_execpath: join(checkout, 'npm-cli.js'), ...env },
    });
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    return new Promise((resolve) => child.once('close', (code) => resolve({ code, errors })));
  }
  const calls = async (): Promise<string[]> =>
    (await readFile(join(checkout, 'calls.txt'), 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');

  it('installs into a fresh checkout, and not again', async () => {
    expect(await setup()).toMatchObject({ code: 0 });
    expect(await setup()).toMatchObject({ code: 0, errors: '' });
    expect(await calls()).toEqual([expect.stringMatching(/^ci .*--include=dev$/)]);
  });

  it('is content with a full installation when only the demo is wanted, but not the other way round', async () => {
    await setup(['--production']);
    await setup(['--production']);
    await setup();
    await setup(['--production']);
    expect(await calls()).toEqual([expect.stringMatching(/--omit=dev$/), expect.stringMatching(/--include=dev$/)]);
  });

  it('installs again when the lock asks for another version', async () => {
    await setup();
    await writeFile(join(checkout, 'package-lock.json'), JSON.stringify(LOCK).replace('1.0.0', '1.0.1'));
    await setup();
    expect(await calls()).toHaveLength(2);
  });

  it('installs again when the packages are those of another platform', async () => {
    await setup();
    await writeFile(join(checkout, 'node_modules', '.setup-platform'), 'plan9-mips');
    await setup();
    expect(await calls()).toHaveLength(2);
  });

  it('installs once when three begin at once', async () => {
    const results = await Promise.all([setup(), setup(), setup()]);
    expect(results.map(({ code }) => code)).toEqual([0, 0, 0]);
    expect(await calls()).toHaveLength(1);
  });

  it('takes over the lock of a process that is gone', async () => {
    await mkdir(join(checkout, '.cache'));
    const gone = spawn(process.execPath, ['-e', '']);
    await new Promise((resolve) => gone.once('close', resolve));
    await writeFile(join(checkout, '.cache', 'setup.lock'), String(gone.pid));
    expect(await setup()).toMatchObject({ code: 0 });
    expect(await calls()).toHaveLength(1);
  });

  it('ends with an error when npm fails, and tries again the next time', async () => {
    const failed = await setup([], { FAKE_NPM_FAILS: 'yes' });
    expect(failed).toMatchObject({ code: 1, errors: expect.stringContaining('exit 7') });
    expect(await setup()).toMatchObject({ code: 0 });
  });

  it('says that npm is missing', async () => {
    expect(await setup([], { npm_execpath: '', PATH: '/nowhere' })).toMatchObject({
      code: 1,
      errors: expect.stringContaining('npm was not found'),
    });
  });
});
