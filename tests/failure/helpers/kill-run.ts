import type { Minio } from '../../helpers/services/minio.ts';
import type { Hit, HitCounts, Victim } from './kill-plan.ts';
import type { KillableQueue } from './killable-queues.ts';
import type { Moment, Phase } from './phase-protocol.ts';
import type { PhasedProcess, Stand } from './phased-process.ts';
import type { ServiceGroup } from './service-group.ts';

/** The service never stops for longer than this: stores restart and leases run out within seconds; MinIO while it starts asks callers to wait for 60 s. */
const STAND_TIMEOUT_MS = 150_000;

/** Waits for the service to reach a moment and holds it there; everything else goes on. */
export class Ambush {
  private wanted: { readonly matches: (stand: Stand) => boolean; readonly take: (stand: Stand) => void } | undefined;

  constructor(group: ServiceGroup) {
    group.onStand((stand) => {
      if (this.wanted?.matches(stand) !== true) return stand.go();
      const { take } = this.wanted;
      this.wanted = undefined;
      take(stand);
    });
  }

  /** @param by only this process; default any */
  async next(phase: Phase, moment: Moment, by?: PhasedProcess): Promise<Stand> {
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<Stand>((take, reject) => {
        timer = setTimeout(() => reject(new Error(`nothing stood at ${phase} (${moment}) for ${STAND_TIMEOUT_MS} ms`)), STAND_TIMEOUT_MS);
        this.wanted = {
          matches: (stand) => stand.phase === phase && stand.moment === moment && stand.process.isUp && (by === undefined || stand.process === by),
          take,
        };
      });
    } finally {
      clearTimeout(timer);
      this.wanted = undefined;
    }
  }
}

export interface Battlefield {
  readonly group: ServiceGroup;
  readonly queue: KillableQueue;
  readonly minio: Minio;
  readonly counts: HitCounts;
}

/** Carries out the hits, one after the other; whatever is killed is started again at once. */
export async function carryOutHits(field: Battlefield, hits: readonly Hit[]): Promise<void> {
  const ambush = new Ambush(field.group);
  for (const hit of hits) await carryOut(field, ambush, hit);
}

async function carryOut({ group, queue, minio, counts }: Battlefield, ambush: Ambush, hit: Hit): Promise<void> {
  const t0 = performance.now();
  const aWeb = hit.victims.includes('web') && hit.phase !== 'accept' ? await group.aProcess('web') : undefined;
  const isFrozen = hit.phase === 'inside-complete' && hit.moment === 'sent';
  const stand = isFrozen ? await standBeforeFrozenStore(queue, ambush) : await ambush.next(hit.phase, hit.moment);

  const t1 = performance.now();
  const kill: Readonly<Record<Victim, () => Promise<void>>> = {
    web: () => (aWeb ?? stand.process).kill(),
    worker: () => stand.process.kill(),
    'queue store': () => queue.kill(),
    'object store': () => minio.kill(),
  };
  await Promise.all(hit.victims.map((victim) => kill[victim]()));
  const t2 = performance.now();
  counts.add(hit);
  if (isFrozen && !hit.victims.includes('queue store')) queue.thaw();

  if (hit.goesOnWithout) stand.go();
  await Promise.all([
    hit.victims.includes('queue store') ? queue.restart() : undefined,
    hit.victims.includes('object store') ? minio.restart() : undefined,
  ]);
  if (!hit.goesOnWithout) stand.go();
  process.stderr.write(`DBG ${hit.phase}/${hit.moment} [${hit.victims.join()}] without=${hit.goesOnWithout} wait ${(t1-t0).toFixed(0)} kill ${(t2-t1).toFixed(0)} restart ${(performance.now()-t2).toFixed(0)}\n`);
}

/** The settlement is in the store's socket, and the store does not read it until it is thawed; killed, it never will. */
async function standBeforeFrozenStore(queue: KillableQueue, ambush: Ambush): Promise<Stand> {
  const before = await ambush.next('commit-to-complete', 'before');
  queue.freeze();
  const sent = ambush.next('inside-complete', 'sent', before.process);
  before.go();
  return sent;
}
