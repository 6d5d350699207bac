import { setTimeout as pause } from 'node:timers/promises';
import type { TableLocation } from '../../../app/storage/table-location.ts';
import type { DeltaReader } from '../../helpers/services/delta-reader.ts';

/** Another engine that reads a whole table again and again while a test runs. */
export interface ReaderLoop {
  readonly readings: number;
  /** What no reading may ever be: failed, smaller than the one before, or with a row twice. Empty in a sound run. */
  readonly faults: readonly string[];
  stop(): Promise<void>;
}

/** Leaves the processors to the service for most of the time. */
const PAUSE_MS = 1_000;

export function startReaderLoop(reader: DeltaReader, table: TableLocation): ReaderLoop {
  const faults: string[] = [];
  let readings = 0;
  let rowsSeen = 0;
  let stopped = false;
  const readOnce = async (): Promise<void> => {
    try {
      const rows = await reader.readDeltaRows(table);
      readings += 1;
      const distinct = new Set(rows.map((row) => row['id'])).size;
      if (distinct !== rows.length) faults.push(`reading ${readings}: ${rows.length - distinct} of ${rows.length} rows are there twice`);
      if (rows.length < rowsSeen) faults.push(`reading ${readings}: ${rows.length} rows after ${rowsSeen}`);
      rowsSeen = rows.length;
    } catch (error) {
      faults.push(`a reading failed: ${String(error)}`);
    }
  };
  const loop = (async () => {
    while (!stopped) {
      await readOnce();
      await pause(PAUSE_MS);
    }
  })();
  return {
    get readings() {
      return readings;
    },
    faults,
    async stop() {
      stopped = true;
      await loop;
    },
  };
}
