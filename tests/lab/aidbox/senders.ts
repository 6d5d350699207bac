import { WEBHOOK_KIND } from './aidbox-check.ts';
import { refuse } from './outcome.ts';
import { Sender, type SenderContext } from './sender.ts';
import type { JsonObject, Resource, TopicEvent } from './resource.ts';
import type { Store } from './store.ts';
import type { Topics } from './topics.ts';

/** The senders of this node, kept in step with the stored destinations (§3.2). */
export class Senders {
  readonly #store: Store;
  readonly #topics: Topics;
  readonly #context: Omit<SenderContext, 'acknowledge'>;
  readonly #running = new Map<string, Sender>();
  readonly #starting = new Map<string, NodeJS.Timeout>();

  constructor(store: Store, topics: Topics, context: Omit<SenderContext, 'acknowledge'>) {
    this.#store = store;
    this.#topics = topics;
    this.#context = context;
  }

  /** Start and stop senders after topics or destinations changed, and once at the start. */
  sync(startDelayMs = 0): void {
    const wanted = new Map(
      this.#store
        .all('AidboxTopicDestination')
        .filter(
          (destination) => destination['kind'] === WEBHOOK_KIND && this.#topics.problemOf(destination.id ?? '') === undefined,
        )
        .map((destination) => [destination.id ?? '', destination]),
    );
    for (const id of [...this.#running.keys(), ...this.#starting.keys()]) {
      if (!wanted.has(id)) this.#stop(id);
    }
    for (const [id, destination] of wanted) {
      if (this.#running.has(id) || this.#starting.has(id)) continue;
      if (startDelayMs === 0) this.#start(id, destination);
      else
        this.#starting.set(
          id,
          setTimeout(() => this.#start(id, destination), startDelayMs),
        );
    }
  }

  /** Hand new events to their senders; those without one wait in the store. */
  add(events: readonly TopicEvent[]): void {
    for (const [destinationId, sender] of this.#running) {
      const own = events.filter((event) => event.destinationId === destinationId);
      if (own.length > 0) sender.add(own);
    }
  }

  /** Faults changed: something may be allowed to go now. */
  pump(): void {
    for (const sender of this.#running.values()) sender.pump();
  }

  close(): void {
    for (const id of [...this.#running.keys(), ...this.#starting.keys()]) this.#stop(id);
  }

  counters(): readonly { destinationId: string; counters: Readonly<Sender['counters']> }[] {
    return [...this.#running].map(([destinationId, sender]) => ({ destinationId, counters: { ...sender.counters } }));
  }

  /**
   * The Parameters of `$status` (§3.7).
   *
   * @throws Refusal 404 for an unknown destination, 500 when it has no sender
   */
  status(destinationId: string): Resource {
    if (this.#store.current('AidboxTopicDestination', destinationId) === undefined) {
      throw refuse(404, 'not-found', `AidboxTopicDestination/${destinationId} not found`);
    }
    const sender = this.#running.get(destinationId);
    if (sender === undefined) {
      const reason = `Internal server error: AidboxTopicDestination/${destinationId} has no sender associated with it`;
      throw refuse(500, 'exception', reason);
    }
    const { counters, errors, startedAt } = sender;
    const numbers = {
      messageBatchesDelivered: counters.batchesDelivered,
      messageBatchesDeliveryAttempts: counters.batchAttempts,
      messagesDelivered: counters.eventsDelivered,
      messagesDeliveryAttempts: counters.eventAttempts,
      messagesInProcess: counters.inProcess,
      messagesQueued: this.#store.waitingCount(destinationId),
    };
    const parameter: JsonObject[] = [
      ...Object.entries(numbers).map(([name, valueDecimal]) => ({ name, valueDecimal })),
      { name: 'startTimestamp', valueDateTime: startedAt.toISOString() },
      { name: 'status', valueString: 'active' },
      ...errors.map(({ message, timestamp }) => ({
        name: 'lastErrorDetail',
        part: [
          { name: 'message', valueString: message },
          { name: 'timestamp', valueDateTime: timestamp },
        ],
      })),
    ];
    return { resourceType: 'Parameters', parameter };
  }

  #start(id: string, destination: Resource): void {
    this.#starting.delete(id);
    const acknowledge = (events: readonly TopicEvent[]): void => this.#store.acknowledge(id, events);
    this.#running.set(id, new Sender(destination, this.#store.waiting(id), { ...this.#context, acknowledge }));
  }

  #stop(id: string): void {
    clearTimeout(this.#starting.get(id));
    this.#starting.delete(id);
    this.#running.get(id)?.close();
    this.#running.delete(id);
  }
}
