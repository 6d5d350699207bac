import { setTimeout as pause } from 'node:timers/promises';
import { isAppError } from '../../../app/errors/app-error.ts';
import type { ObjectStore } from '../../../app/storage/object-store.ts';

/** A reader that follows a table's log for as long as a test runs, with its own eyes: nothing of the product but the object store. */
export interface TableWatch {
  /** Events that the commits read so far call written. */
  readonly events: number;
  /** The newest version read; -1 before the first. */
  readonly version: number;
  /** Rounds in which it read the log; those in which the store did not answer are not among them. */
  readonly rounds: number;
  /** What no reader may ever see: a hole, a damaged commit, a file that is not there, an event a second time. Empty in a sound run. */
  readonly faults: readonly string[];
  /** One last look, then the end. */
  stop(): Promise<void>;
}

interface Line {
  readonly add?: { readonly path: string };
  readonly commitInfo?: { readonly lakehouse?: { readonly written: readonly string[]; readonly quarantined: readonly string[] } };
}

const ROUND_PAUSE_MS = 200;
const commitName = (version: number): string => `_delta_log/${String(version).padStart(20, '0')}.json`;

export function watchTable(store: ObjectStore): TableWatch {
  const faults: string[] = [];
  const keys = new Set<string>();
  let version = -1;
  let rounds = 0;
  let stopped = false;

  const takeCommit = async (body: Uint8Array): Promise<void> => {
    const text = new TextDecoder().decode(body);
    const lines = text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Line]));
    for (const { add } of lines) {
      if (add !== undefined && (await store.head(decodeURIComponent(add.path))) === undefined) {
        faults.push(`version ${version + 1} adds ${add.path}, which is not there`);
      }
    }
    // From here on nothing waits: a commit is taken as a whole.
    for (const { commitInfo } of lines) {
      for (const key of commitInfo?.lakehouse?.written ?? []) {
        if (keys.has(key)) faults.push(`version ${version + 1} writes ${key}, which an earlier one wrote`);
        keys.add(key);
      }
      if ((commitInfo?.lakehouse?.quarantined.length ?? 0) > 0) faults.push(`version ${version + 1} quarantines`);
    }
  };

  /** As a reader does: lists the log, then reads what is new to it. */
  const look = async (): Promise<void> => {
    let newest = version;
    for await (const { path } of store.list('_delta_log/', commitName(Math.max(version, 0)))) {
      const found = /^_delta_log\/(\d{20})\.json$/.exec(path)?.[1];
      if (found !== undefined) newest = Math.max(newest, Number(found));
    }
    // A listing may miss what is made while it runs; what lies below something that it saw must be there.
    while (version < newest || version === -1) {
      const body = await store.read(commitName(version + 1));
      if (body === undefined) {
        if (version < newest) faults.push(`version ${version + 1} is not there, but ${newest} is`);
        return;
      }
      await takeCommit(body).catch((error: unknown) => {
        if (isAppError(error)) throw error;
        faults.push(`version ${version + 1} cannot be read: ${String(error)}`);
      });
      version += 1;
    }
  };

  const lookOnce = async (): Promise<boolean> => {
    try {
      await look();
      rounds += 1;
      return true;
    } catch (error) {
      if (!isAppError(error, 'STORAGE_UNAVAILABLE')) faults.push(`the log cannot be read: ${String(error)}`);
      return false; // killed just now
    }
  };
  const loop = (async () => {
    while (!stopped) {
      await lookOnce();
      await pause(ROUND_PAUSE_MS);
    }
  })();
  return {
    get events() {
      return keys.size;
    },
    get version() {
      return version;
    },
    get rounds() {
      return rounds;
    },
    faults,
    async stop() {
      stopped = true;
      await loop;
      await lookOnce();
    },
  };
}
