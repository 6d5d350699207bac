import type { ObjectStore } from '../../../app/storage/object-store.ts';
import { readTableContents } from '../../helpers/table-contents.ts';

/** What a trace ended in. Names of events, sorted; a name that stands twice happened twice. */
export interface Verdict {
  /** Rows of the table. */
  readonly table: readonly string[];
  /** Entries of the quarantine. */
  readonly quarantine: readonly string[];
  /** Events in jobs that nobody delivered. */
  readonly waiting: readonly string[];
  /** Accepted, and nowhere; without what the store lost by itself and what the user dropped. */
  readonly lost: readonly string[];
  /** Keys that the log settles more than once, by writing or by quarantine. */
  readonly settledTwice: readonly string[];
  /** Versions that are missing from the log. */
  readonly gaps: readonly number[];
  /** Commits of an incarnation that landed after the next one existed. */
  readonly late: number;
  /** Commits that landed between delete and create. */
  readonly afterDelete: number;
  /** What keeps the destination from going on. */
  readonly stoppedBy: string | undefined;
}

/** What every trace must end in, but for what is said of it. */
export function goodVerdict(said: Partial<Verdict>): Verdict {
  const nothing = {
    table: [],
    quarantine: [],
    waiting: [],
    lost: [],
    settledTwice: [],
    gaps: [],
    late: 0,
    afterDelete: 0,
    stoppedBy: undefined,
  };
  return { ...nothing, ...said };
}

/** The part of a verdict that the table gives. Fails when the log names a file that is not there. */
export async function judgeTable(reader: ObjectStore): Promise<Pick<Verdict, 'table' | 'settledTwice' | 'gaps'>> {
  const { rows, written, quarantined, versions } = await readTableContents(reader);
  const settled = [...written, ...quarantined];
  const head = Math.max(...versions);
  return {
    table: rows.map((row) => String(row['id'])).sort(),
    settledTwice: settled.filter((key, index) => settled.indexOf(key) !== index),
    gaps: Array.from({ length: head }, (_, version) => version).filter((version) => !versions.includes(version)),
  };
}
