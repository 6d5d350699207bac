import { AppError } from '../errors/app-error.ts';
import type { ErrorCode } from '../errors/catalogue.ts';
import { asArray, asObject, asText, type Json } from '../lib/json.ts';
import { errorName, isHtml, isPassing, parseJson, passingFault } from './answers.ts';
import type { HttpAnswer } from './http-client.ts';

/** Privileges that an answer may name; anything else of its text is not shown. Longer ones first. */
const PRIVILEGES = [
  'EXTERNAL USE SCHEMA',
  'EXTERNAL USE LOCATION',
  'CREATE EXTERNAL TABLE',
  'CREATE TABLE',
  'USE CATALOG',
  'USE SCHEMA',
  'READ FILES',
  'WRITE FILES',
  'SELECT',
  'MODIFY',
  'BROWSE',
] as const;

/** What an error of a workspace's REST interfaces says of itself, without its text. */
interface Said {
  readonly status: number;
  /** `details[].reason` of the ErrorInfo; empty when there is none. */
  readonly reason: string;
  readonly errorCode: string;
  readonly requestId: string;
  /** To look for known words only: it may quote names and paths of others. */
  readonly text: string;
}

/**
 * What an answer of Unity Catalog, or of another REST interface of the workspace, means (contract §4.6, §7.2): by the reason in its details, then
 * by its error code, then by its status. Undefined for a good answer.
 *
 * @param where `GET https://host/path`
 * @param object what was asked for: `table main.fhir.patients`
 * @param mayBeAbsent the product can do without the call, and a 404 that names no object is UNITY_CALL_ABSENT
 */
export function findUnityRefusal(answer: HttpAnswer, where: string, object: string, mayBeAbsent = false): AppError | undefined {
  if (answer.status >= 200 && answer.status < 300 && !isHtml(answer)) return undefined;
  const said = readSaid(answer);
  const isAbsent = mayBeAbsent && said.status === 404 && (said.errorCode === '' || said.errorCode === 'ENDPOINT_NOT_FOUND');
  const [code, what] = isAbsent
    ? (['UNITY_CALL_ABSENT', 'the workspace does not have this call'] as const)
    : classify(answer, said);
  const names = [...new Set([said.errorCode, said.reason])].filter((name) => name !== '');
  const request = said.requestId === '' ? [] : [`request ${said.requestId}`];
  const details = [...names, ...request].join(', ');
  const message = `${where} answered ${said.status}${details === '' ? '' : ` (${details})`} for ${object}${what === '' ? '' : `: ${what}`}`;
  if (code === 'DATABRICKS_THROTTLED' || code === 'DATABRICKS_UNAVAILABLE') return passingFault(answer, message);
  const privilege = findPrivilege(said.text);
  return new AppError(code, message, { facts: { status: said.status, ...(privilege === undefined ? {} : { privilege }) } });
}

/** The privilege that an answer says is missing. */
function findPrivilege(text: string): string | undefined {
  const spaced = text.replaceAll('_', ' ');
  return PRIVILEGES.find((privilege) => spaced.includes(privilege));
}

function readSaid({ status, text }: HttpAnswer): Said {
  const body = asObject(parseJson(text));
  const details = asArray(body?.['details']).map(asObject);
  const find = (type: string): Json | undefined => details.find((detail) => String(detail?.['@type']).endsWith(type));
  const requestId = asText(find('RequestInfo')?.['request_id']) ?? '';
  return {
    status,
    reason: errorName(find('ErrorInfo')?.['reason']),
    errorCode: errorName(body?.['error_code']),
    requestId: /^[\w.-]{1,100}$/.test(requestId) ? requestId : '',
    text: asText(body?.['message']) ?? text.slice(0, 2_000),
  };
}

const EXTERNAL_USE_SCHEMA = 'EXTERNAL USE SCHEMA is missing, or this schema cannot have it';

function classify(answer: HttpAnswer, said: Said): readonly [ErrorCode, string] {
  const { status, reason, text } = said;
  // Tokens, limits and outages first: they say nothing about the object.
  if (status === 429) return ['DATABRICKS_THROTTLED', ''];
  if (isPassing(status)) return ['DATABRICKS_UNAVAILABLE', ''];
  if (isHtml(answer) || (status >= 300 && status < 400)) return ['DATABRICKS_WRONG_ADDRESS', 'this is no workspace'];
  return byReason(reason, text) ?? byErrorCode(said) ?? byStatus(said);
}

function byReason(reason: string, text: string): readonly [ErrorCode, string] | undefined {
  // Older answers have the same in their text only.
  const says = (name: string): boolean => reason === name || text.includes(name);
  if (
    says('EXTERNAL_WRITE_NOT_ALLOWED_FOR_TABLE') ||
    /cannot be written from outside|not eligible for external engine/.test(text)
  )
    return ['UNITY_EXTERNAL_WRITE_NOT_ALLOWED', 'an external Delta table was expected'];
  if (says('EXTERNAL_ACCESS_DISABLED_ON_METASTORE') || /External Data Access .{0,80}is disabled/i.test(text))
    return ['UNITY_EXTERNAL_ACCESS_DISABLED', 'external data access was expected to be enabled on the metastore'];
  if (/_EXTERNAL_GENERATE_(TABLE|PATH)_CREDENTIALS_DENIED$/.test(reason))
    return ['UNITY_EXTERNAL_USE_SCHEMA_MISSING', `${EXTERNAL_USE_SCHEMA}; or external data access is off for the metastore`];
  if (/EXTERNAL[ _]USE[ _]SCHEMA/.test(text)) return ['UNITY_EXTERNAL_USE_SCHEMA_MISSING', EXTERNAL_USE_SCHEMA];
  return undefined;
}

function byErrorCode({ errorCode, reason, status, text }: Said): readonly [ErrorCode, string] | undefined {
  const names = [reason, errorCode];
  const isOne = (...codes: string[]): boolean => names.some((name) => codes.includes(name));
  if (isOne('LOCATION_OVERLAP') || /\boverlaps? with\b/.test(text))
    return ['UNITY_LOCATION_OVERLAP', 'a prefix of its own below an external location was expected'];
  if (names.some((name) => /(^|_)(ALREADY_EXISTS)$/.test(name))) return ['UNITY_ALREADY_EXISTS', ''];
  if (isOne('ABORTED', 'RESOURCE_CONFLICT')) return ['DATABRICKS_UNAVAILABLE', 'somebody else changes it at the same time'];
  if (names.some((name) => /(_DOES_NOT_EXIST|NOT_FOUND)$/.test(name)))
    return ['UNITY_NOT_FOUND', 'it does not exist, or may not be seen'];
  if (status === 403 && /\bIP\b.{0,60}\b(ACL|access list|blocked)\b|network policy/i.test(text))
    return ['DATABRICKS_FORBIDDEN', 'the address that this call comes from is not allowed'];
  if (isOne('PERMISSION_DENIED', 'INSUFFICIENT_PERMISSIONS', 'INSUFFICIENT_PRIVILEGES')) {
    const privilege = findPrivilege(text);
    return ['UNITY_PRIVILEGE_MISSING', `${privilege ?? 'a privilege'} is missing`];
  }
  return undefined;
}

function byStatus({ status }: Said): readonly [ErrorCode, string] {
  if (status === 401) return ['DATABRICKS_TOKEN_REFUSED', ''];
  if (status === 403) return ['UNITY_PRIVILEGE_MISSING', 'a privilege is missing'];
  if (status === 404) return ['UNITY_NOT_FOUND', 'it does not exist, or may not be seen'];
  if (status === 409) return ['UNITY_ALREADY_EXISTS', ''];
  return ['DATABRICKS_REQUEST_REFUSED', ''];
}
