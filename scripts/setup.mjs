#!/usr/bin/env node
// Installs the npm packages of this checkout when they are missing or do not match package-lock.json. `npm run demo` and `npm test` begin
// with it, so it needs nothing but Node. `--production` is content with what the demo needs; a full installation serves that too.
import { spawnSync } from 'node:child_process';
import console from 'node:console';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';

const MIN_NODE = [20, 19];
const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const MODULES = join(ROOT, 'node_modules');
const LOCK = join(ROOT, '.cache', 'setup.lock');
const PAUSE_MS = 200;
const MAX_WAIT_MS = 15 * 60 * 1000;
/** Packages with native parts fit one platform; a checkout may be shared between two (a container and its host). */
const PLATFORM_FILE = join(MODULES, '.setup-platform');
const PLATFORM = `${process.platform}-${process.arch}`;

const production = process.argv.includes('--production');
checkNode();
if (!isInstalled()) await withLock(() => isInstalled() || install());

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1])) return;
  fail(`Node ${process.versions.node} is too old: ${MIN_NODE.join('.')} or newer is needed (https://nodejs.org)`);
}

/** Whether every package of the lock is there in its version. npm keeps its own record and writes it last. */
function isInstalled() {
  const wanted = readJson(join(ROOT, 'package-lock.json'))?.packages;
  const found = readJson(join(MODULES, '.package-lock.json'))?.packages;
  if (wanted === undefined) fail('package-lock.json is missing or unreadable: is this a complete checkout?');
  if (found === undefined || (readText(PLATFORM_FILE) ?? PLATFORM) !== PLATFORM) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    const mayBeAbsent = path === '' || entry.optional || (production && (entry.dev || entry.devOptional));
    return mayBeAbsent || found[path]?.version === entry.version;
  });
}

function install() {
  const args = ['ci', '--no-audit', '--no-fund', ...(production ? ['--omit=dev'] : ['--include=dev'])];
  console.error(`Installing the npm packages of this checkout (npm ${args.join(' ')}); this happens once …`);
  const npm = process.env.npm_execpath;
  const options = { cwd: ROOT, stdio: ['ignore', 2, 2] };
  const result = npm?.endsWith('.js')
    ? spawnSync(process.execPath, [npm, ...args], options)
    : spawnSync('npm', args, { ...options, shell: process.platform === 'win32' });
  if (result.error?.code === 'ENOENT') fail('npm was not found: install it together with Node (https://nodejs.org)');
  if (result.status !== 0)
    fail(`npm ci failed (${result.error?.code ?? `exit ${result.status ?? result.signal}`}); its words are above`);
  writeFileSync(PLATFORM_FILE, PLATFORM);
}

/** One installation at a time. The lock of a process that is gone is taken over. */
async function withLock(work) {
  mkdirSync(dirname(LOCK), { recursive: true });
  for (let waitedMs = 0; !takeLock(); waitedMs += PAUSE_MS) {
    if (waitedMs > MAX_WAIT_MS) fail(`another installation has been running for long; if there is none, remove ${LOCK}`);
    await sleep(PAUSE_MS);
  }
  process.once('exit', () => rmSync(LOCK, { force: true }));
  work();
}

function takeLock() {
  try {
    writeFileSync(LOCK, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (error.code !== 'EEXIST') fail(`cannot write ${LOCK} (${error.code}): this checkout must be writable`);
  }
  const owner = Number(readText(LOCK));
  if (owner > 0 && !isAlive(owner)) rmSync(LOCK, { force: true });
  return false;
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code !== 'ESRCH';
  }
}

function readText(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function fail(message) {
  console.error(`setup: ${message}`);
  process.exit(1);
}
