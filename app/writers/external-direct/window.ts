import type { Coverage } from '../writer.ts';
import type { CommitRecord, SeenCommit } from './commit-record.ts';

/** How far clocks may disagree (Aidbox's against ours, other engines' against both) before commit times mislead the window. */
export const CLOCK_ALLOWANCE_MS = 24 * 60 * 60 * 1000;
/** The same among our own replicas: receptions and our commits are both stamped by them. */
export const OWN_CLOCK_ALLOWANCE_MS = 2 * 60 * 60 * 1000;

/** How far back something reaches, and what bounds the commits below it. */
interface Edge {
  /** The version to read next when going backwards. */
  readonly reachesTo: number;
  /** Time of the commit above `reachesTo`, whoever wrote it: no older commit can hold an event born later. */
  readonly timestampMs: number | undefined;
  /** The oldest commit of ours that was looked at; undefined before the first. */
  readonly own: OwnCommit | undefined;
}

interface OwnCommit {
  readonly version: number;
  readonly timestampMs: number | undefined;
  /** No older commit holds an event born later. */
  readonly highWaterMicros: bigint | undefined;
  /** The first commit of the incarnation: nothing of ours is older. */
  readonly isFirst: boolean;
}

interface HeldCommit extends OwnCommit {
  readonly keys: readonly string[];
}

export type Settled = 'written' | 'quarantined';

/**
 * The keys of the events that the table holds, or calls quarantined, for the newest commits of one incarnation (design E3).
 * It knows how far back it reaches: own commits with a version above `reachesTo` are in it. Pure: the writer reads the log.
 */
export interface Window {
  /** The version to read next when going backwards. */
  readonly reachesTo: number;
  /** Largest `lastUpdated` settled so far; known once an own commit was taken in. */
  readonly highWaterMicros: bigint | undefined;
  settled(key: string): Settled | undefined;
  /** True when no commit at or below `reachesTo` can hold an event so covered. */
  covers(coverage: Coverage): boolean;
  /** True when every key of an event so covered is here, and the event was born after the destination. */
  knowsAll(coverage: Coverage): boolean;
  /**
   * Takes in the commit at `reachesTo`. Of commits beyond the bound on memory it keeps only the keys that are `wanted`: until the next
   * `trim` the window then answers for those keys alone.
   */
  extendBack(commit: SeenCommit, wanted: ReadonlySet<string>): void;
  /** Takes in a commit newer than all: our own new one, or a winner. */
  append(commit: SeenCommit): void;
  /** Forgets the oldest commits beyond the bound; only between batches, for a batch must keep seeing what it was checked against. */
  trim(): void;
}

/** @param maxKeys bound on memory: beyond it `trim` lets the oldest commits go; they are read again when an old event needs them */
export function makeWindow(headVersion: number, maxKeys: number): Window {
  let highWaterMicros: bigint | undefined;
  const keys = new Map<string, Settled>();
  /** What `keys` holds, whole commits: those read backwards, newest first, and those that came since, oldest first. */
  const back: HeldCommit[] = [];
  let front: HeldCommit[] = [];
  let edge: Edge = { reachesTo: headVersion, timestampMs: undefined, own: undefined };
  /** Beyond the bound: only what the batch in hand wants to know. */
  let deep: { edge: Edge; readonly keys: Map<string, Settled> } | undefined;

  const takeIn = (record: CommitRecord, into: Map<string, Settled>, isWanted: (key: string) => boolean): void => {
    for (const key of record.written) if (isWanted(key)) into.set(key, 'written');
    for (const key of record.quarantined) if (isWanted(key)) into.set(key, 'quarantined');
    if (record.highWaterMicros !== undefined && (highWaterMicros === undefined || record.highWaterMicros > highWaterMicros)) {
      highWaterMicros = record.highWaterMicros;
    }
  };
  const hold = (commit: SeenCommit, record: CommitRecord): HeldCommit => {
    takeIn(record, keys, () => true);
    return { ...describe(commit, record), keys: [...record.written, ...record.quarantined] };
  };
  /** What the commit held is no longer known, so "nothing of ours is older" no longer helps. */
  const letGo = (oldest: HeldCommit): void => {
    for (const key of oldest.keys) keys.delete(key);
    edge = { reachesTo: oldest.version, timestampMs: oldest.timestampMs, own: { ...oldest, isFirst: false } };
  };

  return {
    get reachesTo() {
      return (deep?.edge ?? edge).reachesTo;
    },
    get highWaterMicros() {
      return highWaterMicros;
    },
    settled: (key) => keys.get(key) ?? deep?.keys.get(key),
    covers: (coverage) => isBelow(deep?.edge ?? edge, coverage),
    knowsAll: (coverage) => isBelow(edge, coverage) && !(edge.own?.isFirst === true && mayPrecede(edge.own, coverage)),
    extendBack(commit, wanted) {
      const { record, timestampMs } = commit;
      const before = deep?.edge ?? edge;
      const isWithinBound = deep === undefined && keys.size < maxKeys;
      const own = record === undefined ? before.own : describe(commit, record);
      const next: Edge = { reachesTo: commit.version - 1, timestampMs, own };
      if (isWithinBound) {
        if (record !== undefined) back.push(hold(commit, record));
        edge = next;
      } else {
        deep = { edge: next, keys: deep?.keys ?? new Map<string, Settled>() };
        if (record !== undefined) takeIn(record, deep.keys, (key) => wanted.has(key));
      }
    },
    append(commit) {
      if (commit.record !== undefined) front.push(hold(commit, commit.record));
    },
    trim() {
      deep = undefined;
      while (keys.size > maxKeys && back.length > 0 && back.length + front.length > 1) letGo(back.pop()!);
      let dropped = 0;
      while (keys.size > maxKeys && back.length === 0 && dropped < front.length - 1) letGo(front[dropped++]!);
      if (dropped > 0) front = front.slice(dropped);
    },
  };
}

function describe(commit: SeenCommit, { highWaterMicros }: CommitRecord): OwnCommit {
  const { version, timestampMs, ownTransaction } = commit;
  return { version, timestampMs, highWaterMicros, isFirst: ownTransaction === 1 };
}

/** True when nothing below the edge can hold an event so covered. */
function isBelow({ timestampMs, own }: Edge, coverage: Coverage): boolean {
  if (own?.isFirst === true) return true;
  switch (coverage.kind) {
    case 'ever':
      return false;
    case 'delivery':
      return (
        isOlder(timestampMs, bornMs(coverage) - CLOCK_ALLOWANCE_MS) ||
        isOlder(own?.timestampMs, bornMs(coverage) - OWN_CLOCK_ALLOWANCE_MS)
      );
    case 'since':
      return (
        isOlder(timestampMs, bornMs(coverage) - CLOCK_ALLOWANCE_MS) ||
        // Without a mark nothing is known: its owner may have stopped reading at a time, above the marks of older commits.
        (own?.highWaterMicros !== undefined && own.highWaterMicros < coverage.lastUpdatedMicros)
      );
  }
}

/** True when an event so covered may be older than a commit of ours, as far as clocks can be trusted. */
function mayPrecede({ timestampMs }: OwnCommit, coverage: Coverage): boolean {
  return coverage.kind === 'ever' || !isOlder(timestampMs, bornMs(coverage) - OWN_CLOCK_ALLOWANCE_MS);
}

function bornMs(coverage: Exclude<Coverage, { kind: 'ever' }>): number {
  return coverage.kind === 'delivery' ? coverage.receivedAtMs : Number(coverage.lastUpdatedMicros / 1000n);
}

function isOlder(timestampMs: number | undefined, thanMs: number): boolean {
  return timestampMs !== undefined && timestampMs < thanMs;
}
