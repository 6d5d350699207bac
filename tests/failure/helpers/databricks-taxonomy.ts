import type { Fault } from '../../lab/databricks/faults.ts';

/**
 * What the contract (§7) wants done about an error. `none`: handled without a failed delivery (a new token, another column list). `retry`: by
 * itself, later. `stop`: it waits for a person, and goes on when the error is gone. `quarantine`: the event goes there, the rest goes on.
 */
export type Action = 'none' | 'retry' | 'stop' | 'quarantine';

/** An error that is injected, and what must come of it. */
export interface FaultCase {
  readonly error: string;
  readonly fault: Omit<Fault, 'service'>;
  readonly action: Action;
  /** How often it strikes; default twice. */
  readonly count?: number;
  /** The outcome of the request is unknown, so its rows may come twice. */
  readonly mayRepeat?: boolean;
  /** Concerns rows that are written, so it cannot happen while columns are read. */
  readonly isOfRows?: boolean;
  /** A create does not wait for it. */
  readonly createsAnyway?: boolean;
}

function named(error: string, action: Action, more: Partial<FaultCase> = {}): FaultCase {
  return { error, fault: { error }, action, ...more };
}

/** §7.1 and §7.2, rows "zerobus". */
export const LIVE: readonly FaultCase[] = [
  { error: 'cut before', fault: { cut: 'before' }, action: 'retry', mayRepeat: true },
  { error: 'cut after', fault: { cut: 'after' }, action: 'retry', mayRepeat: true },
  named('200 html', 'stop'),
  named('302 html', 'stop'),
  named('403 html', 'stop'),
  named('407', 'stop'),
  named('408', 'retry', { mayRepeat: true }),
  named('502 html', 'retry', { mayRepeat: true }),
  named('504 html', 'retry', { mayRepeat: true }),
  named('413', 'quarantine'),
  named('400 empty', 'stop'),
  named('400 4024', 'stop'),
  named('403 4024', 'stop'),
  named('400 4044 unrecognized field', 'retry'),
  named('400 4044', 'quarantine', { count: 1 }),
  named('400 missing column', 'quarantine', { count: 1 }),
  named('401', 'none', { count: 1 }),
  named('401', 'stop'),
  named('403', 'none', { count: 1 }),
  named('403', 'stop'),
  named('404', 'stop'),
  named('409', 'retry', { mayRepeat: true }),
  named('429', 'retry'),
  named('429 without retry-after', 'retry'),
  named('499', 'retry', { mayRepeat: true }),
  named('500', 'retry', { mayRepeat: true }),
  named('501', 'stop'),
  named('503', 'retry', { mayRepeat: true }),
  named('504', 'retry', { mayRepeat: true }),
];

/** §1.2 and §7.2, rows "token". */
export const TOKENS: readonly FaultCase[] = [
  { error: 'cut before', fault: { cut: 'before' }, action: 'retry' },
  named('401 invalid_client', 'stop'),
  named('401 invalid_authorization_details', 'stop'),
  named('403 access_denied', 'stop'),
  named('400 invalid_request', 'stop'),
  named('400 unsupported_grant_type', 'stop'),
  named('400 invalid_scope', 'stop'),
  named('older form', 'stop'),
  named('404 html', 'stop'),
  named('200 html', 'stop'),
  named('302 html', 'stop'),
  named('407', 'stop'),
  named('429', 'retry'),
  named('500', 'retry'),
  named('503', 'retry'),
  named('502 html', 'retry'),
];

/** §7.3, as one statement may end. */
export const STATEMENTS: readonly FaultCase[] = [
  ...[
    'DELTA_CONCURRENT_APPEND',
    'DELTA_CONCURRENT_WRITE',
    'DELTA_CONCURRENT_TRANSACTION',
    'DELTA_PROTOCOL_CHANGED',
    'DELTA_METADATA_CHANGED',
    'DELTA_MAX_COMMIT_RETRIES_EXCEEDED',
  ].map((error) => named(error, 'retry', { isOfRows: true })),
  ...[
    'DELTA_NOT_NULL_CONSTRAINT_VIOLATED',
    'DELTA_MISSING_NOT_NULL_COLUMN_VALUE',
    'DELTA_VIOLATE_CONSTRAINT_WITH_VALUES',
    'CAST_INVALID_INPUT',
    'CAST_OVERFLOW',
    'DELTA_CAST_OVERFLOW_IN_TABLE_WRITE',
    'MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION',
  ].map((error) => named(error, 'quarantine', { isOfRows: true, count: 1 })),
  ...[
    'DELTA_INSERT_COLUMN_ARITY_MISMATCH',
    'DELTA_INSERT_COLUMN_MISMATCH',
    'INSERT_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS',
    'UNRESOLVED_COLUMN.WITH_SUGGESTION',
  ].map((error) => named(error, 'retry', { isOfRows: true })),
  ...[
    'TABLE_OR_VIEW_NOT_FOUND',
    'DELTA_TABLE_NOT_FOUND',
    'SCHEMA_NOT_FOUND',
    'CATALOG_NOT_FOUND',
    'INSUFFICIENT_PERMISSIONS',
    'INSUFFICIENT_PRIVILEGES',
    'PARSE_SYNTAX_ERROR',
    'UNBOUND_SQL_PARAMETER',
    'DELTA_UNSUPPORTED_FEATURES_FOR_WRITE',
    'DELTA_STATE_RECOVER_ERROR',
  ].map((error) => named(error, 'stop')),
  named('403', 'stop'),
  named('404', 'stop'),
  named('400', 'stop'),
  named('401', 'none', { count: 1 }),
  named('INVALID_HANDLE', 'none', { count: 1, mayRepeat: true }),
];
