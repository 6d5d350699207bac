import { createHash } from 'node:crypto';
import type { ChangeEvent } from '../fhir/notification.ts';

/** 96 bits as 16 characters of base64url: a collision would lose an event, so not shorter (design E1). */
function hash(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest().subarray(0, 12).toString('base64url');
}

/**
 * The key of an event, the same in every repetition of it. A delete may carry the version of the state before, so it has a key of its own.
 * Undefined when the event has no version and no time: then only `deliveryKey` can name it.
 */
export function eventKey(event: ChangeEvent): string | undefined {
  if (event.versionId === undefined && event.lastUpdated === undefined) return undefined;
  return versionKey(event, event.action === 'delete');
}

/** The key that a write of the same version has: a delete that carries it was sent with the meta of the state before. */
export function versionKey(event: ChangeEvent, isDelete: boolean): string {
  return hash([event.resourceType, event.id, event.versionId ?? '', event.lastUpdated ?? '', isDelete ? 'delete' : 'write']);
}

/** The key of a replay: two orders to replay the same entry write once (design E9). */
export function replayKey(key: string): string {
  return hash(['replay', key]);
}

/** The key of something known only by its place in one delivery: stable while that job lives, at-least-once beyond it. */
export function deliveryKey(jobId: string, place: number): string {
  return hash(['delivery', jobId, String(place)]);
}
