import { Ambush } from './ambush.ts';
import type { Moment, Phase } from './phase-protocol.ts';
import type { PhasedProcess, Stand } from './phased-process.ts';
import type { ServiceGroup } from './service-group.ts';

/** One owner stopped in the middle of something, while another takes over. */
export interface Pause {
  readonly phase: Phase;
  readonly moment: Moment;
  /** Batches that the other has delivered when the old owner wakes, and where it then is in the next one. */
  readonly batchesOfOther: number;
  readonly otherAt: Phase;
  /** The other stays there until the old owner has done what it still does; else both run. */
  readonly otherWaits: boolean;
}

/** The point of each pause, and what a woken owner certainly still does there, for it was past its last look at the lease; elsewhere it may give up. */
const POINTS: readonly { readonly phase: Phase; readonly moment: Moment; readonly stillDoes?: Phase }[] = [
  { phase: 'before-data-file', moment: 'before' },
  { phase: 'file-to-commit', moment: 'before', stillDoes: 'inside-commit' },
  { phase: 'inside-commit', moment: 'sent', stillDoes: 'inside-commit' },
  { phase: 'inside-commit', moment: 'answered' },
  { phase: 'commit-to-complete', moment: 'before', stillDoes: 'inside-complete' },
  { phase: 'inside-complete', moment: 'sent', stillDoes: 'inside-complete' },
  { phase: 'inside-complete', moment: 'answered' },
];
const PLACES_OF_OTHER: readonly Phase[] = ['before-data-file', 'file-to-commit', 'commit-to-complete'];

/** The race that no lease decides: both hold the same events and are about to commit them, and the one without the lease goes first. */
const RACE = { batchesOfOther: 0, otherAt: 'file-to-commit', otherWaits: true } as const;

/** Each point of a delivery `rounds` times: first as the race, then at random. */
export function planPauses(rounds: number, random: () => number): Pause[] {
  return Array.from({ length: rounds }, (_, round) =>
    POINTS.map(({ phase, moment }) => {
      const other = {
        batchesOfOther: Math.floor(random() * 3),
        otherAt: PLACES_OF_OTHER[Math.floor(random() * PLACES_OF_OTHER.length)]!,
        otherWaits: random() < 0.5,
      };
      return { phase, moment, ...(round === 0 ? RACE : other) };
    }),
  ).flat();
}

/** Carries out the pauses, one after the other. Returns a line on each. */
export async function carryOutPauses(group: ServiceGroup, pauses: readonly Pause[]): Promise<string[]> {
  const ambush = new Ambush(group);
  const report: string[] = [];
  for (const pause of pauses) {
    const stand = await ambush.next(pause.phase, pause.moment);
    const owner = stand.process;
    owner.pause();
    try {
      const other = await letOtherGoOn(group, ambush, owner, pause);
      const stillDoes = POINTS.find(({ phase, moment }) => phase === pause.phase && moment === pause.moment)?.stillDoes;
      const done = stillDoes === undefined ? undefined : ambush.next(stillDoes, ['answered', 'failed'], owner);
      if (!pause.otherWaits) other.go();
      stand.go();
      owner.wake();
      const end = await done;
      end?.go();
      if (pause.otherWaits) other.go();
      report.push(
        `  ${`${pause.phase} (${pause.moment})`.padEnd(30)} other: ${pause.batchesOfOther} batches, then ${pause.otherAt}${pause.otherWaits ? ', waiting' : ''};` +
          ` woken: ${end === undefined ? 'went on' : `${end.phase} ${end.moment}`}`,
      );
    } finally {
      owner.wake();
    }
  }
  return report;
}

/** Resolves when another process owns the destination and has come as far as planned. */
async function letOtherGoOn(group: ServiceGroup, ambush: Ambush, paused: PhasedProcess, { batchesOfOther, otherAt }: Pause): Promise<Stand> {
  const other = group.processes('worker').find((process) => process !== paused);
  if (other === undefined) throw new Error('there is no second worker');
  for (let batches = 0; batches < batchesOfOther; batches += 1) (await ambush.next('inside-complete', 'answered', other)).go();
  return ambush.next(otherAt, 'before', other);
}
