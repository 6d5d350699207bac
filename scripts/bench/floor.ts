import { readFile } from 'node:fs/promises';
import { createTable } from '../../app/delta/create-table.ts';
import { encodeDataFile } from '../../app/delta/data-file.ts';
import { tableColumns } from '../../app/delta/schema.ts';
import { parseNotification } from '../../app/fhir/notification.ts';
import { makeRowEncoder } from '../../app/rows/row-encoder.ts';
import { tableColumnsForView } from '../../app/rows/table-schema.ts';
import type { Row } from '../../app/rows/table-type.ts';
import { compileView } from '../../app/view/compile-view.ts';
import { makeMemoryObjectStore } from '../../tests/helpers/memory-object-store.ts';
import { EVENTS_PER_NOTIFICATION, makeNotificationSource } from './notifications.ts';

const OBSERVATION_VIEW = new URL('../../manifests/view-definitions/observation-flat.json', import.meta.url);

/** Rows per second of what no way from the webhook to a table can do without: the same bodies parsed, flattened and encoded in one process. */
export async function measureFloor(seconds: number, batchSize: number): Promise<number> {
  const view = compileView(JSON.parse(await readFile(OBSERVATION_VIEW, 'utf8')));
  const snapshot = await createTable(makeMemoryObjectStore(), tableColumnsForView(view), { nowMs: 0 });
  const encoder = makeRowEncoder(view, tableColumns(snapshot));
  const source = makeNotificationSource(1, 'floor');
  const bodies = Array.from({ length: 500 }, () => source.next(EVENTS_PER_NOTIFICATION));
  let rows = 0;
  let batch: Row[] = [];
  const startedAtMs = performance.now();
  for (let next = 0; performance.now() - startedAtMs < seconds * 1000; next += 1) {
    for (const entry of parseNotification(bodies[next % bodies.length]!).events) {
      if (entry.kind !== 'event' || entry.event.resource === undefined) continue;
      const { action, versionId, correlationId } = entry.event;
      batch.push(
        ...encoder.encode(view.evaluate(entry.event.resource), {
          eventKey: '',
          versionId,
          action,
          receivedAtMs: 0,
          correlationId,
        }),
      );
    }
    if (batch.length >= batchSize) {
      encodeDataFile(snapshot, encoder.columns, batch);
      rows += batch.length;
      batch = [];
    }
  }
  return Math.round(rows / ((performance.now() - startedAtMs) / 1000));
}
