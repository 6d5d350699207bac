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

/** How often a victim dies in a phase when everything should die `kills` times in the phases that are its own. */
function quotaOf(victim: Victim, phase: Phase, kills: number): number {
  if (phase === 'accept') return victim === 'web' || victim === 'queue store' ? kills : 0;
  if (phase === 'inside-commit') return Math.ceil(kills / 2); // what comes before and after it is hit on both its sides
  return victim === 'web' ? Math.ceil(kills / 3) : kills; // a web process takes no part in a delivery
}

/** Hits in random order: in each, one or more victims die at the same time. */
export function planHits(kills: number, random: () => number): Hit[] {
  const hits = PHASES.flatMap((phase) => {
    const quotas = VICTIMS.map((victim) => ({ victim, quota: quotaOf(victim, phase, kills) }));
    const places: Victim[][] = Array.from({ length: Math.ceil(Math.max(...quotas.map(({ quota }) => quota)) * HITS_PER_KILL) }, () => []);
    for (const { victim, quota } of quotas) {
      for (const place of shuffle(places, random).slice(0, quota)) place.push(victim);
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
  private readonly hits = new Map<Phase, number>();
  private readonly kills = new Map<string, number>();

  add({ phase, victims }: Pick<Hit, 'phase' | 'victims'>): void {
    this.hits.set(phase, (this.hits.get(phase) ?? 0) + 1);
    for (const victim of victims) this.kills.set(`${phase}/${victim}`, (this.kills.get(`${phase}/${victim}`) ?? 0) + 1);
  }

  /** Lines for people. */
  table(): string {
    const lines = PHASES.map((phase) => [phase, this.hits.get(phase), ...VICTIMS.map((victim) => this.kills.get(`${phase}/${victim}`))]);
    return [['killed with -9', 'hits', ...VICTIMS], ...lines]
      .map(([phase = '', ...cells]) => `  ${String(phase).padEnd(20)}${cells.map((cell) => String(cell ?? '–').padStart(14)).join('')}`)
      .join('\n');
  }
}
