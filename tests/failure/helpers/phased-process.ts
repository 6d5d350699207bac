import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { FromService, Moment, Phase, ToService } from './phase-protocol.ts';

/** A process of the service that stands at a phase until it is told to go on. */
export interface Stand {
  readonly process: PhasedProcess;
  readonly phase: Phase;
  readonly moment: Moment;
  /** Lets it go on; nothing when the process is gone. */
  go(): void;
}

/** One process of the service as phased-service.ts runs it. */
export interface PhasedProcess {
  readonly role: string;
  readonly pid: number;
  /** True from the end of its start to its own end. */
  readonly isUp: boolean;
  /** True when it got as far as being up. */
  readonly wasUp: boolean;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** SIGSTOP, and SIGCONT. */
  pause(): void;
  wake(): void;
  /** Resolves when the process is gone, for whatever reason. */
  readonly ended: Promise<void>;
}

export interface PhasedProcessOptions {
  /** Of makePhasedProgram. */
  readonly program: string;
  /** The whole environment; `ROLE` decides what it does. */
  readonly env: Readonly<Record<string, string>>;
  readonly logFile: string;
  readonly onStand: (stand: Stand) => void;
}

const running = new Set<ChildProcess>();
process.once('exit', () => running.forEach((child) => child.kill('SIGKILL')));

export function startPhasedProcess({ program, env, logFile, onStand }: PhasedProcessOptions): PhasedProcess {
  const log = openSync(logFile, 'a');
  const child = spawn(process.execPath, [program], { env: { ...env }, stdio: ['ignore', log, log, 'ipc'] });
  closeSync(log);
  running.add(child);
  let wasUp = false;
  let hasEnded = false;
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => {
      running.delete(child);
      hasEnded = true;
      resolve();
    });
  });
  const phased: PhasedProcess = {
    role: env['ROLE'] ?? 'all',
    pid: child.pid ?? 0,
    get isUp() {
      return wasUp && !hasEnded;
    },
    get wasUp() {
      return wasUp;
    },
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
    pause: () => void child.kill('SIGSTOP'),
    wake: () => void child.kill('SIGCONT'),
    ended,
  };
  const go = (number: number): void => {
    if (child.connected) child.send({ go: number } satisfies ToService, () => undefined);
  };
  child.on('message', (message: FromService) => {
    if (hasEnded) return;
    if (message.kind === 'ready') {
      wasUp = true;
    } else {
      const { number, phase, moment } = message;
      onStand({ process: phased, phase, moment, go: () => go(number) });
    }
  });
  return phased;
}
