import { isAppError } from '../../errors/app-error.ts';
import type { Row } from '../../rows/table-type.ts';
import type { PreparedEvent, Rejection } from '../writer.ts';
import type { EncodedEvent } from './plan-requests.ts';
import type { SendLimits } from './row-sender.ts';

/** The texts of all rows of events. What has none, or a row that no request can hold, goes to `refused`. */
export function encodeEvents(
  events: readonly PreparedEvent[],
  encode: (row: Row) => string,
  { maxBytes }: SendLimits,
  refused: Map<string, Rejection>,
): readonly EncodedEvent[] {
  return events.flatMap((event) => {
    if (event.content.kind !== 'rows') return [];
    try {
      const rows = event.content.rows.map(encode);
      const sizes = rows.map((row) => Buffer.byteLength(row) + 1);
      const largest = sizes.reduce((most, size) => Math.max(most, size), 0);
      if (largest <= maxBytes) return [{ event, rows, bytes: sizes.reduce((sum, size) => sum + size, 0) }];
      const reason = `a row of ${largest} bytes is larger than a request may be (${maxBytes} bytes)`;
      refused.set(event.key, { code: 'DATABRICKS_ROW_REFUSED', reason });
    } catch (error) {
      if (!isAppError(error, 'VALUE_NOT_CONVERTIBLE', 'SQL_ROW_REFUSED')) throw error;
      refused.set(event.key, { code: error.code, reason: error.message });
    }
    return [];
  });
}
