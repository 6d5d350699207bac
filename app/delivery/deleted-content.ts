import { AppError, isAppError } from '../errors/app-error.ts';
import { parseInstantMicros } from '../fhir/instant.ts';
import type { ChangeEvent } from '../fhir/notification.ts';
import type { Resource } from '../view/compiled-view.ts';
import type { Writer } from '../writers/writer.ts';
import { versionKey } from './event-key.ts';
import type { LastValuesSource } from './last-values.ts';

export interface DeletedContent {
  /** Last known content with the time of the deletion as `meta.lastUpdated`: without it the latest-state query cannot see the deletion. */
  readonly resource: Resource;
  /** True when it is that of the event, not of the history. */
  readonly isOfEvent: boolean;
  /** Set when its `meta.lastUpdated` was replaced by this. */
  readonly lastUpdated: string | undefined;
  /** That time, microseconds, where the history told it. */
  readonly deletedAtMicros: bigint | undefined;
}

export interface DeletedContentSources {
  readonly lastValues: LastValuesSource;
  /** A delete that carries the version of a write was sent with the meta of the state before. */
  readonly holds: Writer['holds'];
  /** Time of the notification, an instant: stands for the time of a deletion that nothing else tells. */
  readonly notifiedAt: string;
}

/** Whose `meta` a deleted resource was sent with (contract §3.5 leaves it open). */
type MetaOf = 'deletion' | 'state before' | 'unknown';

/**
 * Content and time of a deletion. A notification without a resource, or with the meta of the state before, is completed from the history;
 * where the history cannot be read either, the time of the notification stands for that of the deletion.
 *
 * @throws AppError DELETE_WITHOUT_CONTENT, HISTORY_NOT_READABLE for this event alone; AIDBOX_UNAVAILABLE, AIDBOX_REFUSED
 */
export async function findDeletedContent(
  event: ChangeEvent,
  { lastValues, holds, notifiedAt }: DeletedContentSources,
): Promise<DeletedContent> {
  const { resource } = event;
  const metaOf = judgeMeta(event, holds);
  if (resource !== undefined && metaOf === 'deletion') return ofEvent(resource);
  const found = await lastValues.read(event.resourceType, event.id, event.versionId).catch((error: unknown) => {
    if (resource !== undefined && isAppError(error, 'HISTORY_NOT_READABLE')) return undefined;
    throw error;
  });
  const deletedAtMicros = found === undefined ? undefined : readLastUpdatedMicros(found.resource);
  const isNews = metaOf !== 'unknown' || isLater(deletedAtMicros, event.lastUpdatedMicros);
  if (found !== undefined && isNews) {
    return { resource: found.resource, isOfEvent: false, lastUpdated: undefined, deletedAtMicros };
  }
  if (resource === undefined)
    throw new AppError('DELETE_WITHOUT_CONTENT', 'a deletion came without the resource, and its history holds no content either');
  if (metaOf === 'unknown') return ofEvent(resource);
  const meta = (resource as { meta?: object }).meta ?? {};
  return { ...ofEvent({ ...resource, meta: { ...meta, lastUpdated: notifiedAt } }), lastUpdated: notifiedAt };
}

function ofEvent(resource: Resource): DeletedContent {
  return { resource, isOfEvent: true, lastUpdated: undefined, deletedAtMicros: undefined };
}

/** The extension of the entry tells by naming another version, the table by holding the write of the same version or by not holding it. */
function judgeMeta(event: ChangeEvent, holds: Writer['holds']): MetaOf {
  if (event.hasOtherMeta || event.lastUpdated === undefined) return 'state before';
  if (event.lastUpdatedMicros === undefined) return 'deletion'; // no time that could be compared
  const isWrite = holds(versionKey(event, false), { kind: 'since', lastUpdatedMicros: event.lastUpdatedMicros });
  return isWrite === undefined ? 'unknown' : isWrite ? 'state before' : 'deletion';
}

function readLastUpdatedMicros(resource: Resource): bigint | undefined {
  const { lastUpdated } = (resource['meta'] ?? {}) as { readonly lastUpdated?: unknown };
  return typeof lastUpdated === 'string' ? parseInstantMicros(lastUpdated) : undefined;
}

function isLater(micros: bigint | undefined, than: bigint | undefined): boolean {
  return micros !== undefined && than !== undefined && micros > than;
}
