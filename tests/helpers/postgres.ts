import { execFileSync, spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, chownSync, mkdtempSync, realpathSync } from 'node:fs';
import { readlink, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createPostgresBackend, Queue } from 'bullmq';
import { Client, Pool } from 'pg';
import { findServerAccount } from '../../app/queue/embedded-account.ts';
import { SHARED_DIR } from '../../app/queue/embedded-cluster.ts';
import { startEmbeddedPostgres } from '../../app/queue/embedded-postgres.ts';
import { makePostgresQueueStore } from '../../app/queue/postgres-queue-store.ts';
import { eventually } from './eventually.ts';
import { OpenedStores, type QueueServer, type ServerPower, SILENT, TEST_OPTIONS } from './queue-server.ts';
import type { Availability } from './services/availability.ts';
import { findOnPath } from './services/cache.ts';
import { type Child, startChild } from './services/child.ts';
import { dockerAnswers } from './services/docker.ts';
import { findFreePort } from './services/free-port.ts';

/** TEST_DATABASE_URL (a role that may create databases) → `postgres` and `initdb` on PATH → container. */
export async function findPostgres(): Promise<Availability<() => Promise<QueueServer>>> {
  const name = 'PostgreSQL';
  const url = process.env['TEST_DATABASE_URL'];
  if (url) return { name, found: () => makeServer({ serverUrl: url }) };
  const [postgres, initdb] = [findOnPath('postgres'), findOnPath('initdb')];
  if (postgres !== undefined && initdb !== undefined) return { name, found: () => startProgram(postgres, initdb) };
  if (await dockerAnswers()) return { name, found: startContainer };
  return { name, enableBy: 'apt-get install postgresql, and put its bin directory on PATH; or TEST_DATABASE_URL' };
}

/** The embedded PostgreSQL of the product, which needs nothing. */
export async function startEmbedded(): Promise<QueueServer> {
  const dataDir = join(mkdtempSync(join(tmpdir(), 'embedded-')), 'queue');
  const server = await startEmbeddedPostgres({ dataDir, log: SILENT });
  const power = makePower(
    () => server.pid,
    async () => undefined, // it comes back by itself
  );
  return makeServer({
    serverUrl: server.connectionString,
    power,
    canBeWeak: false, // its settings come with the command line, which ALTER SYSTEM cannot override
    async stop() {
      await server.stop();
      await removeEmbedded(dataDir);
      await rm(dirname(dataDir), { recursive: true, force: true });
    },
  });
}

/** Removes the data directory of an embedded server that is stopped, and what lies elsewhere for the account that ran it. */
export async function removeEmbedded(dataDir: string): Promise<void> {
  const place = await readlink(join(dataDir, 'cluster')).catch(() => undefined);
  if (place?.startsWith(SHARED_DIR)) await rm(dirname(place), { recursive: true, force: true });
  await rm(dataDir, { recursive: true, force: true });
}

async function startProgram(postgres: string, initdb: string): Promise<QueueServer> {
  const account = findServerAccount();
  const directory = mkdtempSync(join(tmpdir(), 'postgres-'));
  chmodSync(directory, 0o700);
  if (account !== undefined) chownSync(directory, account.uid, account.gid);
  execFileSync(realpathSync(initdb), ['-D', directory, '-U', 'test', '--auth=trust', '--encoding=UTF8', '--locale=C'], {
    ...account,
    cwd: '/',
    stdio: 'ignore',
  });
  const port = await findFreePort();
  let child: Child;
  const start = async (): Promise<void> => {
    const command = [
      realpathSync(postgres),
      '-D',
      directory,
      '-p',
      String(port),
      '-c',
      'listen_addresses=127.0.0.1',
      '-c',
      'unix_socket_directories=',
    ];
    const asAccount =
      account === undefined ? [] : ['setpriv', `--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups'];
    const [program = '', ...args] = [...asAccount, ...command];
    await eventually(
      async () => {
        if (child === undefined || child.hasExited()) child = await startChild(program, args);
        await connectOnce(url);
      },
      { timeoutMs: 60_000, everyMs: 50 },
    );
  };
  const url = `postgresql://test@127.0.0.1:${port}/postgres`;
  await start();
  return makeServer({
    serverUrl: url,
    power: makePower(() => child.pid, start),
    async stop() {
      process.kill(child.pid, 'SIGINT');
      await eventually(() => {
        if (!child.hasExited()) throw new Error('the server still stops');
      });
      await rm(directory, { recursive: true, force: true });
    },
  });
}

async function startContainer(): Promise<QueueServer> {
  const { GenericContainer, Wait } = await import('testcontainers');
  const container = await new GenericContainer('postgres:17')
    .withEnvironment({ POSTGRES_PASSWORD: 'test' })
    .withExposedPorts(5432)
    .withWaitStrategy(Wait.forLogMessage(/ready to accept connections/, 2))
    .start();
  const url = `postgresql://postgres:test@${container.getHost()}:${container.getMappedPort(5432)}/postgres`;
  return makeServer({ serverUrl: url, stop: async () => void (await container.stop()) });
}

function makePower(pid: () => number, restart: () => Promise<void>): ServerPower {
  const everybody = (): number[] => {
    const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid())], { encoding: 'utf8' });
    return [
      pid(),
      ...stdout
        .split('\n')
        .map(Number)
        .filter((child) => child > 0),
    ];
  };
  const signalAll = (signal: NodeJS.Signals): void => {
    for (const each of everybody()) {
      try {
        process.kill(each, signal);
      } catch {
        // it ended meanwhile
      }
    }
  };
  return {
    freeze: () => signalAll('SIGSTOP'),
    thaw: () => signalAll('SIGCONT'),
    async kill() {
      const all = everybody();
      signalAll('SIGKILL');
      await eventually(() => {
        if (all.some(isRunning)) throw new Error('the server is still there');
      });
    },
    restart,
  };
}

function isRunning(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' });
  return stdout.trim() !== '' && !stdout.startsWith('Z');
}

async function connectOnce(url: string): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  client.on('error', () => undefined);
  await client.connect();
  await client.end();
}

interface ServerParts {
  readonly serverUrl: string;
  readonly power?: ServerPower;
  readonly canBeWeak?: boolean;
  readonly stop?: () => Promise<void>;
}

/** On a database of its own. */
async function makeServer({ serverUrl, power, canBeWeak = true, stop }: ServerParts): Promise<QueueServer> {
  const database = `test_${randomUUID().replaceAll('-', '')}`;
  const root = new Pool({ connectionString: serverUrl, max: 1 });
  root.on('error', () => undefined);
  await root.query(`CREATE DATABASE ${database}`);
  const address = new URL(serverUrl);
  address.pathname = `/${database}`;
  const url = address.href;
  const admin = new Pool({ connectionString: url, max: 2, options: '-c search_path=bullmq' });
  admin.on('error', () => undefined);
  const stores = new OpenedStores();
  const setDurable = async (isDurable: boolean): Promise<void> => {
    const client = new Client({ connectionString: url });
    await client.connect();
    await client.query(`ALTER SYSTEM SET full_page_writes = ${isDurable ? 'on' : 'off'}`);
    await client.query('SELECT pg_reload_conf()');
    await client.end();
    await eventually(async () => {
      const { rows } = await root.query<{ value: string }>(`SELECT current_setting('full_page_writes') AS value`);
      if ((rows[0]?.value === 'on') !== isDurable) throw new Error('the setting is not read yet');
    });
  };
  const server: QueueServer = {
    url,
    open: (options) => stores.add(makePostgresQueueStore(url, { ...TEST_OPTIONS, ...options })),
    async start(options) {
      const store = server.open(options);
      await store.start();
      return store;
    },
    async bullmqCounts(scope) {
      const queue = new Queue(scope, { connection: admin, skipMetasUpdate: true }, createPostgresBackend);
      queue.on('error', () => undefined);
      try {
        return await queue.getJobCounts();
      } finally {
        await queue.close();
      }
    },
    async dump(scope) {
      const tables = [
        'bullmq.job',
        'bullmq.event',
        'bullmq.meta',
        'lakehouse.destination',
        'lakehouse.counter',
        'lakehouse.quarantine',
        'lakehouse.value',
      ];
      const lines: string[] = [];
      for (const table of tables) {
        const column = table.startsWith('bullmq') ? 'queue' : 'scope';
        const { rows } = await admin.query<{ line: string }>(`SELECT t::text AS line FROM ${table} AS t WHERE ${column} = $1`, [
          scope,
        ]);
        lines.push(...rows.map(({ line }) => `${table} ${line}`));
      }
      return lines;
    },
    ...(canBeWeak ? { setDurable } : {}),
    ...(power === undefined ? {} : { power }),
    async stop() {
      await stores.closeAll();
      await admin.end();
      await root.query(`DROP DATABASE ${database} WITH (FORCE)`);
      await root.end();
      await stop?.();
    },
  };
  return server;
}
