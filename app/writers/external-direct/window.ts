import type { Coverage } from '../writer.ts';
import type { CommitRecord, SeenCommit } from './commit-record.ts';

/** How far clocks may disagree (Aidbox's against ours, our replicas' among themselves) before commit times mislead the window. */
export const CLOCK_ALLOWANCE_MS = 24 * 60 * 60 * 1000;

/** What is known about the oldest own commit that was looked at: it bounds what older commits can hold. */
interface Floor {
  readonly highWaterMicros: bigint | undefined;
  /** The first commit of the incarnation: nothing of ours is older. */
  readonly first: boolean;
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
  /** Takes in the commit at `reachesTo`. */
  extendBack(commit: SeenCommit): void;
  /** Takes in a commit newer than all: our own new one, or a winner. */
  append(commit: SeenCommit): void;
  /** Forgets the oldest commits beyond the bound; only between batches, for a batch must keep seeing what it was checked against. */
  trim(): void;
}

/** @param maxKeys bound on memory: beyond it `trim` lets the oldest commits go; they are read again when an old event needs them */
export function makeWindow(headVersion: number, maxKeys: number): Window {
  let reachesTo = headVersion;
  let floor: Floor | undefined;
  /** Time of the commit above `reachesTo`, whoever wrote it: no older commit can hold an event born later. */
  let timestampMs: number | undefined;
  let highWaterMicros: bigint | undefined;
  const keys = new Map<string, Settled>();
  let commits: {
    readonly version: number;
    readonly record: CommitRecord;
    readonly floor: Floor;
    readonly timestampMs: number | undefined;
  }[] = []; // oldest first

  const takeIn = (record: CommitRecord): void => {
    for (const key of record.written) keys.set(key, 'written');
    for (const key of record.quarantined) keys.set(key, 'quarantined');
    if (record.highWaterMicros !== undefined && (highWaterMicros === undefined || record.highWaterMicros > highWaterMicros)) {
      highWaterMicros = record.highWaterMicros;
    }
  };
  const describe = (commit: SeenCommit, record: CommitRecord): (typeof commits)[number] => ({
    version: commit.version,
    record,
    timestampMs: commit.timestampMs,
    floor: { highWaterMicros: record.highWaterMicros, first: commit.ownTransaction === 1 },
  });
  const trim = (): void => {
    let dropped = 0;
    while (keys.size > maxKeys && dropped < commits.length - 1) {
      const oldest = commits[dropped]!;
      for (const key of [...oldest.record.written, ...oldest.record.quarantined]) keys.delete(key);
      reachesTo = oldest.version;
      timestampMs = oldest.timestampMs;
      floor = { ...oldest.floor, first: false }; // what it held is no longer known, so "nothing is older" no longer helps
      dropped += 1;
    }
    if (dropped > 0) commits = commits.slice(dropped);
  };

  return {
    get reachesTo() {
      return reachesTo;
    },
    get highWaterMicros() {
      return highWaterMicros;
    },
    settled: (key) => keys.get(key),
    covers(coverage) {
      if (floor?.first) return true;
      if (coverage.kind === 'ever') return false;
      const bornMs = coverage.kind === 'since' ? Number(coverage.lastUpdatedMicros / 1000n) : coverage.receivedAtMs;
      if (timestampMs !== undefined && timestampMs < bornMs - CLOCK_ALLOWANCE_MS) return true;
      // Without a mark nothing is known: its owner may have stopped reading at a time, above the marks of older commits.
      return (
        coverage.kind === 'since' && floor?.highWaterMicros !== undefined && floor.highWaterMicros < coverage.lastUpdatedMicros
      );
    },
    extendBack(commit) {
      reachesTo = commit.version - 1;
      timestampMs = commit.timestampMs;
      if (commit.record === undefined) return;
      takeIn(commit.record);
      const described = describe(commit, commit.record);
      floor = described.floor;
      commits.unshift(described);
    },
    append(commit) {
      if (commit.record === undefined) return;
      takeIn(commit.record);
      commits.push(describe(commit, commit.record));
    },
    trim,
  };
}
