import { makeZerobusRowEncoder } from '../../databricks/zerobus-rows.ts';
import type { ZerobusClient } from '../../databricks/zerobus-client.ts';
import type { RowSender } from './row-sender.ts';

/** Safe within what is known of Zerobus (contract §2.4): the limits of a request are not published. */
const MAX_ROWS = 500;
const MAX_BYTES = 3.5 * 1024 * 1024;
/** An answer takes 150 to 500 ms, so a destination needs many requests on the way to be fast. */
const MAX_REQUESTS = 16;

/** So many events may be written at a time: several batches, where those are smaller than what can be on the way. */
export function eventsOnTheWay(batchSize: number): number {
  return Math.max(batchSize, MAX_REQUESTS * Math.min(MAX_ROWS, batchSize));
}

/** Sends rows by Zerobus. @param batchSize no request holds more rows (S0.18) */
export function makeZerobusSender(client: ZerobusClient, batchSize: number): RowSender {
  return {
    limits: { maxRows: Math.min(MAX_ROWS, batchSize), maxBytes: MAX_BYTES, maxRequests: MAX_REQUESTS, splitsEvents: true },
    makeRowEncoder: makeZerobusRowEncoder,
    send: (_columns, rows, signal) => client.insert(rows, signal),
    isRepeatable: () => false,
    renew: () => client.renew(),
    close: async () => undefined,
  };
}
