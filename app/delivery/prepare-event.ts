import { AppError, isAppError } from '../errors/app-error.ts';
import type { ChangeEvent, Notification } from '../fhir/notification.ts';
import { describeCause } from '../lib/describe-cause.ts';
import type { RowEncoder } from '../rows/row-encoder.ts';
import type { CompiledView } from '../view/compiled-view.ts';
import type { Coverage, PreparedEvent } from '../writers/writer.ts';
import { type DeletedContent, type DeletedContentSources, findDeletedContent } from './deleted-content.ts';
import { deliveryKey, eventKey, replayKey } from './event-key.ts';
import type { EventContent, FlattenEvent, SlowWork } from './open-notification.ts';
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

export interface PrepareContext extends Omit<DeletedContentSources, 'notifiedAt'> {
  /** Compiled as `quick` when there is a slow lane. */
  readonly view: CompiledView;
  readonly encoder: RowEncoder;
  /** Undefined where nothing has to be quick. */
  readonly slow?: SlowWork | undefined;
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
  context: PrepareContext & { readonly flatten: FlattenEvent },
): Promise<PendingEvent> {
  if (entry.kind === 'unreadable') {
    return rejectDelivery(place, new AppError('ENTRY_UNREADABLE', entry.reason), place.place);
  }
  const { event } = entry;
  const stable = place.replayOf === undefined ? eventKey(event) : replayKey(place.replayOf.key);
  const key = stable ?? deliveryKey(place.jobId, place.place);
  const base = {
    jobId: place.jobId,
    receivedAtMs: place.receivedAtMs,
    stableKey: stable !== undefined,
    key,
    version: versionOf(event, event.lastUpdatedMicros),
    replayOf: place.replayOf?.key,
    source: { place: place.place, body: place.body },
  };
  const resource = `${event.resourceType}/${event.id}`;
  if (event.resourceType !== context.view.resourceType) return { ...base, prepared: undefined };
  let changedAtMicros = event.lastUpdatedMicros;
  try {
    let given = event.resource;
    let deleted: DeletedContent | undefined;
    if (event.action === 'delete') {
      const notifiedAt = place.notificationTime ?? new Date(place.receivedAtMs).toISOString();
      deleted = await findDeletedContent(event, { ...context, notifiedAt });
      given = deleted.resource;
      changedAtMicros = deleted.deletedAtMicros ?? changedAtMicros;
    }
    if (given === undefined)
      throw new AppError(
        'ENTRY_UNREADABLE',
        'a create or update came without its resource: the topic destination must have content=full-resource',
      );
    const content: EventContent = {
      place: place.place,
      resource: given,
      isOfEvent: deleted?.isOfEvent ?? true,
      lastUpdated: deleted?.lastUpdated,
    };
    const made = context.flatten(content, {
      eventKey: key,
      versionId: event.versionId,
      action: event.action,
      receivedAtMs: place.receivedAtMs,
      correlationId: event.correlationId,
    });
    const rows = Array.isArray(made) ? made : await made;
    const version = versionOf(event, changedAtMicros);
    if (rows.length === 0) return { ...base, version, prepared: undefined };
    const coverage = coverageOf(changedAtMicros, stable !== undefined, place);
    return { ...base, version, prepared: { key, resource, coverage, content: { kind: 'rows', rows } } };
  } catch (error) {
    // A fault of our own that this event provokes must cost the event, not the destination.
    const fault = isAppError(error) ? error : new AppError('INTERNAL', `the event cannot be prepared (${describeCause(error)})`);
    if (!isAppError(fault, 'INTERNAL', ...FAULTS_OF_THE_EVENT)) throw error;
    // Without a time only the whole log could tell whether it was rejected before; a second rejection adds nothing to its entry.
    const coverage = coverageOf(changedAtMicros, false, place);
    return {
      ...base,
      prepared: { key, resource, coverage, content: { kind: 'rejected', code: fault.code, reason: fault.message } },
    };
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
    prepared: { key, resource: undefined, coverage, content: { kind: 'rejected', code: error.code, reason: error.message } },
    replayOf: place.replayOf?.key,
    source: { place: part, body: place.body },
  };
}

/** @param changedAtMicros by Aidbox's clock: no commit from before it holds the event */
function coverageOf(changedAtMicros: bigint | undefined, stable: boolean, { receivedAtMs, replayOf }: DeliveryPlace): Coverage {
  // No replay can be in a commit that is older than the entry it replays.
  if (replayOf !== undefined) return { kind: 'delivery', receivedAtMs: replayOf.quarantinedAtMs };
  if (changedAtMicros !== undefined) return { kind: 'since', lastUpdatedMicros: changedAtMicros };
  return stable ? { kind: 'ever' } : { kind: 'delivery', receivedAtMs };
}

function versionOf(event: ChangeEvent, lastUpdatedMicros: bigint | undefined): PendingEvent['version'] {
  if (lastUpdatedMicros === undefined) return undefined;
  return { resource: `${event.resourceType}/${event.id}`, lastUpdatedMicros, versionId: event.versionId ?? '' };
}
