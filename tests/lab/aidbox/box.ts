import type { Random } from '../../../scripts/generator/random.ts';
import type { FormatRules } from './formats.ts';
import type { Journal } from './journal.ts';
import type { FilledOptions, LabFaults, LabSwitches } from './options.ts';
import type { Json, Resource, TopicEvent, Version } from './resource.ts';
import { Senders } from './senders.ts';
import { Store } from './store.ts';
import { Topics } from './topics.ts';

/** One running Aidbox: everything its parts share. Rebuilt by a restart, except for switches and faults. */
export interface Box {
  readonly options: FilledOptions;
  readonly baseUrl: string;
  readonly switches: LabSwitches;
  readonly faults: LabFaults;
  readonly random: Random;
  readonly store: Store;
  readonly topics: Topics;
  readonly senders: Senders;
  /** Views made by $materialize: name → type (`view`, `table`, …). */
  readonly materialized: Map<string, string>;
  readonly counters: LabCounters;
}

/** What the stand-in counts since its start; a restart does not reset it. */
export interface LabCounters {
  /** By `METHOD status`. */
  readonly requests: Map<string, number>;
  appCalls: number;
  appFailures: number;
  restarts: number;
}

export type Format = 'fhir' | 'aidbox';

/** A request as the handlers see it. */
export interface LabRequest {
  readonly method: string;
  /** Path as it was sent, without the query. */
  readonly uri: string;
  /** Parts of the path, not decoded, without empty ones. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
  /** Parsed JSON; undefined when there is none. */
  readonly body: Json | undefined;
  /** Fields of a form body. */
  readonly form: URLSearchParams | undefined;
  readonly remoteAddress: string;
  /** The authenticated client; undefined for anonymous requests. */
  readonly client: Resource | undefined;
  readonly isBundleEntry: boolean;
}

export interface LabResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: Json;
  /** Sent as it is, in the place of `body`. */
  readonly raw?: Buffer;
  /** Sent chunk by chunk, in the place of `body`. */
  readonly chunks?: Iterable<string>;
  /** The connection is dropped without an answer. */
  readonly isCut?: boolean;
}

/** What a box is made of; the same objects go into the next box of a restart. */
export type BoxParts = Pick<Box, 'options' | 'baseUrl' | 'switches' | 'faults' | 'random' | 'counters'> & {
  readonly journal: Journal;
};

/** Rebuild the state from the journal. Senders do not run before `box.senders.sync()`. */
export function makeBox(parts: BoxParts): Box {
  const { options, baseUrl, switches, faults, random, journal } = parts;
  const store: Store = new Store({
    journal,
    createdAtUrl: options.createdAtUrl,
    strictlyIncreasingTime: options.strictlyIncreasingTime,
    nowMicros: () => Math.floor((performance.timeOrigin + performance.now() + faults.clockOffsetMs) * 1000),
    transactionSharesVersion: () => switches.transactionSharesVersion,
    findListeners: (current, previous) => {
      if (isTopicPart(current)) topics.forget();
      return topics.findListeners(current, previous);
    },
    onCommit: (versions, events) => afterCommit(versions, events),
  });
  const topics = new Topics(store, () => switches);
  const senders = new Senders(store, topics, {
    baseUrl,
    retryIntervalMs: options.retryIntervalMs,
    random,
    secrets: options.secrets,
    faults: () => faults,
    switches: () => switches,
    before: ({ type, id, versionId }) => {
      const versions = store.history(type, id);
      return versions[versions.findIndex((version) => version.versionId === versionId) - 1];
    },
  });
  // New events first: a sender that `sync` starts takes what waits in the store, these included.
  function afterCommit(versions: readonly Version[], events: readonly TopicEvent[]): void {
    senders.add(events);
    if (versions.some(isTopicPart)) senders.sync(faults.senderStartDelayMs);
  }
  return { ...parts, store, topics, senders, materialized: new Map() };
}

function isTopicPart(version: Version): boolean {
  return version.type === 'AidboxSubscriptionTopic' || version.type === 'AidboxTopicDestination';
}

export function formatRules(box: Box): FormatRules {
  const { aidboxPrimitiveExtension, correctAidboxFormat } = box.switches;
  return { aidboxPrimitiveExtension, correctAidboxFormat, createdAtUrl: box.options.createdAtUrl };
}
