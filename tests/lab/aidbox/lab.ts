import { readExactJson, toPlainJson, writeExactJson } from '../../../scripts/generator/exact-json.ts';
import { makeRandom } from '../../../scripts/generator/random.ts';
import { makeBox, type Box, type LabCounters, type LabResponse } from './box.ts';
import { dispatch, runInitBundle } from './dispatch.ts';
import { startHttpServer, type HttpServer } from './http-server.ts';
import { openJournal, openMemoryJournal, type Journal, type JournalRecord } from './journal.ts';
import {
  DEFAULT_SWITCHES,
  fillIn,
  fillOptions,
  NO_FAULTS,
  type LabFaults,
  type LabOptions,
  type LabSwitches,
} from './options.ts';
import type { Json, Resource, Version } from './resource.ts';

/** A stored version as tests see it: numbers in `resource` are plain, `text` has their digits as they were written. */
export interface LabVersion extends Version {
  readonly text: string;
}

/** One event of one destination. */
export interface LabEvent extends LabVersion {
  readonly eventId: number;
  readonly isDelivered: boolean;
}

export interface LabStats {
  /** By `METHOD status`. */
  readonly requests: Readonly<Record<string, number>>;
  readonly appCalls: number;
  readonly appFailures: number;
  readonly restarts: number;
  readonly resources: number;
  readonly versions: number;
  readonly events: number;
  readonly eventsQueued: number;
  /** Of the senders that run now, since they started; attempts are the failed ones. */
  readonly batchesDelivered: number;
  readonly batchAttempts: number;
  readonly eventsDelivered: number;
  readonly eventAttempts: number;
}

export interface LabCallOptions {
  /** An object is written as JSON (with `decimal` marks as digits), a string is sent as it is. */
  readonly body?: Json | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface LabAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  /** Parsed JSON with plain numbers; undefined when the answer has none. */
  readonly body: Json | undefined;
}

/** The running stand-in. */
export interface AidboxLab {
  readonly url: string;
  readonly rootClient: { readonly id: string; readonly secret: string };
  readonly switches: Readonly<LabSwitches>;
  readonly faults: Readonly<LabFaults>;
  close(): Promise<void>;
  /** As a crash: HTTP is down, deliveries under way are cut off. Events stay. */
  stop(): Promise<void>;
  /** Come back on the same port from the durable state. */
  start(): Promise<void>;
  restart(): Promise<void>;
  setFaults(faults: Partial<LabFaults>): void;
  clearFaults(): void;
  setSwitches(switches: Partial<LabSwitches>): void;
  stats(): LabStats;
  /** Send a request as the root client without going over the network. */
  call(method: string, path: string, options?: LabCallOptions): Promise<LabAnswer>;
  resource(type: string, id: string): Resource | undefined;
  /** Versions of a type or of one resource, oldest first, deletes included. */
  history(type: string, id?: string): LabVersion[];
  /** Every event that a destination ever had, in the order of the writes: what must arrive. */
  events(destinationId: string): LabEvent[];
  /** Events not yet accepted, of one destination or of all. */
  eventsQueued(destinationId?: string): number;
  /** Deliver events again that were accepted before; returns how many. */
  redeliver(destinationId: string, eventIds: readonly number[] | 'all'): number;
  /** Views made by $materialize: name → type. */
  materializedViews(): ReadonlyMap<string, string>;
}

interface Running {
  readonly box: Box;
  readonly http: HttpServer;
  readonly journal: Journal;
}

/** Start the stand-in; README.md tells what it does. @throws when the port is taken or the init bundle fails */
export async function startAidboxLab(given: LabOptions = {}): Promise<AidboxLab> {
  const options = fillOptions(given);
  const switches: LabSwitches = fillIn(DEFAULT_SWITCHES, given.switches);
  const faults: LabFaults = fillIn(NO_FAULTS, given.faults);
  const random = makeRandom(options.seed);
  const counters: LabCounters = { requests: new Map(), appCalls: 0, appFailures: 0, restarts: 0 };
  const records: JournalRecord[] = [];
  let port = options.port;
  let running: Running | undefined;
  let isOpen = false;

  async function start(): Promise<void> {
    if (running !== undefined) return;
    const journal = options.stateDir === undefined ? openMemoryJournal(records) : openJournal(options.stateDir);
    const http = await startHttpServer({
      port,
      maxBodyBytes: options.maxBodyBytes,
      slowAnswerMs: () => faults.slowAnswerMs,
      // Connections that come before the init bundle has run are dropped as if nobody listened.
      answer: async (request) => (isOpen && running ? dispatch(running.box, request) : { status: 503, isCut: true }),
      count: (method, status) => {
        const key = `${method} ${status}`;
        counters.requests.set(key, (counters.requests.get(key) ?? 0) + 1);
      },
    });
    port = http.port;
    const baseUrl = options.baseUrl ?? `http://127.0.0.1:${port}`;
    const box = makeBox({ options, baseUrl, switches, faults, random, counters, journal });
    running = { box, http, journal };
    try {
      if (options.initBundle !== undefined) await runInitBundle(box, options.initBundle);
    } catch (error) {
      await stop();
      throw error;
    }
    box.senders.sync();
    isOpen = true;
  }

  async function stop(): Promise<void> {
    const stopped = running;
    running = undefined;
    isOpen = false;
    if (stopped === undefined) return;
    stopped.box.senders.close();
    await stopped.http.close();
    stopped.journal.close();
  }

  function box(): Box {
    if (running === undefined) throw new Error('the Aidbox stand-in is stopped');
    return running.box;
  }

  await start();
  return {
    get url() {
      return `http://127.0.0.1:${port}`;
    },
    rootClient: options.rootClient,
    switches,
    faults,
    start,
    stop,
    close: stop,
    restart: async () => {
      await stop();
      counters.restarts++;
      await start();
    },
    setFaults: (changes) => {
      Object.assign(faults, changes);
      running?.box.senders.pump();
    },
    clearFaults: () => {
      Object.assign(faults, NO_FAULTS);
      running?.box.senders.pump();
    },
    setSwitches: (changes) => {
      Object.assign(switches, changes);
      running?.box.topics.forget();
    },
    stats: () => makeStats(box()),
    call: (method, path, callOptions = {}) => callBox(box(), method, path, callOptions),
    resource: (type, id) => {
      const resource = box().store.current(type, id);
      return resource && toPlainJson(resource);
    },
    history: (type, id) => box().store.history(type, id).map(toLabVersion),
    events: (destinationId) => {
      const queued = new Set(box().store.waiting(destinationId));
      const events = box().store.events(destinationId);
      return events.map((event) => ({ ...toLabVersion(event.version), eventId: event.id, isDelivered: !queued.has(event) }));
    },
    eventsQueued: (destinationId) => box().store.waitingCount(destinationId),
    redeliver: (destinationId, eventIds) => {
      const again = box().store.requeue(destinationId, eventIds);
      box().senders.add(again);
      return again.length;
    },
    materializedViews: () => box().materialized,
  };
}

function makeStats(box: Box): LabStats {
  const { requests, ...counters } = box.counters;
  const { waiting, ...counts } = box.store.counts();
  const totals = { batchesDelivered: 0, batchAttempts: 0, eventsDelivered: 0, eventAttempts: 0 };
  for (const { counters: own } of box.senders.counters()) {
    totals.batchesDelivered += own.batchesDelivered;
    totals.batchAttempts += own.batchAttempts;
    totals.eventsDelivered += own.eventsDelivered;
    totals.eventAttempts += own.eventAttempts;
  }
  return { requests: Object.fromEntries(requests), ...counters, ...counts, eventsQueued: waiting, ...totals };
}

async function callBox(box: Box, method: string, target: string, { body, headers = {} }: LabCallOptions): Promise<LabAnswer> {
  const { id, secret } = box.options.rootClient;
  const authorization = `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
  const text = body === undefined ? '' : typeof body === 'string' ? body : writeExactJson(body);
  const lowerCase = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const response = await dispatch(box, {
    method,
    target,
    headers: { authorization, ...lowerCase },
    text,
    remoteAddress: '127.0.0.1',
  });
  return { status: response.status, headers: response.headers ?? {}, body: readAnswer(response) };
}

function readAnswer({ body, raw }: LabResponse): Json | undefined {
  if (raw !== undefined) return raw.length === 0 ? undefined : toPlainJson(readExactJson(raw.toString()));
  return body === undefined ? undefined : toPlainJson(body);
}

function toLabVersion(version: Version): LabVersion {
  return { ...version, resource: toPlainJson(version.resource), text: writeExactJson(version.resource) };
}
