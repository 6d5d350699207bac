import { AppError } from '../errors/app-error.ts';
import { isCompressed, parseNotification, type Notification } from '../fhir/notification.ts';
import { makeNotificationReducer } from '../fhir/reduce-notification.ts';
import type { RowContext } from '../rows/row-encoder.ts';
import type { Row } from '../rows/table-type.ts';
import type { FlattenJob } from '../slow-lane/protocol.ts';
import type { SlowLane, SlowNotification } from '../slow-lane/slow-lane.ts';
import type { Resource } from '../view/compiled-view.ts';
import { parseExactly } from '../view/exact-json.ts';
import { VIEW_TOO_SLOW } from '../view/limits.ts';
import type { PrepareContext } from './prepare-event.ts';
import { decodeSpooled } from './spooled-notification.ts';

/** Larger notifications are read in a thread: hostile JSON takes up to 120 ns a byte, and with digits kept ten times as much. */
export const QUICK_BODY_BYTES = 256 * 1024;
const QUICK_EXACT_BODY_BYTES = 32 * 1024;

/** The resource that gives the rows of an event. */
export interface EventContent {
  /** Of the event in its notification. */
  readonly place: number;
  readonly resource: Resource;
  /** True when it is that of the notification, which a thread may hold instead of us. */
  readonly isOfEvent: boolean;
  /** Set when its `meta.lastUpdated` was replaced by this. */
  readonly lastUpdated: string | undefined;
}

/** The rows of one event, ready for the table. @throws AppError VIEW_EVALUATION_FAILED, VALUE_NOT_CONVERTIBLE; what `SlowNotification` throws */
export type FlattenEvent = (content: EventContent, context: RowContext) => Row[] | Promise<Row[]>;

/** A notification that was read, and what makes the rows of its events. */
export interface OpenNotification {
  readonly notification: Notification;
  readonly flatten: FlattenEvent;
  /** True once a thread worked at it. */
  readonly usesThread: boolean;
}

/** Where work goes that would keep others waiting. */
export interface SlowWork {
  readonly lane: SlowLane;
  readonly job: FlattenJob;
}

/**
 * Reads a notification: here when that is quickly done, else in a thread (adr/0014). What was read here and turns out to need more time than
 * others can wait goes there too.
 *
 * @throws AppError NOTIFICATION_INVALID, NOTIFICATION_TOO_LARGE; what `SlowLane.open` throws
 */
export async function openNotification(
  body: Uint8Array,
  { view, encoder, slow }: PrepareContext,
  signal: AbortSignal,
): Promise<OpenNotification> {
  const spooled = decodeSpooled(body);
  if (spooled !== undefined)
    throw new AppError(
      'NOTIFICATION_TOO_LARGE',
      `a notification of ${spooled.sizeBytes} bytes lies in spool file ${spooled.file}`,
    );
  const exactly = encoder.needsExactDecimals;
  let there: SlowNotification | undefined;
  const flattenThere = async (
    { lane, job }: SlowWork,
    { place, resource, isOfEvent, lastUpdated }: EventContent,
    context: RowContext,
  ): Promise<Row[]> => {
    there ??= await lane.open(job, body, exactly, signal);
    return there.flatten(isOfEvent ? { kind: 'event', place, lastUpdated } : { kind: 'text', json: toJson(resource) }, context);
  };
  if (slow !== undefined && isLarge(body, exactly)) {
    there = await slow.lane.open(slow.job, body, exactly, signal);
    return {
      notification: there.notification,
      flatten: (content, context) => flattenThere(slow, content, context),
      usesThread: true,
    };
  }
  return {
    notification: parseNotification(body, exactly ? parseExactly : undefined),
    flatten: (content, context) => {
      try {
        return encoder.encode(view.evaluate(content.resource), context);
      } catch (error) {
        if (error !== VIEW_TOO_SLOW || slow === undefined) throw error;
        return flattenThere(slow, content, context);
      }
    },
    get usesThread() {
      return there !== undefined;
    },
  };
}

function isLarge(body: Uint8Array, exactly: boolean): boolean {
  return body.byteLength > (exactly ? QUICK_EXACT_BODY_BYTES : QUICK_BODY_BYTES) || isCompressed(body);
}

function toJson(resource: Resource): string {
  try {
    return JSON.stringify(resource);
  } catch {
    throw new AppError('VIEW_EVALUATION_FAILED', 'the content of a deletion is nested too deeply');
  }
}

/** Cuts a notification down to single events (`ReduceNotification`). */
export async function reduceNotification(
  body: Uint8Array,
  places: readonly number[],
  slow: SlowWork | undefined,
  signal: AbortSignal,
): Promise<readonly (Uint8Array | undefined)[]> {
  if (slow !== undefined && isLarge(body, false)) return slow.lane.reduce(body, places, signal);
  const reduce = makeNotificationReducer(body);
  return places.map(reduce);
}
