import { asObject, asText, type Json } from '../lib/json.ts';

/** `etag` (bare version) and `last-modified` of a resource, as Aidbox writes them. */
export function resourceHeaders(resource: Json): Record<string, string> {
  const meta = asObject(resource['meta']);
  const version = asText(meta?.['versionId']);
  const modifiedMs = Date.parse(asText(meta?.['lastUpdated']) ?? '');
  return {
    ...(version === undefined ? {} : { etag: version }),
    ...(Number.isNaN(modifiedMs) ? {} : { 'last-modified': new Date(modifiedMs).toUTCString() }),
  };
}
