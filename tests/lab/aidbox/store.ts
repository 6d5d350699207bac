import type { Journal, JournalRecord } from './journal.ts';
import { isObject, type Action, type Resource, type TopicEvent, type Version } from './resource.ts';

export interface StoreOptions {
  readonly journal: Journal;
  readonly createdAtUrl: string;
  readonly strictlyIncreasingTime: boolean;
  /** Microseconds since 1970, fault offset included. */
  readonly nowMicros: () => number;
  readonly transactionSharesVersion: () => boolean;
  /** Destinations that a write is an event for; asked inside the transaction of the write, one entry per event. */
  readonly findListeners: (current: Version, previous: Version | undefined) => readonly string[];
  /** Told after each committed transaction. */
  readonly onCommit: (versions: readonly Version[], events: readonly TopicEvent[]) => void;
}

interface OpenTransaction {
  readonly versions: Version[];
  readonly events: TopicEvent[];
  readonly correlationId: string | undefined;
  stamp?: { readonly versionId: string; readonly lastUpdated: string };
}

/** All versions of all resources and the events that wait for delivery, changed together in one transaction (§3.6). */
export class Store {
  readonly #options: StoreOptions;
  readonly #histories = new Map<string, Map<string, Version[]>>();
  readonly #writes = new Map<string, Version[]>();
  readonly #events = new Map<string, TopicEvent[]>();
  readonly #waiting = new Map<string, Map<number, TopicEvent>>();
  #sequence = 0;
  #lastMicros = 0;
  #lastEventId = 0;
  #open: OpenTransaction | undefined;

  constructor(options: StoreOptions) {
    this.#options = options;
    for (const record of options.journal.readAll()) this.#replay(record);
  }

  /** The newest version, a delete included. */
  newest(type: string, id: string): Version | undefined {
    return this.#histories.get(type)?.get(id)?.at(-1);
  }

  /** The resource as it is now; undefined when it never was or is deleted. */
  current(type: string, id: string): Resource | undefined {
    const newest = this.newest(type, id);
    return newest?.action === 'delete' ? undefined : newest?.resource;
  }

  /** Everything of one type that is not deleted, in order of first creation. */
  all(type: string): Resource[] {
    return this.allVersions(type).map((version) => version.resource);
  }

  allVersions(type: string): Version[] {
    const newest = [...(this.#histories.get(type)?.values() ?? [])].map((history) => history.at(-1));
    return newest.filter((version) => version !== undefined && version.action !== 'delete') as Version[];
  }

  /** All versions of a type or of one resource, oldest first. */
  history(type: string, id?: string): readonly Version[] {
    return (id === undefined ? this.#writes.get(type) : this.#histories.get(type)?.get(id)) ?? [];
  }

  /** Every event a destination ever had, delivered or not, oldest first. */
  events(destinationId: string): readonly TopicEvent[] {
    return this.#events.get(destinationId) ?? [];
  }

  /** Events not yet delivered, oldest first. */
  waiting(destinationId: string): TopicEvent[] {
    return [...(this.#waiting.get(destinationId)?.values() ?? [])];
  }

  /** Events not yet delivered, of one destination or of all. */
  waitingCount(destinationId?: string): number {
    if (destinationId !== undefined) return this.#waiting.get(destinationId)?.size ?? 0;
    return [...this.#waiting.values()].reduce((total, queue) => total + queue.size, 0);
  }

  counts(): { resources: number; versions: number; events: number; waiting: number } {
    const sum = (sizes: Iterable<number>): number => [...sizes].reduce((total, size) => total + size, 0);
    return {
      resources: sum([...this.#histories.keys()].map((type) => this.allVersions(type).length)),
      versions: sum([...this.#writes.values()].map((list) => list.length)),
      events: sum([...this.#events.values()].map((list) => list.length)),
      waiting: this.waitingCount(),
    };
  }

  /** Run `work` so that all its writes and their events become visible and durable together, or none. Must not wait. */
  transaction<T>(correlationId: string | undefined, work: () => T): T {
    if (this.#open !== undefined) return work();
    const open: OpenTransaction = { versions: [], events: [], correlationId };
    this.#open = open;
    let result: T;
    try {
      result = work();
    } catch (error) {
      for (const version of open.versions.toReversed()) this.#forget(version);
      throw error;
    } finally {
      this.#open = undefined;
    }
    if (open.versions.length > 0) {
      for (const event of open.events) this.#enqueue(event);
      for (const version of open.versions) this.#dropQueueOf(version);
      this.#options.journal.append(toRecord(open));
      this.#options.onCommit(open.versions, open.events);
    }
    return result;
  }

  /** Write the next version. Only inside `transaction`. */
  write(action: Action, content: Resource & { id: string }): Version {
    const open = this.#open;
    if (open === undefined) throw new Error('Store.write outside of a transaction');
    const previous = this.newest(content.resourceType, content.id);
    const stamp = this.#stamp(open);
    const isNew = previous === undefined || previous.action === 'delete';
    const createdAt = isNew ? stamp.lastUpdated : previous.createdAt;
    const version: Version = {
      type: content.resourceType,
      id: content.id,
      ...stamp,
      createdAt,
      action,
      resource: { ...content, meta: this.#metaOf(content, stamp, createdAt) },
    };
    this.#remember(version);
    open.versions.push(version);
    for (const destinationId of this.#options.findListeners(version, isNew ? undefined : previous)) {
      const before = open.events.filter((event) => event.destinationId === destinationId).length;
      const number = this.events(destinationId).length + before + 1;
      const correlation = open.correlationId === undefined ? {} : { correlationId: open.correlationId };
      open.events.push({ id: ++this.#lastEventId, destinationId, number, version, ...correlation });
    }
    return version;
  }

  /** Take delivered events off the queue. */
  acknowledge(destinationId: string, events: readonly TopicEvent[]): void {
    const ids = events.map((event) => event.id);
    const queue = this.#waiting.get(destinationId);
    if (queue === undefined) return;
    for (const id of ids) queue.delete(id);
    this.#options.journal.append({ delivered: ids, destination: destinationId });
  }

  /** Queue delivered events once more; returns those that were not waiting. */
  requeue(destinationId: string, ids: readonly number[] | 'all'): TopicEvent[] {
    const queue = this.#waiting.get(destinationId);
    const again = this.events(destinationId).filter(
      (event) => (ids === 'all' || ids.includes(event.id)) && !queue?.has(event.id),
    );
    for (const event of again) this.#queueOf(destinationId).set(event.id, event);
    this.#options.journal.append({ again: again.map((event) => event.id), destination: destinationId });
    return again;
  }

  #stamp(open: OpenTransaction): { versionId: string; lastUpdated: string } {
    if (open.stamp !== undefined && this.#options.transactionSharesVersion()) return open.stamp;
    const now = this.#options.nowMicros();
    const least = this.#lastMicros + (this.#options.strictlyIncreasingTime ? 1 : 0);
    // A clock set back by more than a second shows; smaller steps are smoothed.
    this.#lastMicros = now >= least || least - now > 1_000_000 ? now : least;
    open.stamp = { versionId: String(++this.#sequence), lastUpdated: formatMicros(this.#lastMicros) };
    return open.stamp;
  }

  #metaOf(content: Resource, stamp: { versionId: string; lastUpdated: string }, createdAt: string): Resource['meta'] {
    const url = this.#options.createdAtUrl;
    const given = content.meta?.['extension'];
    const others = Array.isArray(given) ? given.filter((extension) => !isObject(extension) || extension['url'] !== url) : [];
    return { ...content.meta, ...stamp, extension: [...others, { url, valueInstant: createdAt }] };
  }

  #remember(version: Version): void {
    const ofType = this.#histories.get(version.type) ?? new Map<string, Version[]>();
    this.#histories.set(version.type, ofType);
    append(ofType, version.id, version);
    append(this.#writes, version.type, version);
  }

  #forget(version: Version): void {
    const ofType = this.#histories.get(version.type);
    const history = ofType?.get(version.id);
    history?.pop();
    if (history?.length === 0) ofType?.delete(version.id);
    this.#writes.get(version.type)?.pop();
  }

  #enqueue(event: TopicEvent): void {
    append(this.#events, event.destinationId, event);
    this.#queueOf(event.destinationId).set(event.id, event);
  }

  /** §3.2: deleting a destination drops what was not delivered. */
  #dropQueueOf(version: Version): void {
    if (version.type === 'AidboxTopicDestination' && version.action === 'delete') this.#waiting.delete(version.id);
  }

  #queueOf(destinationId: string): Map<number, TopicEvent> {
    const queue = this.#waiting.get(destinationId) ?? new Map<number, TopicEvent>();
    this.#waiting.set(destinationId, queue);
    return queue;
  }

  #replay(record: JournalRecord): void {
    for (const version of record.versions ?? []) {
      this.#remember(version);
      this.#sequence = Math.max(this.#sequence, Number(version.versionId));
      this.#lastMicros = Math.max(this.#lastMicros, parseMicros(version.lastUpdated));
    }
    for (const { at, ...event } of record.events ?? []) {
      const version = record.versions?.[at];
      if (version === undefined) throw new Error(`journal: event ${event.id} names version ${at} which its record does not hold`);
      this.#enqueue({ ...event, version });
      this.#lastEventId = Math.max(this.#lastEventId, event.id);
    }
    for (const version of record.versions ?? []) this.#dropQueueOf(version);
    if (record.destination === undefined) return;
    for (const id of record.delivered ?? []) this.#waiting.get(record.destination)?.delete(id);
    const again = new Set(record.again);
    if (again.size === 0) return;
    for (const event of this.events(record.destination)) {
      if (again.has(event.id)) this.#queueOf(record.destination).set(event.id, event);
    }
  }
}

function toRecord({ versions, events }: OpenTransaction): JournalRecord {
  return { versions, events: events.map(({ version, ...event }) => ({ ...event, at: versions.indexOf(version) })) };
}

function append<K, V>(lists: Map<K, V[]>, key: K, item: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}

function formatMicros(micros: number): string {
  const seconds = new Date(Math.floor(micros / 1000)).toISOString().slice(0, 19);
  return `${seconds}.${String(micros % 1_000_000).padStart(6, '0')}Z`;
}

function parseMicros(instant: string): number {
  return Date.parse(`${instant.slice(0, 19)}Z`) * 1000 + Number(instant.slice(20, 26));
}
