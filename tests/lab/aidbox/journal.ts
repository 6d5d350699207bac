import { closeSync, existsSync, mkdirSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { readExactJson, writeExactJson } from '../../../scripts/generator/exact-json.ts';
import type { Json, TopicEvent, Version } from './resource.ts';

/** One line of the journal: a committed transaction, a delivery, or a wish to deliver again. */
export interface JournalRecord {
  readonly versions?: readonly Version[];
  /** `at` is the place of the event's version in `versions`. */
  readonly events?: readonly (Omit<TopicEvent, 'version'> & { readonly at: number })[];
  readonly destination?: string;
  readonly delivered?: readonly number[];
  readonly again?: readonly number[];
}

/** An append-only list of records that outlives the process. */
export interface Journal {
  /** The records of earlier runs, oldest first. */
  readAll(): JournalRecord[];
  append(record: JournalRecord): void;
  close(): void;
}

/** One JSON line per record. A last line that a kill cut short is dropped: its request was never answered. */
export function openJournal(stateDir: string): Journal {
  mkdirSync(stateDir, { recursive: true });
  const path = join(stateDir, 'journal.ndjson');
  if (existsSync(path)) dropTornLine(path);
  const file = openSync(path, 'a', 0o600);
  let isOpen = true;
  return {
    readAll: () =>
      readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => readExactJson(line) as unknown as JournalRecord),
    append: (record) => {
      assertOpen(isOpen);
      const bytes = Buffer.from(`${writeExactJson(record as unknown as Json)}\n`);
      for (let written = 0; written < bytes.length;) written += writeSync(file, bytes, written);
    },
    close: () => {
      if (isOpen) closeSync(file);
      isOpen = false;
    },
  };
}

/** The same for the life of this process only: `records` is what a restart in memory is rebuilt from. */
export function openMemoryJournal(records: JournalRecord[]): Journal {
  let isOpen = true;
  return {
    readAll: () => [...records],
    append: (record) => {
      assertOpen(isOpen);
      records.push(record);
    },
    close: () => {
      isOpen = false;
    },
  };
}

/** A request that outlives a stop must not write into the state of the next start. */
function assertOpen(isOpen: boolean): void {
  if (!isOpen) throw new Error('the Aidbox stand-in was stopped during the request');
}

function dropTornLine(path: string): void {
  const bytes = readFileSync(path);
  const end = bytes.lastIndexOf(10) + 1;
  if (end < bytes.length) truncateSync(path, end);
}
