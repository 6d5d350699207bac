import type { Moment, Phase } from './phase-protocol.ts';
import type { PhasedProcess, Stand } from './phased-process.ts';
import type { ServiceGroup } from './service-group.ts';

/** The service never stops for longer than this: stores restart and leases run out within seconds; MinIO while it starts asks callers to wait for 60 s. */
const STAND_TIMEOUT_MS = 150_000;

interface Waiter {
  readonly matches: (stand: Stand) => boolean;
  readonly take: (stand: Stand) => void;
}

/** Waits for processes of the service to reach a moment and holds them there; everything else goes on. */
export class Ambush {
  private waiters: readonly Waiter[] = [];

  constructor(group: ServiceGroup) {
    group.onStand((stand) => {
      const waiter = this.waiters.find(({ matches }) => matches(stand));
      if (waiter === undefined) return stand.go();
      this.waiters = this.waiters.filter((other) => other !== waiter);
      waiter.take(stand);
    });
  }

  /** The next stand at this moment; whoever gets it lets it go. @param by only this process; default any */
  async next(phase: Phase, moment: Moment | readonly Moment[], by?: PhasedProcess): Promise<Stand> {
    const moments = [moment].flat();
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<Stand>((take, reject) => {
        const waiter: Waiter = {
          matches: (stand) => stand.phase === phase && moments.includes(stand.moment) && stand.process.isUp && (by ?? stand.process) === stand.process,
          take,
        };
        this.waiters = [...this.waiters, waiter];
        timer = setTimeout(() => {
          this.waiters = this.waiters.filter((other) => other !== waiter);
          reject(new Error(`${by === undefined ? 'nobody' : `${by.role} ${by.pid}`} stood at ${phase} (${moments.join(' or ')}) for ${STAND_TIMEOUT_MS} ms`));
        }, STAND_TIMEOUT_MS);
      });
    } finally {
      clearTimeout(timer);
    }
  }
}
