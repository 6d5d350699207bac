import { AppError } from '../errors/app-error.ts';
import { asArray, asObject, asText, type Json } from '../lib/json.ts';
import type { AidboxClient } from './aidbox-client.ts';

/** Versions read at a time, and how many times: a deletion further back than that counts as not found. */
const PAGE_SIZE = 100;
const MAX_PAGES = 20;

/** Aidbox shows a version bare, others quote it (contract §1.11). */
const ETAG = /^(?:W\/)?"?([^"]+)"?$/;

/** One version of a resource as its history has it. */
interface HistoryEntry {
  readonly isDelete: boolean;
  readonly versionId: string | undefined;
  readonly lastUpdated: string | undefined;
  readonly resource: Json | undefined;
}

/**
 * The content of a deleted resource as its history has it, with the meta of the deletion (contract §3.5, fact 4); undefined when the
 * history shows no such deletion or no content.
 *
 * @param versionId of the event: that of the deletion, or of the state before it; without one the newest deletion is taken
 * @throws AppError AIDBOX_UNAVAILABLE, AIDBOX_REFUSED, HISTORY_NOT_READABLE
 */
export async function readDeletedContent(
  client: AidboxClient,
  resourceType: string,
  id: string,
  versionId: string | undefined,
): Promise<Json | undefined> {
  if (/\p{Surrogate}/u.test(id)) return undefined; // half a surrogate pair: no URL can hold it, so no resource has it
  const entries: HistoryEntry[] = []; // newest first
  for (let page = 1; page <= MAX_PAGES; page += 1) {
    const found = await readHistoryPage(client, resourceType, id, page);
    // Aidbox may give less than a page, so only an empty or repeated one is the end.
    const isWhole = found.length === 0 || entries.some((entry) => isSameVersion(entry, found[0]!));
    if (!isWhole) entries.push(...found);
    const deletion = findDeletion(entries, versionId) ?? (isWhole ? findOnlyDeletion(entries, versionId) : undefined);
    const content =
      deletion === undefined ? undefined : entries.slice(deletion).find(({ resource }) => hasContent(resource))?.resource;
    if (deletion !== undefined && content !== undefined) return withDeletionMeta(content, entries[deletion]!, resourceType);
    if (isWhole) return undefined;
  }
  return undefined;
}

const isSameVersion = (a: HistoryEntry, b: HistoryEntry): boolean =>
  a.versionId === b.versionId && a.lastUpdated === b.lastUpdated && a.isDelete === b.isDelete;

/** The deletion that an event tells of: the version itself, else the first deletion after it. */
function findDeletion(entries: readonly HistoryEntry[], versionId: string | undefined): number | undefined {
  const start =
    versionId === undefined
      ? entries.findIndex((entry) => entry.isDelete)
      : entries.findIndex((entry) => entry.versionId === versionId);
  for (let at = start; at >= 0; at -= 1) if (entries[at]!.isDelete) return at;
  return undefined;
}

/** Where the version of the event is nowhere in the whole history, a single deletion must be the one that is meant. */
function findOnlyDeletion(entries: readonly HistoryEntry[], versionId: string | undefined): number | undefined {
  if (entries.some((entry) => entry.versionId === versionId)) return undefined;
  const deletions = entries.flatMap((entry, index) => (entry.isDelete ? [index] : []));
  return deletions.length === 1 ? deletions[0] : undefined;
}

function withDeletionMeta(content: Json, deletion: HistoryEntry, resourceType: string): Json {
  const meta = { ...asObject(content['meta']), ...asObject(deletion.resource?.['meta']) };
  return {
    ...content,
    resourceType,
    meta: deletion.lastUpdated === undefined ? meta : { ...meta, lastUpdated: deletion.lastUpdated },
  };
}

/** More than type, id and meta. */
const hasContent = (resource: Json | undefined): boolean =>
  resource !== undefined && Object.keys(resource).some((name) => !['resourceType', 'id', 'meta'].includes(name));

/** Newest first; empty when there is nothing (more). @throws AppError AIDBOX_UNAVAILABLE, AIDBOX_REFUSED, HISTORY_NOT_READABLE */
export async function readHistoryPage(
  client: AidboxClient,
  resourceType: string,
  id: string,
  page: number,
): Promise<HistoryEntry[]> {
  const path = `/fhir/${resourceType}/${encodeURIComponent(id)}/_history?_count=${PAGE_SIZE}&_page=${page}`;
  const { status, body } = await client.request({ method: 'GET', path });
  if (status === 404 || status === 410) return [];
  if (status !== 200)
    throw new AppError(
      'HISTORY_NOT_READABLE',
      `Aidbox answered ${status} to GET /fhir/${resourceType}/{id}/_history, expected 200`,
    );
  return asArray(asObject(body)?.['entry']).map((item) => {
    const entry = asObject(item);
    const resource = asObject(entry?.['resource']);
    const meta = asObject(resource?.['meta']);
    const response = asObject(entry?.['response']);
    return {
      isDelete: asText(asObject(entry?.['request'])?.['method'])?.toUpperCase() === 'DELETE',
      versionId: asText(meta?.['versionId']) ?? ETAG.exec(asText(response?.['etag']) ?? '')?.[1],
      lastUpdated: asText(meta?.['lastUpdated']) ?? asText(response?.['lastModified']),
      resource,
    };
  });
}
