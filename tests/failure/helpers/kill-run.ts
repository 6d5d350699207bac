import type { Minio } from '../../helpers/services/minio.ts';
import { Ambush } from './ambush.ts';
import type { Hit, HitCounts, Victim } from './kill-plan.ts';
import type { KillableQueue } from './killable-queues.ts';
import type { Stand } from './phased-process.ts';
import type { ServiceGroup } from './service-group.ts';

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
  const aWeb = hit.victims.includes('web') && hit.phase !== 'accept' ? await group.aProcess('web') : undefined;
  const isFrozen = hit.phase === 'inside-complete' && hit.moment === 'sent';
  const stand = isFrozen ? await standBeforeFrozenStore(queue, ambush) : await ambush.next(hit.phase, hit.moment);

  const kill: Readonly<Record<Victim, () => Promise<void>>> = {
    web: () => (aWeb ?? stand.process).kill(),
    worker: () => stand.process.kill(),
    'queue store': () => queue.kill(),
    'object store': () => minio.kill(),
  };
  await Promise.all(hit.victims.map((victim) => kill[victim]()));
  counts.add(hit);
  if (isFrozen && !hit.victims.includes('queue store')) queue.thaw();

  if (hit.goesOnWithout) stand.go();
  await Promise.all([
    hit.victims.includes('queue store') ? queue.restart() : undefined,
    hit.victims.includes('object store') ? minio.restart() : undefined,
  ]);
  if (!hit.goesOnWithout) stand.go();
}

/** The settlement is in the store's socket, and the store does not read it until it is thawed; killed, it never will. */
async function standBeforeFrozenStore(queue: KillableQueue, ambush: Ambush): Promise<Stand> {
  const before = await ambush.next('commit-to-complete', 'before');
  queue.freeze();
  const sent = ambush.next('inside-complete', 'sent', before.process);
  before.go();
  return sent.catch((error: unknown) => {
    queue.thaw();
    throw error;
  });
}
