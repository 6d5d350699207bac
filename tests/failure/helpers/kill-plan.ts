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

/** Hits of one phase per kill of each victim: the more, the more often a victim is hit alone. */
const HITS_PER_KILL = 1.5;

/** Hits in random order such that every victim is killed `kills` times in every phase, alone or with others. `accept` concerns web and queue store only. */
export function planHits(kills: number, random: () => number): Hit[] {
  const hits = PHASES.flatMap((phase) => {
    const places: Victim[][] = Array.from({ length: Math.ceil(kills * HITS_PER_KILL) }, () => []);
    for (const victim of phase === 'accept' ? (['web', 'queue store'] as const) : VICTIMS) {
      for (const place of shuffle(places, random).slice(0, kills)) place.push(victim);
    }
    const isInside = phase === 'accept' || phase.startsWith('inside');
    return places
      .filter((victims) => victims.length > 0)
      .map((victims): Hit => {
        const moment = !isInside ? 'before' : random() < 0.5 ? 'sent' : 'answered';
        return { phase, moment, victims, goesOnWithout: random() < 0.5 };
      });
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
