import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeExactJson } from '../../../scripts/generator/exact-json.ts';
import type { Random } from '../../../scripts/generator/random.ts';
import { secretName } from './aidbox-check.ts';
import { sendPost } from './http-post.ts';
import { makeNotification, type NotificationShape } from './notification.ts';
import type { LabFaults, LabSwitches } from './options.ts';
import { parametersNamed, stringOf, type JsonObject, type Resource, type TopicEvent, type Version } from './resource.ts';

/** What a sender needs from the stand-in. */
export interface SenderContext {
  readonly baseUrl: string;
  readonly retryIntervalMs: number;
  readonly random: Random;
  readonly secrets: Readonly<Record<string, string>>;
  readonly faults: () => LabFaults;
  readonly switches: () => LabSwitches;
  /** The version of the same resource that came before. */
  readonly before: (version: Version) => Version | undefined;
  /** Take delivered events off the durable queue. */
  readonly acknowledge: (events: readonly TopicEvent[]) => void;
}

/** Counters of one sender since its start (§3.7); `attempts` are the failed ones. */
export interface SenderCounters {
  batchesDelivered: number;
  batchAttempts: number;
  eventsDelivered: number;
  eventAttempts: number;
  inProcess: number;
}

interface Batch {
  readonly events: readonly TopicEvent[];
  readonly statusId: string;
}

/** Delivers the events of one webhook destination: batch by batch, each until it is accepted. */
export class Sender {
  readonly startedAt = new Date();
  readonly counters: SenderCounters = {
    batchesDelivered: 0,
    batchAttempts: 0,
    eventsDelivered: 0,
    eventAttempts: 0,
    inProcess: 0,
  };
  /** Newest last, at most five. */
  readonly errors: { message: string; timestamp: string }[] = [];
  readonly #context: SenderContext;
  readonly #shape: NotificationShape;
  readonly #endpoint: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #timeoutMs: number;
  readonly #maxInBatch: number;
  readonly #agent: HttpAgent;
  readonly #closing = new AbortController();
  #waiting: TopicEvent[];
  #recut: TopicEvent[][] = [];
  #underWay = 0;

  constructor(destination: Resource, waiting: readonly TopicEvent[], context: SenderContext) {
    this.#context = context;
    this.#waiting = [...waiting];
    this.#shape = readShape(destination);
    this.#endpoint = stringOf(parametersNamed(destination, 'endpoint')[0]?.['valueUrl']) ?? '';
    this.#headers = readHeaders(destination, context.secrets);
    this.#timeoutMs = readNumber(destination, 'timeout', 'valueUnsignedInt', 30) * 1000;
    this.#maxInBatch = Math.max(1, readNumber(destination, 'maxMessagesInBatch', 'valueUnsignedInt', 20));
    const keepAliveSeconds = readNumber(destination, 'keepAlive', 'valueInteger', 120);
    const agentOptions = { keepAlive: keepAliveSeconds > 0, keepAliveMsecs: Math.max(keepAliveSeconds, 1) * 1000 };
    this.#agent = this.#endpoint.startsWith('https:') ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions);
    this.pump();
  }

  add(events: readonly TopicEvent[]): void {
    this.#waiting.push(...events);
    this.pump();
  }

  /** Start as many deliveries as may run now. */
  pump(): void {
    const { parallelSends, pauseSenders } = this.#context.faults();
    while (!this.#closing.signal.aborted && !pauseSenders && this.#underWay < parallelSends) {
      const events = this.#recut.shift() ?? this.#cutBatch();
      if (events.length === 0) return;
      this.#underWay++;
      this.counters.inProcess += events.length;
      void this.#deliver({ events, statusId: this.#makeId() }).finally(() => {
        this.#underWay--;
        this.counters.inProcess -= events.length;
        this.pump();
      });
    }
  }

  /** Stop at once: deliveries under way are cut off and stay queued in the store. */
  close(): void {
    this.#closing.abort();
    this.#agent.destroy();
  }

  #cutBatch(): TopicEvent[] {
    const { random, faults } = this.#context;
    const isAhead = this.#waiting.length > this.#maxInBatch && random.chance(faults().reorder);
    return this.#waiting.splice(isAhead ? random.between(1, this.#waiting.length - this.#maxInBatch) : 0, this.#maxInBatch);
  }

  async #deliver(batch: Batch): Promise<void> {
    const { random, faults, retryIntervalMs } = this.#context;
    const closing = this.#closing.signal;
    try {
      for (;;) {
        await this.#waitBeforeSend();
        const failure = await this.#attempt(batch);
        if (closing.aborted) return;
        if (failure === undefined) {
          this.counters.batchesDelivered++;
          this.counters.eventsDelivered += batch.events.length;
          this.#context.acknowledge(batch.events);
          return;
        }
        this.counters.batchAttempts++;
        this.counters.eventAttempts += batch.events.length;
        this.errors.push({ message: failure, timestamp: new Date().toISOString() });
        if (this.errors.length > 5) this.errors.shift();
        await sleep(retryIntervalMs, undefined, { signal: closing });
        if (faults().recut) {
          const pool = random.shuffle([...batch.events, ...this.#waiting.splice(0, random.between(0, this.#maxInBatch))]);
          while (pool.length > 0) this.#recut.push(pool.splice(0, random.between(1, this.#maxInBatch)));
          return;
        }
      }
    } catch (error) {
      if (!closing.aborted) throw error;
    }
  }

  async #waitBeforeSend(): Promise<void> {
    const { random, faults } = this.#context;
    const signal = this.#closing.signal;
    while (faults().pauseSenders) await sleep(10, undefined, { signal });
    const delayMs = random.between(0, faults().maxDelayMs);
    if (delayMs > 0) await sleep(delayMs, undefined, { signal });
  }

  /** One try, doubled when the fault says so. Returns why it failed, undefined when it was accepted. */
  async #attempt(batch: Batch): Promise<string | undefined> {
    const { random, faults } = this.#context;
    if (!random.chance(faults().doubledPost)) return this.#post(batch);
    if (!faults().doubledConcurrently) {
      await this.#post(batch);
      return this.#post(batch);
    }
    const [first] = await Promise.all([this.#post(batch), this.#post(batch)]);
    return first;
  }

  async #post(batch: Batch): Promise<string | undefined> {
    const { random, faults, switches, baseUrl } = this.#context;
    const statusId = switches().statusId === 'per-batch' ? batch.statusId : this.#makeId();
    const context = { baseUrl, statusId, now: new Date(), switches: switches(), before: this.#context.before };
    const cut = random.chance(faults().lost2xx) ? 'answer' : random.chance(faults().cutBody) ? 'request' : undefined;
    try {
      const answer = await sendPost({
        url: this.#endpoint,
        headers: { 'content-type': switches().webhookContentType, ...this.#headers },
        body: writeExactJson(makeNotification(this.#shape, batch.events, context)),
        timeoutMs: this.#timeoutMs,
        agent: this.#agent,
        signal: this.#closing.signal,
        cut,
        redirects: switches().redirects === 'follow' ? 5 : 0,
      });
      const limit = switches().redirects === 'success' ? 400 : 300;
      return answer.status >= 200 && answer.status < limit ? undefined : `the endpoint answered ${answer.status}`;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }

  #makeId(): string {
    const part = (): string => this.#context.random.between(0, 0xffffffff).toString(16).padStart(8, '0');
    return `${part()}-${part()}`;
  }
}

function readShape(destination: Resource): NotificationShape {
  const content = destination['content'];
  return {
    destinationId: destination.id ?? '',
    topic: stringOf(destination['topic']) ?? '',
    content: content === 'id-only' || content === 'empty' ? content : 'full-resource',
    includeEntryAction: destination['includeEntryAction'] === true,
    includeVersionId: destination['includeVersionId'] === true,
    includeVersionIdInFocusReference: destination['includeVersionIdInFocusReference'] === true,
  };
}

function readNumber(destination: Resource, name: string, element: string, otherwise: number): number {
  const value = parametersNamed(destination, name)[0]?.[element];
  return typeof value === 'number' ? value : otherwise;
}

function readHeaders(destination: Resource, secrets: Readonly<Record<string, string>>): Record<string, string> {
  const lineOf = (parameter: JsonObject): string =>
    stringOf(parameter['valueString']) ?? secrets[secretName(parameter) ?? ''] ?? '';
  const headers: Record<string, string> = {};
  for (const line of parametersNamed(destination, 'header').map(lineOf)) {
    const colon = line.indexOf(':');
    if (colon > 0) headers[line.slice(0, colon).trim().toLowerCase()] = line.slice(colon + 1).trim();
  }
  return headers;
}
