import type { Clock } from '../lib/clock.ts';
import type { Destination } from './destination.ts';
import type { DestinationRepository } from './destination-repository.ts';

/** How soon Aidbox is asked again for one address, so that a flood of wrong calls does not become a flood there. */
const LEAST_PAUSE_MS = 1_000;
const MAX_REMEMBERED = 10_000;

/**
 * What this process knows of the destinations, read from Aidbox every now and then. It may be behind: whoever is not found, or whose secret
 * does not fit, is asked for in Aidbox before anything is refused.
 */
export class DestinationDirectory {
  private readonly repository: DestinationRepository;
  private readonly clock: Clock;
  private known = new Map<string, Destination>();
  /** When each address (id and incarnation) was last asked for. */
  private readonly asked = new Map<string, number>();
  /** Questions that wait for their turn, by address. */
  private readonly waiting = new Map<string, Promise<Destination | undefined>>();

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

  /** The destination that takes notifications under this id and incarnation; undefined when Aidbox says that there is none. @throws AppError as `findFresh` */
  async find(id: string, incarnation: string): Promise<Destination | undefined> {
    const known = accepting(this.known.get(id), incarnation);
    return known ?? this.findFresh(id, incarnation);
  }

  /**
   * Like `find`, by an answer of Aidbox to a question that is asked after this call: what an earlier one said may be wrong since then. All who
   * call within a second share one question.
   * @throws AppError AIDBOX_…
   */
  findFresh(id: string, incarnation: string): Promise<Destination | undefined> {
    const address = `${id}/${incarnation}`;
    const waiting = this.waiting.get(address);
    if (waiting !== undefined) return waiting;
    const next = this.askInTurn(id, incarnation, address);
    this.waiting.set(address, next);
    return next;
  }

  private async askInTurn(id: string, incarnation: string, address: string): Promise<Destination | undefined> {
    const sinceMs = this.clock.monotonic() - (this.asked.get(address) ?? -Infinity);
    if (sinceMs < LEAST_PAUSE_MS) await this.clock.sleep(LEAST_PAUSE_MS - sinceMs);
    else await Promise.resolve(); // whoever comes in the same turn shares the question
    this.waiting.delete(address);
    if (this.asked.size > MAX_REMEMBERED) this.asked.clear();
    this.asked.set(address, this.clock.monotonic());
    const destination = await this.repository.get(id);
    if (destination === undefined) this.known.delete(id);
    else this.known.set(id, destination);
    return accepting(destination, incarnation);
  }
}

/** A destination still being created takes notifications already: Aidbox may post as soon as its side exists. */
function accepting(destination: Destination | undefined, incarnation: string): Destination | undefined {
  return destination?.incarnation === incarnation && destination.phase !== 'deleting' ? destination : undefined;
}
