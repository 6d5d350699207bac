import { spawn } from 'node:child_process';
import { closeSync, openSync, statSync } from 'node:fs';
import { readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join, resolve } from 'node:path';
import { Client } from 'pg';
import { AppError } from '../errors/app-error.ts';
import { type Clock, systemClock } from '../lib/clock.ts';
import { describeCause } from '../lib/describe-cause.ts';
import type { Logger } from '../log.ts';
import { type Account, findServerAccount } from './embedded-account.ts';
import { type Binaries, prepareBinaries } from './embedded-binaries.ts';
import { type Cluster, prepareCluster, SHARED_DIR, SUPERUSER } from './embedded-cluster.ts';

/** A PostgreSQL of our own on this machine. */
export interface EmbeddedPostgres {
  /** Holds the password: never log it. Stays the same when the server is restarted. */
  readonly connectionString: string;
  /** Process id of the server; another one after a restart. */
  readonly pid: number;
  /** Leaves the server; the last process to leave stops it. Idempotent. */
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  readonly dataDir: string;
  /** 0: the port used last time if it is free, else any. */
  readonly port?: number;
  readonly log: Logger;
  readonly clock?: Clock;
}

interface Server {
  /** Our stay: the server counts these connections, also when we are killed. Its end says that the server is gone. */
  readonly keeper: Client;
  readonly pid: number;
  readonly port: number;
}

const KEEPER_NAME = 'lakehouse-keeper';
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;
const POLL_MS = 50;
const LAST_RETRY_MS = 5_000;
/** After a crash the first ones may fail: the old server's processes still hold its memory. */
const MAX_FAILED_STARTS = 7;
const MAX_LOG_BYTES = 1 << 20;

/**
 * Durable whatever the defaults become, small, and with a log that holds no values: statements and details of errors quote data.
 * Queue tables turn over quickly, so vacuum comes often.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '200',
  shared_buffers: '64MB',
  huge_pages: 'off',
  max_wal_size: '512MB',
  jit: 'off',
  autovacuum_naptime: '10s',
  autovacuum_vacuum_scale_factor: '0.05',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_checkpoints: 'off',
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
  log_parameter_max_length_on_error: '0',
};

/**
 * Starts the server of `dataDir`, or joins the one that runs: all roles on one machine share it. The server outlives a killed process
 * and is joined again by the next; a crashed server is started again on the same port while somebody uses it. One machine only: two
 * containers must not share a data directory.
 * @throws AppError QUEUE_EMBEDDED_FAILED
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { log, clock = systemClock } = options;
  const dataDir = resolve(options.dataDir);
  const account = findServerAccount();
  const binaries = await prepareBinaries(account === undefined ? dataDir : SHARED_DIR, account);
  const cluster = await prepareCluster(dataDir, binaries, account);
  const leaving = new AbortController();
  const launch = (port: number): Promise<Server> => joinOrStart(cluster, binaries, account, port, log, clock, leaving.signal);

  let server = await launch(options.port ?? 0);
  const { port } = server;
  let restarting: Promise<void> | undefined;
  let stopping: Promise<void> | undefined;

  const watch = (): void => {
    server.keeper.once('end', () => {
      if (!leaving.signal.aborted) restarting = restart();
    });
  };
  const restart = async (): Promise<void> => {
    for (let attempt = 1; !leaving.signal.aborted; attempt++) {
      log.warn({ event: 'embedded.restarting', port, attempt });
      try {
        server = await launch(port);
        return watch();
      } catch (error) {
        log.error({ event: 'embedded.restartFailed', port, attempt, cause: describeCause(error) });
        await clock.sleep(LAST_RETRY_MS, leaving.signal);
      }
    }
  };
  const stop = async (): Promise<void> => {
    leaving.abort();
    await restarting;
    await leave(server, clock, log);
  };
  watch();

  return {
    connectionString: toConnectionString(cluster, port),
    get pid() {
      return server.pid;
    },
    stop: () => (stopping ??= stop()),
  };
}

async function joinOrStart(
  cluster: Cluster,
  binaries: Binaries,
  account: Account | undefined,
  wantedPort: number,
  log: Logger,
  clock: Clock,
  leaving: AbortSignal,
): Promise<Server> {
  const logFile = join(dirname(cluster.dir), 'server.log');
  const portFile = join(dirname(cluster.dir), 'server.port');
  const deadline = clock.monotonic() + START_TIMEOUT_MS;
  let child: Child | undefined;
  let failures = 0;
  while (clock.monotonic() < deadline && !leaving.aborted) {
    const server = await joinServer(cluster);
    if (server !== undefined) {
      await writeFile(portFile, String(server.port));
      log.info({ event: server.pid === child?.pid ? 'embedded.started' : 'embedded.joined', port: server.port });
      return server;
    }
    const hasFailed = child?.hasEnded === true;
    if (hasFailed && ++failures === MAX_FAILED_STARTS) break;
    if ((child === undefined || hasFailed) && !(await hasLivePostmaster(cluster.dir))) {
      const port = wantedPort === 0 ? await pickPort(failures === 0 ? await readPort(portFile) : 0) : wantedPort;
      child = spawnServer(cluster.dir, binaries, account, port, logFile);
    }
    await clock.sleep(POLL_MS * 2 ** failures, leaving);
  }
  const complaint = child?.error ?? (await readComplaint(logFile));
  throw new AppError('QUEUE_EMBEDDED_FAILED', `the embedded PostgreSQL did not start: ${complaint} (see ${logFile})`, {
    facts: { failures },
  });
}

/** Connects to the server that runs on this cluster; undefined when there is none, or not yet, or not any more. */
async function joinServer(cluster: Cluster): Promise<Server | undefined> {
  const found = await readPidFile(cluster.dir);
  if (found === undefined || !found.isReady) return undefined;
  const { pid, port } = found;
  const keeper = new Client({
    connectionString: toConnectionString(cluster, port),
    application_name: KEEPER_NAME,
    connectionTimeoutMillis: 2_000,
    query_timeout: 5_000,
    keepAlive: true,
  });
  keeper.on('error', () => undefined); // 'end' follows
  try {
    await keeper.connect();
    const { rows } = await keeper.query<{ dir: string }>(`SELECT current_setting('data_directory') AS dir`);
    if (rows[0]?.dir === cluster.dir) return { keeper, pid, port };
  } catch {
    // It starts, stops, or is somebody else's: the caller looks again.
  }
  await keeper.end().catch(() => undefined);
  return undefined;
}

async function leave({ keeper, pid }: Server, clock: Clock, log: Logger): Promise<void> {
  const others = await keeper
    .query<{ count: number }>(
      'SELECT count(*)::int FROM pg_stat_activity WHERE application_name = $1 AND pid <> pg_backend_pid()',
      [KEEPER_NAME],
    )
    .then(({ rows }) => rows[0]?.count ?? 0)
    .catch(() => 1); // it does not answer: whoever comes next deals with it
  await keeper.end().catch(() => undefined);
  if (others > 0 || !signal(pid, 'SIGINT')) return;
  const deadline = clock.monotonic() + STOP_TIMEOUT_MS;
  while (signal(pid, 0) && clock.monotonic() < deadline) await clock.sleep(POLL_MS);
  log.info({ event: signal(pid, 0) ? 'embedded.stopsSlowly' : 'embedded.stopped' });
}

interface Child {
  readonly pid: number | undefined;
  readonly hasEnded: boolean;
  /** Why it could not be run at all. */
  readonly error: string | undefined;
}

/** In a session of its own: Ctrl-C is for us, who still have work to store. */
function spawnServer(dir: string, { postgres }: Binaries, account: Account | undefined, port: number, logFile: string): Child {
  const isBig = (statSync(logFile, { throwIfNoEntry: false })?.size ?? 0) > MAX_LOG_BYTES;
  const output = openSync(logFile, isBig ? 'w' : 'a', 0o600);
  try {
    const args = [
      '-D',
      dir,
      '-p',
      String(port),
      ...Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
    ];
    const child = spawn(postgres, args, {
      ...account,
      cwd: '/',
      env: { LC_ALL: 'C' },
      detached: true,
      stdio: ['ignore', output, output],
    });
    const state = { pid: child.pid, hasEnded: false, error: undefined as string | undefined };
    child.once('error', (error) =>
      Object.assign(state, { hasEnded: true, error: `cannot run ${postgres} (${describeCause(error)})` }),
    );
    child.once('exit', () => Object.assign(state, { hasEnded: true }));
    child.unref();
    return state;
  } finally {
    closeSync(output);
  }
}

/** `postmaster.pid`: pid, data directory, start time, port, socket directory, listen address, shared memory, status. */
async function readPidFile(dir: string): Promise<{ pid: number; port: number; isReady: boolean } | undefined> {
  const text = await readFile(join(dir, 'postmaster.pid'), 'utf8').catch(() => '');
  const lines = text.split('\n');
  const pid = Number(lines[0]);
  return pid > 0 ? { pid, port: Number(lines[3]), isReady: lines[7]?.trim() === 'ready' } : undefined;
}

/**
 * True while a server runs on `dir` (perhaps it is still starting, or stopping). A leftover pid file that names a process of another
 * kind is removed: PostgreSQL would take that process for its predecessor, which happens in containers, where pids come again.
 */
async function hasLivePostmaster(dir: string): Promise<boolean> {
  const found = await readPidFile(dir);
  if (found === undefined || !signal(found.pid, 0)) return false;
  if (await runsIn(found.pid, dir)) return true;
  if ((await readPidFile(dir))?.pid === found.pid) await rm(join(dir, 'postmaster.pid'), { force: true });
  return false;
}

/** PostgreSQL works in its data directory. Without /proc we believe the pid file. */
async function runsIn(pid: number, dir: string): Promise<boolean> {
  if (process.platform !== 'linux') return true;
  return (await readlink(`/proc/${pid}/cwd`).catch(() => undefined)) === dir;
}

/** False when there is no such process of ours. */
function signal(pid: number, name: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}

/** `preferred` if it is free, else any free port. */
async function pickPort(preferred: number): Promise<number> {
  const listen = (port: number): Promise<number> =>
    new Promise((found, reject) => {
      const probe = createServer().once('error', reject);
      probe.listen(port, '127.0.0.1', () => {
        const address = probe.address();
        probe.close(() => found(typeof address === 'object' && address !== null ? address.port : port));
      });
    });
  return listen(preferred).catch(() => listen(0));
}

async function readPort(portFile: string): Promise<number> {
  const port = Number(await readFile(portFile, 'utf8').catch(() => '0'));
  return Number.isInteger(port) && port > 0 && port < 65_536 ? port : 0;
}

/** The last words of the server, without their times. */
async function readComplaint(logFile: string): Promise<string> {
  const lines = (await readFile(logFile, 'utf8').catch(() => '')).split('\n');
  const words = lines.flatMap((line) => /(?:LOG|ERROR|FATAL|PANIC): .*|.*error.*/i.exec(line) ?? []);
  return words.slice(-2).join('; ') || 'it said nothing';
}

/** Without TLS whatever PGSSLMODE says: it is the loopback device. */
function toConnectionString({ password }: Cluster, port: number): string {
  return `postgresql://${SUPERUSER}:${password}@127.0.0.1:${port}/postgres?sslmode=disable`;
}
