import { AppError } from '../errors/app-error.ts';
import type { Clock } from '../lib/clock.ts';
import type { Destination } from './destination.ts';
import type { DestinationRepository } from './destination-repository.ts';

/** How soon one address may be asked for again in Aidbox, so that a flood of wrong calls does not become a flood there. */
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
   * Like `find`, from Aidbox as it is now. What an earlier answer said may be wrong since then, so who asks again too soon is told to wait.
   * @throws AppError DESTINATION_ASKED_TOO_OFTEN (at most once a second for one address), AIDBOX_…
   */
  async findFresh(id: string, incarnation: string): Promise<Destination | undefined> {
    const address = `${id}/${incarnation}`;
    const nowMs = this.clock.monotonic();
    if (nowMs - (this.asked.get(address) ?? -Infinity) < LEAST_PAUSE_MS) {
      throw new AppError('DESTINATION_ASKED_TOO_OFTEN', 'Aidbox was asked for this destination less than a second ago', {
        retryAfterMs: LEAST_PAUSE_MS,
      });
    }
    if (this.asked.size > MAX_REMEMBERED) this.asked.clear();
    this.asked.set(address, nowMs);
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
