import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { AppError } from '../errors/app-error.ts';

/** Account that runs the embedded server in our stead. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/**
 * PostgreSQL refuses to run as root. Undefined when we are not root (the server runs as we do), else the account `postgres`,
 * which is made when it is missing, else `nobody`.
 * @throws AppError QUEUE_EMBEDDED_FAILED
 */
export function findServerAccount(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const account = readAccount('postgres') ?? makeAccount('postgres') ?? readAccount('nobody');
  if (account === undefined)
    throw new AppError(
      'QUEUE_EMBEDDED_FAILED',
      'running as root, and found neither an account postgres nor nobody in /etc/passwd',
    );
  return account;
}

/** True when `account` can change into `dir` (which may lie under a directory that only root may enter). */
export function canEnter(dir: string, account: Account): boolean {
  return spawnSync('/bin/sh', ['-c', 'cd -- "$1"', 'sh', dir], { ...account, stdio: 'ignore' }).status === 0;
}

function readAccount(name: string): Account | undefined {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${name}:`));
  const [, , uid, gid] = line?.split(':') ?? [];
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}

function makeAccount(name: string): Account | undefined {
  const made = spawnSync('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', name], {
    stdio: 'ignore',
  });
  if (made.status !== 0) {
    spawnSync('addgroup', ['-S', name], { stdio: 'ignore' }); // BusyBox
    spawnSync('adduser', ['-S', '-D', '-H', '-G', name, name], { stdio: 'ignore' });
  }
  return readAccount(name);
}
