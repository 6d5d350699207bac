import { isTlsCode, NOT_SENT } from '../connection-codes.ts';
import { AppError } from '../../errors/app-error.ts';
import type { ErrorCode } from '../../errors/catalogue.ts';
import type { DriverFailure } from './driver-failure.ts';
import { findSqlCode } from './error-classes.ts';
import { describeGrants, type TablePrivilege } from './grants.ts';

/** What a call was for: our own names only, for messages. */
export interface CallContext {
  /** What is done: `insert into`, `read the columns of`, `open a session`. */
  readonly what: string;
  /** Catalog, schema and table. */
  readonly table?: readonly string[];
  readonly privileges?: readonly TablePrivilege[];
  /** Id of the statement on the server, as its query history shows it. */
  readonly statementId?: string;
}

/** A failure, with what the client of the warehouse has to know. */
export interface ClassifiedFailure {
  readonly error: AppError;
  /** `no`: certainly not executed. `unknown`: it may have been. */
  readonly executed: 'no' | 'unknown';
  /** Not executed, and the reason passes by itself within seconds or minutes: starting, overloaded, not reachable. */
  readonly isPassing: boolean;
  readonly isSessionLost: boolean;
  readonly isTokenRefused: boolean;
}

const SESSION_LOST = /invalid ?session ?handle|session\b.{0,80}\b(expired|closed|not found|does not exist|no longer)/is;
/** Only these words say that waiting is in vain: a warehouse that is merely stopped is started by the call. */
const STAYS_STOPPED = /auto[-_ ]?(start|resume)\w* (is )?(disabled|off)|does not start/i;
const STOPPED = /(is|been) stopped|\bSTOPPED\b|endpoint is not running/i;
const STARTING = /TEMPORARILY_UNAVAILABLE|\bSTARTING\b|is starting|resuming/i;
/** The beginning of a text is the server's own; values stand later. */
const HEAD = 300;
const QUEUE_FULL = /queue (is )?full|too many (queued|concurrent)/i;

/**
 * A failure of the driver in the words of the catalogue, by what proves that a statement did not run and what leaves it open.
 * Repeats nothing that the server wrote, as it may quote values: only error class, SQLSTATE, status and ids.
 */
export function classifyFailure(failure: DriverFailure, context: CallContext, cause: unknown): ClassifiedFailure {
  const { what, table, statementId } = context;
  const fail = (
    code: ErrorCode,
    found: string,
    options: Partial<Omit<ClassifiedFailure, 'error'>> & { retryAfterMs?: number | undefined } = {},
  ): ClassifiedFailure => {
    const { retryAfterMs, ...rest } = options;
    const error = new AppError(code, `${what}${table === undefined ? '' : ` ${table.join('.')}`}: ${found}`, {
      facts: makeFacts(failure, context),
      cause,
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    });
    return { error, executed: 'no', isPassing: false, isSessionLost: false, isTokenRefused: false, ...rest };
  };

  switch (failure.kind) {
    case 'network':
      if (NOT_SENT.has(failure.code))
        return fail('WAREHOUSE_UNREACHABLE', `no connection (${failure.code})`, { isPassing: true });
      if (isTlsCode(failure.code)) return fail('WAREHOUSE_TLS_FAILED', `no secure connection (${failure.code})`);
      return fail('WAREHOUSE_ANSWER_LOST', `the connection broke before the answer (${failure.code})`, { executed: 'unknown' });
    case 'timeout':
      return fail('WAREHOUSE_ANSWER_LOST', 'no answer in time', { executed: 'unknown' });
    case 'garbled':
      return fail('WAREHOUSE_ADDRESS_WRONG', 'what answers at the workspace URL does not speak the protocol of SQL warehouses');
    case 'http':
      return classifyHttp(failure, fail);
    case 'sql':
      return classifySql(failure, context, fail);
    case 'other':
      if (SESSION_LOST.test(failure.text))
        return fail('WAREHOUSE_ANSWER_LOST', 'the session was lost', { executed: 'unknown', isSessionLost: true });
      return fail(
        'WAREHOUSE_ANSWER_LOST',
        `the driver failed${statementId === undefined ? '' : ` at statement ${statementId}`}`,
        {
          executed: 'unknown',
        },
      );
  }
}

type Fail = (
  code: ErrorCode,
  found: string,
  options?: Partial<Omit<ClassifiedFailure, 'error'>> & { retryAfterMs?: number | undefined },
) => ClassifiedFailure;

function classifyHttp({ status, text, retryAfterMs }: DriverFailure & { kind: 'http' }, fail: Fail): ClassifiedFailure {
  const answered = `the workspace answered ${status}`;
  if (STAYS_STOPPED.test(text) && status >= 400)
    return fail('WAREHOUSE_STOPPED', `${answered}: the warehouse is stopped and does not start by itself`);
  if (STOPPED.test(text) && (status === 400 || status === 429 || status === 503))
    return fail('WAREHOUSE_STARTING', `${answered}: stopped, so it has to start`, { isPassing: true, retryAfterMs });
  if (/too many parameters/i.test(text))
    return fail('SQL_STATEMENT_REFUSED', `${answered}: the statement has too many parameters`);
  switch (status) {
    case 401:
      return fail('WAREHOUSE_TOKEN_REFUSED', `${answered} to the token`, { isTokenRefused: true });
    case 403:
      return fail('WAREHOUSE_FORBIDDEN', `${answered}; CAN USE on the warehouse is needed`, { isTokenRefused: true });
    case 404:
      return fail('WAREHOUSE_NOT_FOUND', `${answered}: there is no such warehouse`);
    case 407:
      return fail('WAREHOUSE_PROXY_REFUSED', 'the proxy answered 407');
    case 413:
      return fail('SQL_TOO_LARGE', `${answered}: the statement is too large`);
    case 429:
      return fail('WAREHOUSE_BUSY', `${answered}: too many requests`, { isPassing: true, retryAfterMs });
    case 503:
      return fail('WAREHOUSE_STARTING', `${answered}: not available, most likely starting`, { isPassing: true, retryAfterMs });
    default:
      if (/ENDPOINT_NOT_FOUND|warehouse .{0,80}does not exist/i.test(text))
        return fail('WAREHOUSE_NOT_FOUND', `${answered}: there is no such warehouse`);
      if (STARTING.test(text))
        return fail('WAREHOUSE_STARTING', `${answered}: most likely starting`, { isPassing: true, retryAfterMs });
      if (status >= 500 || status === 408) return fail('WAREHOUSE_ANSWER_LOST', answered, { executed: 'unknown', retryAfterMs });
      return fail(status >= 400 ? 'SQL_STATEMENT_REFUSED' : 'WAREHOUSE_ADDRESS_WRONG', answered);
  }
}

function classifySql(failure: DriverFailure & { kind: 'sql' }, context: CallContext, fail: Fail): ClassifiedFailure {
  const { errorClasses, sqlState = '', text, ended } = failure;
  const found = describeSql(failure, context.statementId);
  if (ended === undefined && errorClasses[0]?.startsWith('INVALID_HANDLE') === true)
    return fail('WAREHOUSE_ANSWER_LOST', `the session was lost (${found})`, { isSessionLost: true });
  // A text without a class is the server's own word about sessions and warehouses, not about the statement.
  if (errorClasses.length === 0) {
    if (ended === undefined && (text === '' || SESSION_LOST.test(text)))
      return fail('WAREHOUSE_ANSWER_LOST', 'the session was lost', { isSessionLost: true });
    if (ended !== undefined && (/invalid ?operation ?handle|invalid ?handle/i.test(text) || SESSION_LOST.test(text)))
      return fail('WAREHOUSE_ANSWER_LOST', `the warehouse does not know the statement any more (${found})`, {
        executed: 'unknown',
        isSessionLost: true,
      });
    if (ENDPOINT_GONE.test(text)) return fail('WAREHOUSE_NOT_FOUND', 'there is no such warehouse');
    if (QUEUE_FULL.test(text)) return fail('WAREHOUSE_BUSY', 'its queue is full', { isPassing: true });
    const head = text.slice(0, HEAD);
    if (STAYS_STOPPED.test(head)) return fail('WAREHOUSE_STOPPED', 'the warehouse is stopped and does not start by itself');
    if (STARTING.test(head) || (ended === undefined && STOPPED.test(head)))
      return fail('WAREHOUSE_STARTING', 'not available, most likely starting', { isPassing: true });
  }
  if (ended !== undefined && ended !== 'error')
    return fail('WAREHOUSE_ANSWER_LOST', `the statement ended as ${ended} (${found})`, { executed: 'unknown' });
  const code = findSqlCode(errorClasses, sqlState, text);
  if (code === 'SQL_STATEMENT_REFUSED' && ended === undefined) {
    // What a session is refused with may carry a class that says it.
    const head = text.slice(0, HEAD);
    if (STAYS_STOPPED.test(head))
      return fail('WAREHOUSE_STOPPED', `the warehouse is stopped and does not start by itself (${found})`);
    if (STOPPED.test(head)) return fail('WAREHOUSE_STARTING', `stopped, so it has to start (${found})`, { isPassing: true });
    // The driver keeps INVALID_HANDLE to itself, so every refusal without a class may be that.
    if (errorClasses.length === 0)
      return /session|handle/i.test(head)
        ? fail('WAREHOUSE_ANSWER_LOST', 'the session was lost', { isSessionLost: true })
        : fail(code, `refused by the warehouse (${found})`, { isSessionLost: true });
  }
  if (code === 'WAREHOUSE_ANSWER_LOST') return fail(code, `the warehouse failed inside (${found})`, { executed: 'unknown' });
  const notThere = code in NOT_THERE ? NOT_THERE[code as keyof typeof NOT_THERE] : undefined;
  if (notThere === undefined) return fail(code, `refused by the warehouse (${found})`);
  const { table, privileges = ['SELECT'] } = context;
  return fail(code, `${notThere} (${found})${table === undefined ? '' : `; it needs: ${describeGrants(table, privileges)}`}`);
}

const ENDPOINT_GONE = /ENDPOINT_NOT_FOUND|warehouse .{0,80}does not exist/i;
const NOT_THERE = {
  SQL_PERMISSION_MISSING: 'the service principal lacks a privilege',
  SQL_TABLE_NOT_FOUND: 'there is no such table, or the service principal may not see it',
  SQL_SCHEMA_NOT_FOUND: 'there is no such catalog or schema, or the service principal may not see it',
} as const;

function describeSql({ errorClasses, sqlState }: DriverFailure & { kind: 'sql' }, statementId: string | undefined): string {
  const parts = [
    errorClasses.length === 0 ? 'no error class' : errorClasses.slice(0, 3).join(' < '),
    ...(sqlState === undefined ? [] : [`SQLSTATE ${sqlState}`]),
    ...(statementId === undefined ? [] : [`statement ${statementId}`]),
  ];
  return parts.join(', ');
}

function makeFacts(failure: DriverFailure, { table, statementId }: CallContext): Record<string, string | number> {
  return {
    ...(table === undefined ? {} : { table: table.join('.') }),
    ...(statementId === undefined ? {} : { statementId }),
    ...(failure.kind === 'http' ? { status: failure.status } : {}),
    ...(failure.kind === 'http' && failure.requestId !== undefined ? { requestId: failure.requestId } : {}),
    ...(failure.kind === 'sql' && failure.errorClasses[0] !== undefined ? { errorClass: failure.errorClasses[0] } : {}),
    ...(failure.kind === 'sql' && failure.sqlState !== undefined ? { sqlState: failure.sqlState } : {}),
    ...(failure.kind === 'network' ? { cause: failure.code } : {}),
  };
}
