import { asArray, asObject, asText, type Json } from '../lib/json.ts';
import type { AidboxClient } from './aidbox-client.ts';
import { AppError } from '../errors/app-error.ts';

/** Versions looked at: the deletion, and a few before it when the deletion itself holds no content. */
const HISTORY_COUNT = 10;

/**
 * The content of a deleted resource as its history has it, with the meta of the deletion (contract §3.5, fact 4); undefined when the
 * history shows no deletion or no content.
 *
 * @throws AppError AIDBOX_UNAVAILABLE, AIDBOX_REFUSED
 */
export async function readDeletedContent(client: AidboxClient, resourceType: string, id: string): Promise<Json | undefined> {
  const { status, body } = await client.request({
    method: 'GET',
    path: `/fhir/${resourceType}/${encodeURIComponent(id)}/_history?_count=${HISTORY_COUNT}`,
  });
  if (status === 404 || status === 410) return undefined;
  if (status !== 200)
    throw new AppError('AIDBOX_ANSWER_UNEXPECTED', `the history of a ${resourceType} answered ${status}, expected 200`);
  const entries = asArray(asObject(body)?.['entry']).map(asObject);
  const deletion = entries.findIndex((entry) => asText(asObject(entry?.['request'])?.['method'])?.toUpperCase() === 'DELETE');
  if (deletion < 0) return undefined;
  const content = entries
    .slice(deletion)
    .map((entry) => asObject(entry?.['resource']))
    .find((resource) => resource !== undefined && Object.keys(resource).length > 3);
  if (content === undefined) return undefined;
  const tombstone = entries[deletion];
  const meta = asObject(asObject(tombstone?.['resource'])?.['meta']);
  const deletedAt = asText(meta?.['lastUpdated']) ?? asText(asObject(tombstone?.['response'])?.['lastModified']);
  return {
    ...content,
    resourceType,
    meta: { ...asObject(content['meta']), ...meta, ...(deletedAt === undefined ? {} : { lastUpdated: deletedAt }) },
  };
}
