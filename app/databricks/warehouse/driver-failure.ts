import { parseRetryAfterMs } from '../../lib/retry-after.ts';
import { isKnownClass } from './error-classes.ts';

/** What the driver of the warehouse reported, read from its many classes of errors. `text` is for matching only: it may quote values. */
export type DriverFailure =
  | {
      readonly kind: 'http';
      readonly status: number;
      readonly text: string;
      readonly requestId: string | undefined;
      readonly retryAfterMs: number | undefined;
    }
  /** The answer of the server to a statement or another call. */
  | {
      readonly kind: 'sql';
      /** `DELTA_CONCURRENT_APPEND`, `UNRESOLVED_COLUMN.WITH_SUGGESTION`: the outermost first, then its causes. */
      readonly errorClasses: readonly string[];
      readonly sqlState: string | undefined;
      readonly text: string;
      /** State in which the statement ended, when it had begun. */
      readonly ended: 'error' | 'canceled' | 'closed' | 'timeout' | 'unknown' | undefined;
    }
  | { readonly kind: 'network'; readonly code: string }
  /** What came is no answer in the protocol: a page in HTML, for example. */
  | { readonly kind: 'garbled' }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'other'; readonly text: string };

/** Thrown into the driver when a body is no message of the protocol; the driver itself would wait for ever. */
export class GarbledAnswer extends Error {
  constructor() {
    super('not a Thrift message');
    this.name = 'GarbledAnswer';
  }
}

const MAX_TEXT = 16_384;
const MAX_RETRY_AFTER_MS = 60_000;

/** Reads an error of `@databricks/sql` 2.1.0 by its shape; its classes are not exported. Reads the body of an HTTP answer, which frees the socket. */
export async function readDriverFailure(error: unknown, nowMs: number): Promise<DriverFailure> {
  const parts = (typeof error === 'object' && error !== null ? error : {}) as {
    name?: unknown;
    message?: unknown;
    code?: unknown;
    errorCode?: unknown;
    statusCode?: unknown;
    type?: unknown;
    response?: unknown;
    payload?: unknown;
    cause?: unknown;
  };
  const message = typeof parts.message === 'string' ? parts.message : '';
  if (error instanceof GarbledAnswer) return { kind: 'garbled' };
  if (typeof parts.statusCode === 'number') return readHttp(parts.statusCode, parts.response, nowMs);
  // RetryError: the driver repeated a call that is safe to repeat and gave up.
  if (parts.payload !== undefined) return readPayload(parts.payload, nowMs);
  if (typeof parts.errorCode === 'string' && /^(CANCELED|CLOSED|ERROR|TIMEOUT|UNKNOWN)$/.test(parts.errorCode)) {
    return readOperationState(parts.errorCode, parts.response, message);
  }
  if (parts.name === 'Status Error') return readSql(message, undefined, undefined);
  if (message === 'Request timed out' || parts.type === 'body-timeout') return { kind: 'timeout' };
  const code = findCode(parts);
  if (code !== undefined) return { kind: 'network', code };
  if (/socket hang up|premature close|aborted/i.test(message)) return { kind: 'network', code: 'ECONNRESET' };
  return { kind: 'other', text: message.slice(0, MAX_TEXT) };
}

async function readHttp(status: number, response: unknown, nowMs: number): Promise<DriverFailure> {
  const { headers, text } = (response ?? {}) as {
    headers?: { get(name: string): string | null };
    text?: () => Promise<string>;
  };
  const header = (name: string): string => headers?.get(name) ?? '';
  const body = await Promise.resolve(text?.call(response) ?? '').catch(() => '');
  const requestId = header('x-request-id') || header('x-databricks-request-id');
  return {
    kind: 'http',
    status,
    text: `${header('x-thriftserver-error-message')}\n${header('x-databricks-reason-phrase')}\n${body}`.slice(0, MAX_TEXT),
    requestId: /^[\w.-]{1,80}$/.test(requestId) ? requestId : undefined,
    retryAfterMs: readRetryAfterMs(header('retry-after'), nowMs),
  };
}

function readPayload(payload: unknown, nowMs: number): Promise<DriverFailure> | DriverFailure {
  const { response } = payload as { response?: { status?: unknown } };
  if (typeof response?.status === 'number') return readHttp(response.status, response, nowMs);
  return readDriverFailure(payload, nowMs);
}

function readOperationState(state: string, response: unknown, message: string): DriverFailure {
  const { sqlState, errorMessage, displayMessage, diagnosticInfo } = (response ?? {}) as Record<string, unknown>;
  const texts = [...new Set([displayMessage, errorMessage, diagnosticInfo, message])].filter((part) => typeof part === 'string');
  // The class may stand in any of them.
  const text = texts.find((part) => findClasses(part).length > 0) ?? texts.join('\n').trim();
  return readSql(
    text,
    typeof sqlState === 'string' && /^[0-9A-Z]{5}$/.test(sqlState) ? sqlState : undefined,
    state.toLowerCase() as 'error',
  );
}

/** Name of a class, where only the server writes it: at the beginning of the text, or behind the name of an exception. */
const FIRST_CLASS = /^\s*(?:(?:[\w.$]+|Error running query|Query failed):\s*)*\[([A-Z][A-Z0-9]*_[A-Z0-9_]*(?:\.[A-Z0-9_]+)*)\]/;
/** How Unity Catalog writes it: `[RequestId=… ErrorClass=INVALID_PARAMETER_VALUE.LOCATION_OVERLAP]`. */
const CATALOG_CLASS = /^\s*(?:[\w.$]+:\s*)*\[RequestId=[\w-]+ ErrorClass=([A-Z][A-Z0-9_]*(?:\.[A-Z0-9_]+)*)\]/;
const LATER_CLASS = /(?:Exception|Error): \[([A-Z][A-Z0-9]*_[A-Z0-9_]*(?:\.[A-Z0-9_]+)*)\]/g;

/** Words before a class that name no value. */
const LEADING = /^\s*(?:[\w.$]+|(?:Error|Query|Statement|Command|Operation|Job)\s[^'"`[\]]{0,80})\s*$/;
const ANY_CLASS = /^\s*(?:\[([A-Z][A-Z0-9_]*(?:\.[A-Z0-9_]+)*)\]|([A-Z][A-Z0-9_]*(?:\.[A-Z0-9_]+)*)\s*$)/;
const LEADING_WITHIN = 500;

/** `Query 01ab failed: [X] …`, `X: …`: a known class behind other words or without brackets. */
function findLooseClass(text: string): string | undefined {
  for (const part of text.slice(0, LEADING_WITHIN).split(':')) {
    const [, inBrackets, bare] = ANY_CLASS.exec(part) ?? [];
    const name = inBrackets ?? bare;
    if (name !== undefined && isKnownClass(name)) return name;
    if (!LEADING.test(part)) return undefined;
  }
  return undefined;
}

function findClasses(text: string): readonly string[] {
  const first = (FIRST_CLASS.exec(text) ?? CATALOG_CLASS.exec(text))?.[1] ?? findLooseClass(text);
  const later = [...text.matchAll(LATER_CLASS)].map(([, name]) => name as string);
  return [...new Set([...(first === undefined ? [] : [first]), ...later])].filter((name) => name.length <= 120);
}

function readSql(text: string, sqlState: string | undefined, ended: (DriverFailure & { kind: 'sql' })['ended']): DriverFailure {
  const stated = /SQLSTATE:\s*([0-9A-Z]{5})\b/.exec(text)?.[1];
  return { kind: 'sql', errorClasses: findClasses(text), sqlState: sqlState ?? stated, text: text.slice(0, MAX_TEXT), ended };
}

/** Code of a system or TLS error, of this error or of one that caused it. */
function findCode({ code, cause }: { code?: unknown; cause?: unknown }): string | undefined {
  if (typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,60}$/.test(code)) return code;
  return typeof cause === 'object' && cause !== null ? findCode(cause) : undefined;
}

/** `Retry-After`: seconds, or a date. */
function readRetryAfterMs(value: string, nowMs: number): number | undefined {
  const ms = parseRetryAfterMs(value) ?? Date.parse(value) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.max(0, Math.min(ms, MAX_RETRY_AFTER_MS));
}
