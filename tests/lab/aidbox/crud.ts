import { createHash } from 'node:crypto';
import { findAidboxProblems } from './aidbox-check.ts';
import { formatRules, type Box, type Format, type LabRequest, type LabResponse } from './box.ts';
import { findFhirProblems, isKnownType } from './fhir-check.ts';
import { toAidboxForm, toFhirForm } from './formats.ts';
import { Refusal, refuse } from './outcome.ts';
import { applyPatch } from './patch.ts';
import { isObject, omit, stringOf, type Action, type Json, type JsonObject, type Resource, type Version } from './resource.ts';
import { findMatches } from './search.ts';

const ID = /^[A-Za-z0-9._-]{1,64}$/;
const IMMUTABLE = 'AidboxTopicDestination';

/** A request that a built-in route takes: its parts and the format of its route. */
export interface Call {
  readonly format: Format;
  readonly type: string;
  readonly id: string;
  readonly versionId: string;
  readonly request: LabRequest;
}

/** POST /Type; conditional with If-None-Exist. */
export function createResource(box: Box, call: Call): LabResponse {
  const content = readContent(box, call);
  const condition = call.request.headers['if-none-exist'];
  if (condition !== undefined) {
    const matches = findMatches(box, call.type, new URLSearchParams(condition.replace(/^.*\?/, '')));
    if (matches.length > 1) throw refuse(412, 'multiple-matches', 'If-None-Exist matches several resources');
    if (matches[0]) return respond(box, call.format, matches[0], 200);
  }
  const id = content.id ?? crypto.randomUUID();
  if (box.store.current(call.type, id) !== undefined) throw refuse(409, 'conflict', `${call.type}/${id} already exists`);
  return respond(box, call.format, save(box, 'create', { ...content, id }), 201);
}

/** GET /Type/id. */
export function readResource(box: Box, call: Call): LabResponse {
  const newest = requireNewest(box, call);
  const ifNoneMatch = call.request.headers['if-none-match'];
  if (ifNoneMatch !== undefined && readEtag(ifNoneMatch) === newest.versionId) return { status: 304 };
  return respond(box, call.format, newest, 200);
}

/** GET /Type/id/_history/versionId. */
export function readVersion(box: Box, call: Call): LabResponse {
  requireKnownType(call.type);
  const version = box.store.history(call.type, call.id).find((candidate) => candidate.versionId === call.versionId);
  if (version === undefined) throw refuse(404, 'not-found', `${call.type}/${call.id}/_history/${call.versionId} not found`);
  if (version.action === 'delete')
    throw refuse(410, 'deleted', `${call.type}/${call.id}/_history/${call.versionId} is a deletion`);
  return respond(box, call.format, version, 200);
}

/** PUT /Type/id: update or create. PUT /Type with search parameters: the same for the one match. */
export function updateResource(box: Box, call: Call): LabResponse {
  refuseImmutable(box, call);
  const content = readContent(box, call);
  const id = call.id === '' ? findUpdateId(box, call, content) : call.id;
  if (content.id !== undefined && content.id !== id) throw refuse(422, 'invalid', `the body has another id than ${id}`);
  checkIfMatch(box, call, id);
  const previous = box.store.newest(call.type, id);
  const next = { ...content, id };
  if (previous === undefined || previous.action === 'delete') return respond(box, call.format, save(box, 'create', next), 201);
  if (box.switches.noopPut === 'silent' && isSameContent(box, previous.resource, next))
    return respond(box, call.format, previous, 200);
  return respond(box, call.format, save(box, 'update', next), 200);
}

/** PATCH /Type/id. A patch that changes nothing writes nothing (§2). */
export function patchResource(box: Box, call: Call): LabResponse {
  refuseImmutable(box, call);
  const previous = requireNewest(box, call);
  checkIfMatch(box, call, call.id);
  const shown = inFormat(box, call.format, previous.resource);
  const patched = applyPatch(shown, call.request.body, call.request.headers['content-type'] ?? '');
  const content = readContent(box, call, patched);
  if (content.id !== call.id) throw refuse(422, 'invalid', 'a patch must not change the id');
  if (isSameContent(box, previous.resource, content)) return respond(box, call.format, previous, 200);
  return respond(box, call.format, save(box, 'update', { ...content, id: call.id }), 200);
}

/** DELETE /Type/id. */
export function deleteResource(box: Box, call: Call): LabResponse {
  requireKnownType(call.type);
  checkIfMatch(box, call, call.id);
  const current = box.store.current(call.type, call.id);
  if (current === undefined) {
    if (box.switches.deleteOfMissing === 404) throw refuse(404, 'not-found', `${call.type}/${call.id} not found`);
    return { status: 204 };
  }
  const version = save(box, 'delete', { ...current, id: call.id });
  return call.request.query.get('_no-content') === 'true' ? { status: 204 } : respond(box, call.format, version, 200);
}

/** A stored resource as the route shows it. */
export function inFormat(box: Box, format: Format, resource: Resource): Resource {
  return format === 'fhir' ? resource : toAidboxForm(resource, formatRules(box));
}

/** @throws Refusal 404 for a type that neither R4 nor Aidbox knows */
export function requireKnownType(type: string): void {
  if (!isKnownType(type)) throw refuse(404, 'not-found', `resource type ${type} is not known`);
}

/** Write a version and, for an App, the Operation resources that its operations stand for. */
export function save(box: Box, action: Action, content: Resource & { id: string }): Version {
  const stored = content.resourceType === 'Client' ? hashSecret(content) : content;
  const version = box.store.write(action, stored);
  if (content.resourceType === 'App') saveOperationsOf(box, action === 'delete' ? {} : content['operations'], content.id);
  return version;
}

/** The body in FHIR form, checked. */
function readContent(box: Box, call: Call, body: Json | undefined = call.request.body): Resource {
  const { type } = call;
  requireKnownType(type);
  if (!isObject(body)) throw refuse(400, 'invalid', 'the body must be a JSON object');
  const given = body['resourceType'];
  if (given !== undefined && given !== type) throw refuse(422, 'invalid', `the body is not a ${type}`);
  if (given === undefined && call.format === 'fhir') throw refuse(422, 'required', 'resourceType is required', 'resourceType');
  const resource = { ...body, resourceType: type };
  const content: Resource = call.format === 'fhir' ? resource : toFhirForm(resource, formatRules(box));
  if (content.id !== undefined && !(typeof content.id === 'string' && ID.test(content.id))) {
    throw refuse(422, 'value', `${type}.id is not an id`, `${type}.id`);
  }
  if (content.meta !== undefined && !isObject(content.meta)) throw refuse(422, 'structure', `${type}.meta must be an object`);
  if (box.switches.validation) {
    const problems = [...findFhirProblems(content), ...findAidboxProblems(content, box.store, box.switches)];
    if (problems.length > 0) throw new Refusal(422, problems);
  }
  return content;
}

function findUpdateId(box: Box, call: Call, content: Resource): string {
  if (call.request.query.size === 0) {
    if (content.id === undefined) throw refuse(422, 'required', 'an id is required');
    return content.id;
  }
  const matches = findMatches(box, call.type, call.request.query);
  if (matches.length > 1) throw refuse(412, 'multiple-matches', 'the search parameters match several resources');
  return matches[0]?.id ?? content.id ?? crypto.randomUUID();
}

function refuseImmutable(box: Box, call: Call): void {
  if (call.type !== IMMUTABLE) return;
  throw box.switches.bodyOf405 ? refuse(405, 'not-supported', `${IMMUTABLE} cannot be changed`) : new Refusal(405, []);
}

function requireNewest(box: Box, call: Call): Version {
  requireKnownType(call.type);
  const newest = box.store.newest(call.type, call.id);
  if (newest === undefined) throw refuse(404, 'not-found', `${call.type}/${call.id} not found`);
  if (newest.action === 'delete') throw refuse(410, 'deleted', `${call.type}/${call.id} was deleted`);
  return newest;
}

function checkIfMatch(box: Box, call: Call, id: string): void {
  const ifMatch = call.request.headers['if-match'];
  if (ifMatch === undefined || readEtag(ifMatch) === box.store.newest(call.type, id)?.versionId) return;
  throw refuse(412, 'conflict', `${call.type}/${id} has another version`);
}

function readEtag(header: string): string {
  return header.replace(/^W\//, '').replace(/"/g, '');
}

/** §1.11: location without base URL and `/fhir`, bare etag. */
function respond(box: Box, format: Format, version: Version, status: number): LabResponse {
  const headers = {
    location: `/${version.type}/${version.id}/_history/${version.versionId}`,
    etag: version.versionId,
    'last-modified': new Date(version.lastUpdated).toUTCString(),
  };
  return { status, headers, body: inFormat(box, format, version.resource) };
}

function isSameContent(box: Box, before: Resource, after: Resource): boolean {
  const content = (resource: Resource): string => {
    const { extension, ...meta } = omit(resource.meta ?? {}, 'versionId', 'lastUpdated');
    const others = Array.isArray(extension)
      ? extension.filter((item) => !isObject(item) || item['url'] !== box.options.createdAtUrl)
      : [];
    return JSON.stringify(sortKeys({ ...resource, meta: { ...meta, ...(others.length > 0 && { extension: others }) } }));
  };
  return content(before) === content(after);
}

function sortKeys(value: Json): Json {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([k, v]) => [k, sortKeys(v ?? null)]),
  );
}

/** §7.1: stored hashed, so it cannot be read back. */
function hashSecret(client: Resource & { id: string }): Resource & { id: string } {
  const { secret } = client;
  return typeof secret === 'string' && !secret.startsWith('sha256:') ? { ...client, secret: hashOf(secret) } : client;
}

/** The stored form of a client's secret. */
export function hashOf(secret: string): string {
  return `sha256:${createHash('sha256').update(secret).digest('hex')}`;
}

/** §1.2: an App's operations show as Operation resources; those it no longer lists go. */
function saveOperationsOf(box: Box, operations: Json | undefined, appId: string): void {
  const app: JsonObject = { reference: `App/${appId}` };
  const listed = isObject(operations) ? operations : {};
  for (const operation of box.store.all('Operation')) {
    const isOwn = operation['module'] === `app-operations:${appId}`;
    if (isOwn && operation.id !== undefined && !(operation.id in listed))
      box.store.write('delete', { ...operation, id: operation.id });
  }
  for (const [id, definition] of Object.entries(listed)) {
    if (!isObject(definition) || !Array.isArray(definition['path'])) continue;
    const request = [(stringOf(definition['method']) ?? 'GET').toLowerCase(), ...definition['path']];
    const operation = {
      resourceType: 'Operation',
      id,
      app,
      action: 'proto.app/endpoint',
      module: `app-operations:${appId}`,
      request,
    };
    box.store.write(box.store.current('Operation', id) === undefined ? 'create' : 'update', operation);
  }
}
