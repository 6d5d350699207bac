import { HttpRefusal } from './http-refusal.ts';
import type { OperationState } from './operations.ts';
import { SqlError } from './sql/sql-error.ts';

/** SQLSTATE and text of the errors of section 7.3 that a fault can name. */
const SQL_ERRORS: Readonly<Record<string, readonly [sqlState: string, text: string]>> = {
  DELTA_CONCURRENT_APPEND: [
    '2D521',
    'ConcurrentAppendException: Files were added by a concurrent update. Please try the operation again.',
  ],
  DELTA_CONCURRENT_DELETE_READ: ['2D521', 'This transaction attempted to read files that were deleted by a concurrent update.'],
  DELTA_CONCURRENT_DELETE_DELETE: [
    '2D521',
    'This transaction attempted to delete files that were deleted by a concurrent update.',
  ],
  DELTA_CONCURRENT_WRITE: [
    '2D521',
    'A concurrent transaction has written new data since the current transaction read the table.',
  ],
  DELTA_CONCURRENT_TRANSACTION: ['2D521', 'This error occurs when multiple streaming queries are using the same checkpoint.'],
  DELTA_PROTOCOL_CHANGED: [
    '2D521',
    'ProtocolChangedException: The protocol version of the Delta table has been changed by a concurrent update.',
  ],
  DELTA_METADATA_CHANGED: [
    '2D521',
    'MetadataChangedException: The metadata of the Delta table has been changed by a concurrent update.',
  ],
  DELTA_MAX_COMMIT_RETRIES_EXCEEDED: ['40000', 'This commit has failed as it has been tried 10000000 times but did not succeed.'],
  DELTA_INSERT_COLUMN_ARITY_MISMATCH: ['42802', "Cannot write to 't', not enough data columns; target table has 3 column(s)."],
  DELTA_INSERT_COLUMN_MISMATCH: ['42802', 'Column id is not specified in INSERT'],
  DELTA_COLUMN_NOT_FOUND: ['42703', 'Unable to find the column `x` given [`id`].'],
  'UNRESOLVED_COLUMN.WITH_SUGGESTION': [
    '42703',
    'A column with name `x` cannot be resolved. Did you mean one of the following? [`id`].',
  ],
  'INSERT_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS': [
    '21S01',
    'Cannot write to `t`, the reason is not enough data columns.',
  ],
  'INSERT_COLUMN_ARITY_MISMATCH.TOO_MANY_DATA_COLUMNS': ['21S01', 'Cannot write to `t`, the reason is too many data columns.'],
  FIELD_ALREADY_EXISTS: ['42710', 'Cannot add column, because `x` already exists.'],
  FIELDS_ALREADY_EXISTS: ['42710', 'Cannot add column, because `x` already exists in the struct.'],
  DELTA_DUPLICATE_COLUMNS_FOUND: ['42711', 'Found duplicate column(s) in adding columns: x.'],
  DELTA_NOT_NULL_CONSTRAINT_VIOLATED: ['23502', 'NOT NULL constraint violated for column: id.'],
  DELTA_MISSING_NOT_NULL_COLUMN_VALUE: [
    '23502',
    'Column id, which has a NOT NULL constraint, is missing from the data being written into the table.',
  ],
  DELTA_VIOLATE_CONSTRAINT_WITH_VALUES: ['23001', 'CHECK constraint c (x > 0) violated by row with values.'],
  CAST_INVALID_INPUT: ['22018', 'The value of the type "STRING" cannot be cast to "INT" because it is malformed.'],
  CAST_OVERFLOW: ['22003', 'The value of the type "BIGINT" cannot be cast to "INT" due to an overflow.'],
  CAST_OVERFLOW_IN_TABLE_INSERT: [
    '22003',
    'Fail to assign a value of "BIGINT" type to the "INT" type column or variable `x` due to an overflow.',
  ],
  DELTA_CAST_OVERFLOW_IN_TABLE_WRITE: [
    '22003',
    'Failed to write a value of "BIGINT" type into the "INT" type column `x` due to an overflow.',
  ],
  'DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION': [
    '42K09',
    'Cannot resolve "x" due to data type mismatch: cannot cast "INT" to "DATE".',
  ],
  'INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST': [
    'KD000',
    'Cannot write incompatible data for the table `t`: Cannot safely cast `x`.',
  ],
  DELTA_FAILED_TO_MERGE_FIELDS: ['22005', "Failed to merge fields 'x' and 'x'"],
  'MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION': [
    '22023',
    'Malformed records are detected in record parsing. Parse Mode: FAILFAST.',
  ],
  TABLE_OR_VIEW_NOT_FOUND: ['42P01', 'The table or view `t` cannot be found.'],
  DELTA_TABLE_NOT_FOUND: ['42P01', "Delta table `t` doesn't exist."],
  DELTA_MISSING_DELTA_TABLE: ['42P01', '`t` is not a Delta table.'],
  SCHEMA_NOT_FOUND: ['42704', 'The schema `s` cannot be found.'],
  CATALOG_NOT_FOUND: ['42P08', 'The catalog `c` not found.'],
  NO_SUCH_CATALOG_EXCEPTION: ['42704', "Catalog 'c' was not found."],
  INSUFFICIENT_PERMISSIONS: ['42501', "Insufficient privileges:\nUser does not have MODIFY on Table 'main.fhir.patient'."],
  INSUFFICIENT_PRIVILEGES: ['42501', 'User does not have permission.'],
  PARSE_SYNTAX_ERROR: ['42601', "Syntax error at or near 'x'."],
  UNBOUND_SQL_PARAMETER: ['42P02', 'Found the unbound parameter: x.'],
  DELTA_CREATE_TABLE_SCHEME_MISMATCH: ['42KD7', 'The specified schema does not match the existing schema.'],
  DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION: ['42601', 'The associated location is not empty and also not a Delta table.'],
  DELTA_PATH_DOES_NOT_EXIST: ['42K03', "The path doesn't exist, or is not a Delta table."],
  DELTA_METADATA_ABSENT_EXISTING_CATALOG_TABLE: [
    '42K03',
    'The table already exists in the catalog but there is no metadata for the table at the path.',
  ],
  LOCATION_OVERLAP: ['22KD1', "Input path url overlaps with other external tables or volumes within 'CreateTable' call."],
  DELTA_UNSUPPORTED_FEATURES_FOR_READ: [
    '56038',
    'Unsupported Delta read feature: table requires reader table feature(s) that are unsupported.',
  ],
  DELTA_UNSUPPORTED_FEATURES_FOR_WRITE: [
    '56038',
    'Unsupported Delta write feature: table requires writer table feature(s) that are unsupported.',
  ],
  DELTA_UNSUPPORTED_CATALOG_MANAGED_TABLE_OPERATION: ['KD00G', 'The operation is not allowed on a catalog-managed table.'],
  DELTA_PATH_BASED_ACCESS_TO_CATALOG_MANAGED_TABLE_BLOCKED: [
    'KD00G',
    'Path-based access is not allowed for a catalog-managed table.',
  ],
  DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE: ['21506', 'Cannot perform Merge as multiple source rows matched.'],
  DELTA_STATE_RECOVER_ERROR: ['XXKDS', 'The metadata of your Delta table could not be recovered.'],
  DELTA_LOG_FILE_NOT_FOUND: ['42K03', 'Unable to retrieve the delta log files to construct table version 1.'],
  DELTA_VERSIONS_NOT_CONTIGUOUS: ['KD00C', 'Versions (1, 3) are not contiguous.'],
  RESOURCE_EXHAUSTED: ['53000', 'The query queue is full.'],
  INTERNAL_ERROR: ['XX000', 'An internal error occurred.'],
  CONNECTION_FAILURE: ['08006', 'The connection to the cluster was lost.'],
};

/** Errors that are an HTTP status. */
const HTTP_ERRORS: Readonly<Record<string, () => HttpRefusal>> = {
  '400 too many parameters': () =>
    new HttpRefusal(
      400,
      'BAD_REQUEST',
      'Parameterized query has too many parameters: 257 parameters were given but the limit is 256.',
    ),
  '400': () => new HttpRefusal(400, 'BAD_REQUEST', 'The request is malformed.'),
  '401': () => new HttpRefusal(401, 'UNAUTHENTICATED', 'Invalid access token.'),
  '403': () => new HttpRefusal(403, 'PERMISSION_DENIED', 'You do not have permission to use the SQL warehouse.'),
  '403 IP access list': () => new HttpRefusal(403, 'PERMISSION_DENIED', 'IP address 10.0.0.1 is blocked by Databricks IP ACL.'),
  '404': () => new HttpRefusal(404, 'ENDPOINT_NOT_FOUND', 'The SQL warehouse does not exist.'),
  '429': () => new HttpRefusal(429, 'REQUEST_LIMIT_EXCEEDED', 'Too many requests.', 1),
  '429 without Retry-After': () => new HttpRefusal(429, 'REQUEST_LIMIT_EXCEEDED', 'Too many requests.'),
  '500': () => new HttpRefusal(500, 'INTERNAL_ERROR', 'An internal error occurred.'),
  '503': () => new HttpRefusal(503, 'TEMPORARILY_UNAVAILABLE', 'The warehouse is starting.', 1),
  '503 without Retry-After': () => new HttpRefusal(503, 'TEMPORARILY_UNAVAILABLE', 'The warehouse is starting.'),
};

const STATES: Readonly<Record<string, OperationState>> = { CANCELED: 'CANCELED', CLOSED: 'CLOSED', TIMEDOUT: 'TIMEDOUT' };

/** What a fault makes of a call. */
export type NamedError =
  | { readonly kind: 'http'; readonly refusal: HttpRefusal }
  | { readonly kind: 'sql'; readonly error: SqlError }
  | { readonly kind: 'state'; readonly state: OperationState }
  | { readonly kind: 'invalid-handle' };

/**
 * An error of section 7.3 by its name: a class (`DELTA_CONCURRENT_APPEND`), an HTTP status (`503`), the end of an operation (`CANCELED`,
 * `CLOSED`, `TIMEDOUT`) or `INVALID_HANDLE`.
 *
 * @throws Error for other names
 */
export function findNamedError(name: string): NamedError {
  if (name === 'INVALID_HANDLE') return { kind: 'invalid-handle' };
  const state = STATES[name];
  if (state !== undefined) return { kind: 'state', state };
  const makeRefusal = HTTP_ERRORS[name];
  if (makeRefusal !== undefined) return { kind: 'http', refusal: makeRefusal() };
  const sql = SQL_ERRORS[name];
  if (sql === undefined) throw new Error(`the warehouse knows no error '${name}'; it knows: ${listErrorNames().join(', ')}`);
  return { kind: 'sql', error: new SqlError(name, sql[0], `${sql[1]} SQLSTATE: ${sql[0]}`) };
}

/** Every name that `findNamedError` takes. */
export function listErrorNames(): string[] {
  return [...Object.keys(SQL_ERRORS), ...Object.keys(HTTP_ERRORS), ...Object.keys(STATES), 'INVALID_HANDLE'];
}
