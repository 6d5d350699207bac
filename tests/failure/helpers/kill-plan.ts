import { type Moment, type Phase, PHASES } from './phase-protocol.ts';

export const VICTIMS = ['web', 'worker', 'queue store', 'object store'] as const;
export type Victim = (typeof VICTIMS)[number];

/** One moment of the service and what is killed in it, at once. */
export interface Hit {
  readonly phase: Phase;
  readonly moment: Moment;
  readonly victims: readonly Victim[];
  /** The survivors go on before what was killed is back. */
  readonly goesOnWithout: boolean;
}

/** Chance of each victim to be hit when another one is. */
const TOGETHER = 0.6;

/** Hits in random order such that every victim is killed `times` in every phase, alone or with others. `accept` concerns web and queue store only. */
export function planHits(times: number, random: () => number): Hit[] {
  const hits = PHASES.flatMap((phase) => {
    const left = new Map<Victim, number>((phase === 'accept' ? (['web', 'queue store'] as const) : VICTIMS).map((victim) => [victim, times]));
    const planned: Hit[] = [];
    while (left.size > 0) {
      const victims = [...left.keys()].filter(() => random() < TOGETHER);
      if (victims.length === 0) continue;
      for (const victim of victims) {
        const rest = left.get(victim)! - 1;
        if (rest === 0) left.delete(victim);
        else left.set(victim, rest);
      }
      const isInside = phase === 'accept' || phase.startsWith('inside');
      const moment: Moment = !isInside ? 'before' : random() < 0.5 ? 'sent' : 'answered';
      planned.push({ phase, moment, victims, goesOnWithout: random() < 0.5 });
    }
    return planned;
  });
  return shuffle(hits, random);
}

function shuffle<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}

/** How often each victim was killed in each phase. */
export class HitCounts {
  private readonly counts = new Map<string, number>();

  add(phase: Phase, victim: Victim): void {
    this.counts.set(`${phase}/${victim}`, this.of(phase, victim) + 1);
  }

  of(phase: Phase, victim: Victim): number {
    return this.counts.get(`${phase}/${victim}`) ?? 0;
  }

  /** Lines for people. */
  table(): string {
    const lines = PHASES.map((phase) => [phase, ...VICTIMS.map((victim) => String(this.of(phase, victim) || '–'))]);
    return [['phase', ...VICTIMS], ...lines]
      .map(([phase = '', ...cells]) => `  ${phase.padEnd(20)}${cells.map((cell) => cell.padStart(14)).join('')}`)
      .join('\n');
  }
}
