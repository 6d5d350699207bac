import { gzipSync } from 'node:zlib';
import { writeExactJson } from '../../../scripts/generator/exact-json.ts';
import type { Box, LabResponse } from './box.ts';
import { inFormat, requireKnownType, type Call } from './crud.ts';
import { refuse } from './outcome.ts';
import { findMatches, readPaging } from './search.ts';
import { isObject, parametersNamed, stringOf, type JsonObject, type Resource, type Version } from './resource.ts';

/** GET /Type and POST /Type/_search: a searchset Bundle. */
export function searchResources(box: Box, call: Call): LabResponse {
  requireKnownType(call.type);
  const query = new URLSearchParams([...call.request.query, ...(call.request.form ?? [])]);
  const matches = findMatches(box, call.type, query);
  const { count, page } = readPaging(box, query);
  const shown = matches.slice((page - 1) * count, page * count);
  const lastPage = Math.max(1, Math.ceil(matches.length / Math.max(count, 1)));
  const entry = shown.map(({ id, resource }) => ({
    fullUrl: `${box.baseUrl}/${call.format === 'fhir' ? 'fhir/' : ''}${call.type}/${id}`,
    resource: inFormat(box, call.format, resource),
    search: { mode: 'match' },
  }));
  const total = query.get('_total') === 'none' || !box.switches.searchTotal ? {} : { total: matches.length };
  return {
    status: 200,
    body: { resourceType: 'Bundle', type: 'searchset', ...total, link: makeLinks(call, query, page, lastPage), entry },
  };
}

function makeLinks(call: Call, query: URLSearchParams, page: number, lastPage: number): JsonObject[] {
  const to = (number: number): string => {
    const own = new URLSearchParams([...query].filter(([name]) => name !== '_page'));
    return `${call.request.uri}?${own.size > 0 ? `${own.toString()}&` : ''}_page=${number}`;
  };
  const links = [
    { relation: 'first', url: to(1) },
    { relation: 'self', url: to(page) },
  ];
  if (page < lastPage) links.push({ relation: 'next', url: to(page + 1) });
  if (page > 1) links.push({ relation: 'previous', url: to(page - 1) });
  return [...links, { relation: 'last', url: to(lastPage) }];
}

/** GET /Type/_history and /Type/id/_history: newest first, deletes with their last content (§3.5, §6). */
export function readHistory(box: Box, call: Call): LabResponse {
  requireKnownType(call.type);
  const { query } = call.request;
  const versions = box.store.history(call.type, call.id === '' ? undefined : call.id);
  if (call.id !== '' && versions.length === 0) throw refuse(404, 'not-found', `${call.type}/${call.id} not found`);
  const since = query.get('_since');
  const afterVersion = query.get('_txid');
  const kept = box.switches.typesWithoutHistory.includes(call.type)
    ? versions.filter((version) => box.store.current(call.type, version.id)?.meta?.['versionId'] === version.versionId)
    : versions;
  const chosen = kept
    .filter((version) => since === null || version.lastUpdated >= since)
    .filter((version) => afterVersion === null || Number(version.versionId) > Number(afterVersion))
    .toReversed();
  const { count, page } = readPaging(box, query);
  const entry = chosen.slice((page - 1) * count, page * count).map((version) => historyEntry(box, call, version));
  return { status: 200, body: { resourceType: 'Bundle', type: 'history', total: chosen.length, entry } };
}

function historyEntry(box: Box, call: Call, version: Version): JsonObject {
  const requests = {
    create: { method: 'POST', url: version.type },
    update: { method: 'PUT', url: `${version.type}/${version.id}` },
    delete: { method: 'DELETE', url: version.type },
  };
  const { versionId, action } = version;
  const etags = { bare: versionId, quoted: `"${versionId}"`, weak: `W/"${versionId}"` };
  const hasResource = action !== 'delete' || box.switches.historyDeleteHasResource;
  return {
    ...(hasResource && { resource: inFormat(box, call.format, version.resource) }),
    request: requests[action],
    response: {
      status: action === 'create' ? '201' : '200',
      etag: etags[box.switches.historyEtag],
      lastModified: version.lastUpdated,
    },
  };
}

/** GET /Type/$dump: NDJSON, one line per resource (§6). */
export function dumpResources(box: Box, call: Call): LabResponse {
  requireKnownType(call.type);
  const { query } = call.request;
  const since = query.get('_since');
  const timeOf = (version: Version): string => (box.switches.dumpSince === 'created' ? version.createdAt : version.lastUpdated);
  const chosen = box.store.allVersions(call.type).filter((version) => since === null || timeOf(version) > since);
  const ordered = box.switches.dumpOrder === 'shuffled' ? box.random.shuffle(chosen) : chosen;
  const format = query.get('fhir') === 'true' ? 'fhir' : 'aidbox';
  const headers = { 'content-type': 'application/ndjson' };
  function* lines(): Iterable<string> {
    for (const { resource } of ordered) yield `${writeExactJson(inFormat(box, format, resource))}\n`;
  }
  if (query.get('gzip') !== 'true') return { status: 200, headers, chunks: lines() };
  return { status: 200, headers: { ...headers, 'content-encoding': 'gzip' }, raw: gzipSync([...lines()].join('')) };
}

/** POST /fhir/ViewDefinition[/id]/$materialize (§5.2). */
export function materializeView(box: Box, call: Call): LabResponse {
  const parameters = call.request.body;
  if (!isObject(parameters) || parameters['resourceType'] !== 'Parameters') {
    throw refuse(400, 'invalid', 'the body must be a Parameters resource');
  }
  const type = stringOf(parametersNamed(parameters, 'type')[0]?.['valueCode']);
  if (type !== 'view' && type !== 'materialized-view' && type !== 'table') {
    throw refuse(422, 'value', 'type must be view, materialized-view or table', 'Parameters.parameter[type]');
  }
  const name = stringOf(findView(box, call, parameters)['name']);
  if (name === undefined) throw refuse(422, 'required', 'the view has no name', 'ViewDefinition.name');
  box.materialized.set(name, type);
  const parameter = [
    { name: 'viewName', valueString: `sof.${name}` },
    { name: 'viewType', valueString: type },
    { name: 'viewSchema', valueString: 'sof' },
  ];
  return { status: 201, body: { resourceType: 'Parameters', parameter } };
}

function findView(box: Box, call: Call, parameters: JsonObject): Resource {
  const given = parametersNamed(parameters, 'viewResource')[0]?.['resource'];
  const reference = parametersNamed(parameters, 'viewReference')[0]?.['valueReference'];
  if (call.id === '' && (given === undefined) === (reference === undefined)) {
    throw refuse(422, 'invalid', 'give one of viewReference and viewResource');
  }
  if (call.id === '' && isObject(given)) return { resourceType: 'ViewDefinition', ...given };
  const id = call.id === '' && isObject(reference) ? stringOf(reference['reference'])?.replace(/^ViewDefinition\//, '') : call.id;
  const view = box.store.current('ViewDefinition', id ?? '');
  if (view === undefined) throw refuse(404, 'not-found', `ViewDefinition/${id} not found`);
  return view;
}
