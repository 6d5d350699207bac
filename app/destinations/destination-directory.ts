import type { Clock } from '../lib/clock.ts';
import type { Destination } from './destination.ts';
import type { DestinationRepository } from './destination-repository.ts';

/** How soon one destination may be asked for again in Aidbox, so that a flood of wrong calls does not become a flood there. */
const LEAST_PAUSE_MS = 1_000;
const MAX_REMEMBERED_MISSES = 10_000;

/**
 * What this process knows of the destinations, read from Aidbox every now and then. It may be behind: whoever is not found, or whose secret
 * does not fit, is asked for in Aidbox before anything is refused.
 */
export class DestinationDirectory {
  private readonly repository: DestinationRepository;
  private readonly clock: Clock;
  private known = new Map<string, Destination>();
  private readonly asked = new Map<string, number>();

  constructor(repository: DestinationRepository, clock: Clock) {
    this.repository = repository;
    this.clock = clock;
  }

  /** All destinations, in any phase, read from Aidbox now. @throws AppError AIDBOX_… */
  async readAll(): Promise<readonly Destination[]> {
    const list = await this.repository.list();
    this.known = new Map(list.map((destination) => [destination.id, destination]));
    return list;
  }

  /** As last read. */
  get all(): readonly Destination[] {
    return [...this.known.values()];
  }

  /** The destination that takes notifications under this id and incarnation; undefined when Aidbox says that there is none. @throws AppError AIDBOX_… */
  async find(id: string, incarnation: string): Promise<Destination | undefined> {
    const known = accepting(this.known.get(id), incarnation);
    return known ?? this.findFresh(id, incarnation);
  }

  /** Like `find`, from Aidbox, but not more often than once a second for one id. */
  async findFresh(id: string, incarnation: string): Promise<Destination | undefined> {
    const nowMs = this.clock.monotonic();
    const askedAtMs = this.asked.get(id);
    if (askedAtMs === undefined || nowMs - askedAtMs >= LEAST_PAUSE_MS) {
      const destination = await this.repository.get(id);
      if (this.asked.size > MAX_REMEMBERED_MISSES) this.asked.clear();
      this.asked.set(id, nowMs);
      if (destination === undefined) this.known.delete(id);
      else this.known.set(id, destination);
    }
    return accepting(this.known.get(id), incarnation);
  }
}

/** A destination still being created takes notifications already: Aidbox may post as soon as its side exists. */
function accepting(destination: Destination | undefined, incarnation: string): Destination | undefined {
  return destination?.incarnation === incarnation && destination.phase !== 'deleting' ? destination : undefined;
}
