import { AppError, isAppError } from '../errors/app-error.ts';
import type { ChangeEvent, Notification } from '../fhir/notification.ts';
import { describeCause } from '../lib/describe-cause.ts';
import type { RowEncoder } from '../rows/row-encoder.ts';
import type { CompiledView, Resource } from '../view/compiled-view.ts';
import type { Coverage, PreparedEvent, Writer } from '../writers/writer.ts';
import { deliveryKey, eventKey, replayKey, versionKey } from './event-key.ts';
import type { LastValuesSource } from './last-values.ts';
import type { QuarantinedDelivery } from './quarantined-delivery.ts';

/** One event of a job on its way to the table. */
export interface PendingEvent {
  readonly jobId: string;
  readonly receivedAtMs: number;
  /** False when only its delivery names it: a repetition cannot be recognised, so it is at-least-once. */
  readonly stableKey: boolean;
  /** Sorts the versions of one resource; undefined for what cannot be sorted. */
  readonly version: { readonly resource: string; readonly lastUpdatedMicros: bigint; readonly versionId: string } | undefined;
  /** Undefined when the view yields no row for it: there is nothing to write. */
  readonly prepared: PreparedEvent | undefined;
  /** Key, also when there is nothing to write. */
  readonly key: string;
  /** Key of the quarantine entry that this event replays; the entry goes when the event is settled. */
  readonly replayOf: string | undefined;
  /** What quarantine keeps. */
  readonly source: QuarantinedDelivery;
}

export interface PrepareContext {
  readonly view: CompiledView;
  readonly encoder: RowEncoder;
  readonly lastValues: LastValuesSource;
  /** Tells whether the table holds a key: a delete that carries the version of a write was sent with the meta of the state before. */
  readonly holds: Writer['holds'];
}

/** The place of an event in what was delivered. */
export interface DeliveryPlace {
  readonly jobId: string;
  readonly place: number;
  readonly receivedAtMs: number;
  readonly notificationTime: string | undefined;
  /** The whole delivery, as it came. */
  readonly body: Uint8Array;
  /** Set for the replay of a quarantined event: the key of its entry, and when that was made (epoch ms). */
  readonly replayOf: { readonly key: string; readonly quarantinedAtMs: number } | undefined;
}

/** Faults that lie in the event itself; every other one may pass, or concerns more than this event. */
const FAULTS_OF_THE_EVENT = [
  'VIEW_EVALUATION_FAILED',
  'VALUE_NOT_CONVERTIBLE',
  'ENTRY_UNREADABLE',
  'DELETE_WITHOUT_CONTENT',
  'HISTORY_NOT_READABLE',
] as const;

/**
 * Flattens one entry of a notification. What cannot be written becomes a rejection with its reason, never an exception; only faults that
 * may pass (Aidbox or the table's store does not answer) are thrown.
 */
export async function prepareEvent(
  entry: Notification['events'][number],
  place: DeliveryPlace,
  context: PrepareContext,
): Promise<PendingEvent> {
  if (entry.kind === 'unreadable') {
    return rejectDelivery(place, new AppError('ENTRY_UNREADABLE', entry.reason), place.place);
  }
  const { event } = entry;
  const stable = place.replayOf === undefined ? eventKey(event) : replayKey(place.replayOf.key);
  const key = stable ?? deliveryKey(place.jobId, place.place);
  const coverage = coverageOf(event, stable !== undefined, place);
  const base = {
    jobId: place.jobId,
    receivedAtMs: place.receivedAtMs,
    stableKey: stable !== undefined,
    key,
    version:
      event.lastUpdatedMicros === undefined
        ? undefined
        : {
            resource: `${event.resourceType}/${event.id}`,
            lastUpdatedMicros: event.lastUpdatedMicros,
            versionId: event.versionId ?? '',
          },
    replayOf: place.replayOf?.key,
    source: { place: place.place, body: place.body },
  };
  if (event.resourceType !== context.view.resourceType) return { ...base, prepared: undefined };
  try {
    const resource = event.action === 'delete' ? await deletedContent(event, coverage, place, context) : event.resource;
    if (resource === undefined)
      throw new AppError(
        'ENTRY_UNREADABLE',
        'a create or update came without its resource: the topic destination must have content=full-resource',
      );
    const rows = context.encoder.encode(context.view.evaluate(resource), {
      eventKey: key,
      versionId: event.versionId,
      action: event.action,
      receivedAtMs: place.receivedAtMs,
      correlationId: event.correlationId,
    });
    return { ...base, prepared: rows.length === 0 ? undefined : { key, coverage, content: { kind: 'rows', rows } } };
  } catch (error) {
    // A fault of our own that this event provokes must cost the event, not the destination.
    const fault = isAppError(error) ? error : new AppError('INTERNAL', `the event cannot be prepared (${describeCause(error)})`);
    if (!isAppError(fault, 'INTERNAL', ...FAULTS_OF_THE_EVENT)) throw error;
    return { ...base, prepared: { key, coverage, content: { kind: 'rejected', code: fault.code, reason: fault.message } } };
  }
}

/**
 * A delivery, or the `part` of it, that nobody can understand: kept whole in quarantine.
 */
export function rejectDelivery(place: DeliveryPlace, error: AppError, part?: number): PendingEvent {
  const key = place.replayOf === undefined ? deliveryKey(place.jobId, place.place) : replayKey(place.replayOf.key);
  const coverage: Coverage = { kind: 'delivery', receivedAtMs: place.replayOf?.quarantinedAtMs ?? place.receivedAtMs };
  return {
    jobId: place.jobId,
    receivedAtMs: place.receivedAtMs,
    stableKey: false,
    version: undefined,
    key,
    prepared: { key, coverage, content: { kind: 'rejected', code: error.code, reason: error.message } },
    replayOf: place.replayOf?.key,
    source: { place: part, body: place.body },
  };
}

function coverageOf(event: ChangeEvent, stable: boolean, { receivedAtMs, replayOf }: DeliveryPlace): Coverage {
  // No replay can be in a commit that is older than the entry it replays.
  if (replayOf !== undefined) return { kind: 'delivery', receivedAtMs: replayOf.quarantinedAtMs };
  if (event.lastUpdatedMicros !== undefined) return { kind: 'since', lastUpdatedMicros: event.lastUpdatedMicros };
  return stable ? { kind: 'ever' } : { kind: 'delivery', receivedAtMs };
}

/**
 * Last known content with the time of the deletion as `meta.lastUpdated`: without it the latest-state query cannot see the deletion.
 * A notification without a resource, or with the meta of the state before, is completed from the history (contract §3.5); where the
 * history cannot be read either, the time of the notification stands for that of the deletion.
 */
async function deletedContent(
  event: ChangeEvent,
  coverage: Coverage,
  place: DeliveryPlace,
  context: PrepareContext,
): Promise<Resource> {
  const { resource } = event;
  if (resource !== undefined && event.lastUpdated !== undefined && !(await hasMetaOfBefore(event, coverage, context)))
    return resource;
  const fromHistory = await context.lastValues.read(event.resourceType, event.id, event.versionId).catch((error: unknown) => {
    if (resource !== undefined && isAppError(error, 'HISTORY_NOT_READABLE')) return undefined;
    throw error;
  });
  if (fromHistory !== undefined) return fromHistory.resource;
  if (resource === undefined) {
    throw new AppError('DELETE_WITHOUT_CONTENT', 'a deletion came without the resource, and its history holds no content either');
  }
  const meta = (resource as { meta?: object }).meta ?? {};
  return {
    ...resource,
    meta: { ...meta, lastUpdated: place.notificationTime ?? new Date(place.receivedAtMs).toISOString() },
  };
}

/** Aidbox may send a deleted resource as it was: its extension then names another version, or the table holds the write of its version. */
async function hasMetaOfBefore(event: ChangeEvent, coverage: Coverage, { holds }: PrepareContext): Promise<boolean> {
  return event.hasOtherMeta || (coverage.kind === 'since' && holds(versionKey(event, false), coverage));
}
