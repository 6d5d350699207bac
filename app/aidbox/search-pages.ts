import { asArray, asObject, type Json } from '../lib/json.ts';
import { AppError } from '../errors/app-error.ts';
import { describeCall, type AidboxRequest, type AidboxResponse } from './aidbox-client.ts';

const PAGE_SIZE = 100;
/** A search without an end; 100,000 resources are more than anything that is read here. */
const MAX_PAGES = 1_000;

/**
 * All entries of a search, page after page; the first answer that is not 200 ends it and is given back instead. Aidbox may give less than
 * it is asked for, and tell no total or an estimate: the end is a page without anything new, or one that links no next.
 * Pages of Aidbox are cut by offset, so an entry may come twice or be missed when others are written meanwhile: entries are made
 * unique by id, and whoever must not miss one asks for it by id.
 *
 * @throws AppError AIDBOX_ANSWER_UNEXPECTED when an answer is no searchset, or the pages do not end
 */
export async function readAllPages(
  path: string,
  params: URLSearchParams,
  send: (request: AidboxRequest) => Promise<AidboxResponse>,
): Promise<{ readonly resources: readonly Json[] } | { readonly failure: AidboxResponse }> {
  const found = new Map<string, Json>();
  for (let page = 1; page <= MAX_PAGES; page++) {
    const query = new URLSearchParams(params);
    query.set('_count', String(PAGE_SIZE));
    query.set('_page', String(page));
    const request: AidboxRequest = { method: 'GET', path: `${path}?${query.toString()}` };
    const response = await send(request);
    if (response.status !== 200) return { failure: response };
    const bundle = asObject(response.body);
    if (bundle?.['resourceType'] !== 'Bundle')
      throw new AppError('AIDBOX_ANSWER_UNEXPECTED', `Aidbox answered ${describeCall(request)} without a Bundle`);
    const resources = asArray(bundle['entry'])
      .map((entry) => asObject(asObject(entry)?.['resource']))
      .filter((resource) => resource !== undefined);
    const before = found.size;
    for (const resource of resources) found.set(String(resource['id']), resource);
    if (found.size === before || isLastPage(bundle)) return { resources: [...found.values()] };
  }
  throw new AppError('AIDBOX_ANSWER_UNEXPECTED', `the search GET ${path} of Aidbox did not end after ${MAX_PAGES} pages`);
}

/** False also when the Bundle has no links at all: then only an empty page tells. */
function isLastPage(bundle: Json): boolean {
  const relations = asArray(bundle['link']).map((link) => asObject(link)?.['relation']);
  return relations.length > 0 && !relations.includes('next');
}
