import { gunzipSync } from 'node:zlib';
import { zerobusError, type Answer } from '../errors.ts';
import type { Findings } from '../http/exchange.ts';
import type { LabRequest } from '../http/server.ts';
import type { Row } from '../registry/cells.ts';
import { checkAccess, type AccessParts } from './access.ts';
import { TooManyRows, type BodyReader } from './body-reader.ts';
import { DecodeError } from './json-reader.ts';
import { checkTable, isTableName } from './table-check.ts';
import type { WriteAheadLog } from './write-ahead-log.ts';

export interface ZerobusParts extends AccessParts {
  readonly log: WriteAheadLog;
  readonly bodies: BodyReader;
  readonly sink: 'delta' | 'count';
  readonly rate: RateLimit;
}

const ROUTE = /^\/zerobus\/v1\/tables\/([^/]+)\/insert$/;

/** `POST /zerobus/v1/tables/<catalog>.<schema>.<table>/insert` (2.2). */
export function answerInsert(parts: ZerobusParts, request: LabRequest, findings: Findings): Answer {
  const { switches } = parts;
  if (!isOwnHost(request.headers.host, parts.workspaceId)) return { status: 400 }; // 2.1: wrong id or region, an empty body
  const match = ROUTE.exec(request.path);
  if (match === null) return { status: 404 };
  if (request.method !== 'POST') return { status: 405, headers: { allow: 'POST' } };
  if (!parts.rate.take(switches.maxRequestsPerSecond)) {
    const headers = switches.retryAfterSeconds === undefined ? undefined : { 'retry-after': String(switches.retryAfterSeconds) };
    return zerobusError(429, 'RESOURCE_EXHAUSTED', 'Too many requests.', headers);
  }
  const fullName = decode(match[1] as string);
  if (!isTableName(fullName))
    return invalid('The name of the table is not catalog.schema.table of ASCII letters, digits and underscores.');
  const access = checkAccess(parts, fullName, request.headers.authorization, findings);
  if ('status' in access) return access;
  const { table, token } = access;
  const version = switches.newColumnsNeedNewToken ? token.tables?.get(fullName.toLowerCase())?.schemaVersion : undefined;
  const columns = table.columnsAsOf(Date.now() - switches.schemaPickupMs, version);
  const refusal = checkTable(table, columns, switches);
  if (refusal !== undefined) return refusal;
  const body = readBody(parts, request);
  if (!Buffer.isBuffer(body)) return body;
  let read: { readonly rows: Row[]; readonly count: number };
  try {
    read = parts.bodies.read(body, columns, parts.sink === 'delta');
  } catch (error) {
    if (error instanceof TooManyRows) return tooLarge(`more than ${switches.maxRequestRows} records`);
    if (!(error instanceof DecodeError)) throw error;
    return invalid(`Record decoder/encoder error: ${error.message}. Error Code: 4044, Error State: 3.`);
  }
  parts.log.add(table, read.rows, read.count);
  findings.rows = read.count;
  return { status: 200, body: switches.successBody };
}

function readBody({ switches }: ZerobusParts, request: LabRequest): Buffer | Answer {
  if (request.body === undefined) return tooLarge(`more than ${switches.maxRequestBytes} bytes`);
  if (!/^application\/json\s*(;|$)/i.test(request.headers['content-type'] ?? ''))
    return invalid('Content-Type must be application/json.');
  const encoding = request.headers['content-encoding'];
  if (encoding === undefined || encoding === 'identity') return request.body;
  if (encoding !== 'gzip' || switches.gzip === 'refused') return invalid(`Content-Encoding ${encoding} is not supported.`);
  try {
    return gunzipSync(request.body, { maxOutputLength: switches.maxRequestBytes });
  } catch {
    return invalid('The body is not gzip, or too large.');
  }
}

/** 2.1: `<workspaceId>.zerobus.<region>.…`; on this machine the stand-in has no such name. */
function isOwnHost(host: string | undefined, workspaceId: string): boolean {
  const name = (host ?? '').replace(/:\d+$/, '').toLowerCase();
  return !name.includes('.zerobus.') || name.startsWith(`${workspaceId}.zerobus.`);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}

function invalid(message: string): Answer {
  return zerobusError(400, 'INVALID_PARAMETER_VALUE', message);
}

function tooLarge(what: string): Answer {
  return zerobusError(413, 'INVALID_PARAMETER_VALUE', `The request has ${what}.`, { connection: 'close' });
}

/** Requests of the running second. */
export class RateLimit {
  private second = 0;
  private count = 0;

  take(limit: number): boolean {
    const second = Math.floor(Date.now() / 1000);
    if (second !== this.second) [this.second, this.count] = [second, 0];
    return ++this.count <= limit;
  }
}
