import { gunzipSync } from 'node:zlib';
import { AppError } from '../errors/app-error.ts';
import { asArray, asObject, asText, type Json } from '../lib/json.ts';
import type { Resource } from '../view/compiled-view.ts';
import { parseInstantMicros } from './instant.ts';

/** `write` stands for a create or an update that the notification does not tell apart. */
export type EventAction = 'create' | 'update' | 'delete' | 'write';

/** One entry of a notification: one version of one resource. */
export interface ChangeEvent {
  readonly action: EventAction;
  readonly resourceType: string;
  readonly id: string;
  readonly versionId: string | undefined;
  /** True for a deletion whose resource has the `meta` of another version: that of the state before. */
  readonly hasOtherMeta: boolean;
  /** `meta.lastUpdated` as received. */
  readonly lastUpdated: string | undefined;
  readonly lastUpdatedMicros: bigint | undefined;
  /** Undefined when the notification carries none (some deletes). */
  readonly resource: Resource | undefined;
  readonly correlationId: string | undefined;
}

/** What one notification holds. Entries that cannot be understood stand beside the good ones, each with its place. */
export interface Notification {
  readonly timestamp: string | undefined;
  readonly events: readonly (
    | { readonly kind: 'event'; readonly event: ChangeEvent }
    | { readonly kind: 'unreadable'; readonly reason: string; readonly entry: unknown }
  )[];
}

/** Guards against a small body that unpacks into a huge one. Aidbox does not compress. */
const MAX_UNPACKED_BYTES = 32 * 1024 * 1024;
/** Each entry becomes an event in memory, and may become a quarantine entry with the whole body. Aidbox sends 20 unless told otherwise. */
const MAX_ENTRIES = 10_000;
const ACTION_EXTENSION = /bundle-entryActionCode$/;
const VERSION_EXTENSION = /bundle-entryVersionId$/;
const STATUS_TYPES = new Set(['AidboxSubscriptionStatus', 'SubscriptionStatus']);

/**
 * The events of a notification Bundle as Aidbox posts it (contract §3.4, §3.5).
 * Identity comes from the resource, else `fullUrl`, else the focus of the status entry; the action from its extension, else `DELETE`;
 * the version from `meta`, but that of a deletion from its extension first.
 *
 * @param parseJson replaces JSON.parse where the digits of decimals matter
 * @throws AppError NOTIFICATION_INVALID when the body is no such Bundle at all; NOTIFICATION_TOO_LARGE when it holds more than memory should
 */
export function parseNotification(body: Uint8Array, parseJson: (text: string) => unknown = JSON.parse): Notification {
  let parsed: unknown;
  try {
    parsed = parseJson(
      new TextDecoder('utf-8', { fatal: true }).decode(
        isCompressed(body) ? gunzipSync(body, { maxOutputLength: MAX_UNPACKED_BYTES }) : body,
      ),
    );
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE') {
      throw new AppError(
        'NOTIFICATION_TOO_LARGE',
        `the body (${body.byteLength} bytes) unpacks to more than ${MAX_UNPACKED_BYTES} bytes`,
      );
    }
    throw new AppError(
      'NOTIFICATION_INVALID',
      `the body (${body.byteLength} bytes) is not JSON in UTF-8; a FHIR Bundle was expected`,
    );
  }
  const bundle = asObject(parsed);
  if (bundle?.['resourceType'] !== 'Bundle' || !Array.isArray(bundle['entry'])) {
    throw new AppError('NOTIFICATION_INVALID', 'the body is JSON but not a FHIR Bundle with entries');
  }
  if (bundle['entry'].length > MAX_ENTRIES) {
    throw new AppError(
      'NOTIFICATION_TOO_LARGE',
      `the Bundle has ${bundle['entry'].length} entries; at most ${MAX_ENTRIES} were expected`,
    );
  }
  const entries = asArray(bundle['entry']).map(asObject);
  const status = asObject(entries.find(isStatusEntry)?.['resource']);
  const focuses = asArray(status?.['notificationEvent']).map(asObject);
  const changes = entries.filter((entry) => !isStatusEntry(entry));
  return {
    timestamp: asText(bundle['timestamp']),
    events: changes.map((entry, index) => readEntry(entry, focuses[index], focuses)),
  };
}

/** True for the entry that describes the notification itself; all others are events, whatever they hold. */
export function isStatusEntry(entry: unknown): boolean {
  return STATUS_TYPES.has(String(asObject(asObject(entry)?.['resource'])?.['resourceType']));
}

function readEntry(
  entry: Json | undefined,
  sameIndex: Json | undefined,
  focuses: readonly (Json | undefined)[],
): Notification['events'][number] {
  const resource = asObject(entry?.['resource']);
  const identity =
    resourceIdentity(resource) ?? referenceIdentity(asText(entry?.['fullUrl'])) ?? referenceIdentity(focusOf(sameIndex));
  if (entry === undefined || identity === undefined) {
    return {
      kind: 'unreadable',
      reason: 'the entry names no resource: neither resource.id, fullUrl nor focus gives a type and an id',
      entry,
    };
  }
  const meta = asObject(resource?.['meta']);
  const lastUpdated = asText(meta?.['lastUpdated']);
  const action = readAction(entry);
  const [own, named] = [asText(meta?.['versionId']), extensionValue(entry, VERSION_EXTENSION)];
  const focus = focuses.find((item) => sameReference(referenceIdentity(focusOf(item)), identity));
  return {
    kind: 'event',
    event: {
      action,
      ...identity,
      versionId: action === 'delete' ? (named ?? own) : (own ?? named),
      hasOtherMeta: action === 'delete' && own !== undefined && named !== undefined && own !== named,
      lastUpdated,
      lastUpdatedMicros: lastUpdated === undefined ? undefined : parseInstantMicros(lastUpdated),
      resource: resource === undefined ? undefined : { ...resource, ...identity },
      correlationId: asText(focus?.['correlationId']),
    },
  };
}

function readAction(entry: Json): EventAction {
  const code = extensionValue(entry, ACTION_EXTENSION);
  if (code === 'create' || code === 'update' || code === 'delete') return code;
  return String(asObject(entry['request'])?.['method']).toUpperCase() === 'DELETE' ? 'delete' : 'write';
}

function extensionValue(entry: Json, url: RegExp): string | undefined {
  const found = asArray(entry['extension'])
    .map(asObject)
    .find((extension) => url.test(String(extension?.['url'])));
  return asText(found?.['valueCode'] ?? found?.['valueId'] ?? found?.['valueString']);
}

/**
 * How many events a notification seems to hold, without parsing it: for showing how much waits, not for anything that must be exact.
 * At least 1: whatever was accepted is something to deal with.
 */
export function countEntries(body: Uint8Array): number {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  let count = 0;
  for (let at = bytes.indexOf('"fullUrl"'); at >= 0; at = bytes.indexOf('"fullUrl"', at + 9)) count += 1;
  return Math.max(1, count);
}

/** A sender, or a proxy, may have compressed the body; the receiver stores it as it came. */
export function isCompressed(body: Uint8Array): boolean {
  return body[0] === 0x1f && body[1] === 0x8b;
}

interface Identity {
  readonly resourceType: string;
  readonly id: string;
}

function resourceIdentity(resource: Json | undefined): Identity | undefined {
  const resourceType = asText(resource?.['resourceType']);
  const id = asText(resource?.['id']);
  return resourceType !== undefined && id !== undefined ? { resourceType, id } : undefined;
}

/** `Patient/p1`, `http://host/fhir/Patient/p1`, `Patient/p1/_history/3` → Patient, p1. */
function referenceIdentity(reference: string | undefined): Identity | undefined {
  const match = /(?:^|\/)([A-Z][A-Za-z]*)\/([^/\s]{1,256})(?:\/_history\/[^/]+)?$/.exec(reference ?? '');
  return match ? { resourceType: match[1]!, id: match[2]! } : undefined;
}

const focusOf = (event: Json | undefined): string | undefined => asText(asObject(event?.['focus'])?.['reference']);
const sameReference = (a: Identity | undefined, b: Identity): boolean => a?.resourceType === b.resourceType && a.id === b.id;
