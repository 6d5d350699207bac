import type { TcpFault, TcpProxy } from '../../helpers/tcp-proxy.ts';
import { Ambush } from './ambush.ts';
import type { ServiceGroup } from './service-group.ts';

/** One put-if-absent of a commit on a connection that breaks. */
export interface Cut {
  readonly fault: TcpFault;
  /** The owner is then stopped until another one has delivered a batch. */
  readonly pauses: boolean;
}

/** Not `swallow-answer`: the client waits half a minute for it, and then it is the same as `cut-answer`. */
const FAULTS: readonly TcpFault[] = ['cut-answer', 'cut-inside-answer', 'cut-request'];

/** Each fault `rounds` times, with and without a pause. */
export function planCuts(rounds: number): Cut[] {
  return Array.from({ length: rounds }, () => FAULTS.flatMap((fault) => [false, true].map((pauses) => ({ fault, pauses })))).flat();
}

/** Carries out the cuts, one after the other; `proxy` stands between the service and the object store. Returns how many commits got no answer. */
export async function carryOutCuts(group: ServiceGroup, proxy: TcpProxy, cuts: readonly Cut[]): Promise<number> {
  const ambush = new Ambush(group);
  let unanswered = 0;
  for (const { fault, pauses } of cuts) {
    const stand = await ambush.next('file-to-commit', 'before');
    await proxy.setFault(fault, { keepOpen: true }); // now only the commit is on its way: everything of the batch before it is done
    const end = ambush.next('inside-commit', ['answered', 'failed'], stand.process);
    stand.go();
    const answer = await end;
    if (answer.moment === 'failed' && proxy.hits > 0) unanswered += 1;
    await proxy.setFault(undefined);
    if (pauses) {
      stand.process.pause();
      const other = group.processes('worker').find((process) => process !== stand.process);
      try {
        (await ambush.next('inside-complete', 'answered', other)).go();
      } finally {
        stand.process.wake();
      }
    }
    answer.go();
  }
  return unanswered;
}
