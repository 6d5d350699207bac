import { describe, expect, it } from '@jest/globals';
import { GarbledAnswer, readDriverFailure } from '../../../../app/databricks/warehouse/driver-failure.ts';
import { classifyFailure, type ClassifiedFailure } from '../../../../app/databricks/warehouse/sql-failure.ts';

const SECRET = 'Eve Adams';
const NOW_MS = Date.parse('2026-09-01T00:00:00Z');

async function classify(error: unknown): Promise<ClassifiedFailure> {
  const context = { what: 'insert into', table: ['main', 'fhir', 'patient'], privileges: ['MODIFY'] } as const;
  return classifyFailure(await readDriverFailure(error, NOW_MS), context, error);
}

/** The end of a statement, as the driver throws it. */
function ended(displayMessage: string, sqlState?: string, errorCode = 'ERROR'): unknown {
  return Object.assign(new Error(displayMessage), { errorCode, response: { displayMessage, sqlState } });
}

describe('what the warehouse says of a statement', () => {
  it.each<[string, string | undefined, string]>([
    ['DELTA_CONCURRENT_APPEND', '2D521', 'SQL_CONFLICT'],
    ['DELTA_CONCURRENT_DELETE_READ.WITH_PARTITION_HINT', '2D521', 'SQL_CONFLICT'],
    ['DELTA_CONCURRENT_WRITE', '2D521', 'SQL_CONFLICT'],
    ['DELTA_CONCURRENT_TRANSACTION', '2D521', 'SQL_CONFLICT'],
    ['DELTA_PROTOCOL_CHANGED', '2D521', 'SQL_CONFLICT'],
    ['DELTA_MAX_COMMIT_RETRIES_EXCEEDED', '40000', 'SQL_CONFLICT'],
    ['DELTA_METADATA_CHANGED', '2D521', 'SQL_SCHEMA_DIFFERS'],
    ['DELTA_INSERT_COLUMN_ARITY_MISMATCH', '42802', 'SQL_SCHEMA_DIFFERS'],
    ['DELTA_INSERT_COLUMN_MISMATCH', '42802', 'SQL_SCHEMA_DIFFERS'],
    ['INSERT_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS', '21S01', 'SQL_SCHEMA_DIFFERS'],
    ['DELTA_COLUMN_NOT_FOUND_IN_SCHEMA', '42703', 'SQL_SCHEMA_DIFFERS'],
    ['UNRESOLVED_COLUMN.WITH_SUGGESTION', '42703', 'SQL_SCHEMA_DIFFERS'],
    ['DELTA_MERGE_UNRESOLVED_EXPRESSION', '42601', 'SQL_SCHEMA_DIFFERS'],
    ['DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION', '42K09', 'SQL_ROW_REFUSED'],
    ['INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST', 'KD000', 'SQL_ROW_REFUSED'],
    ['DELTA_FAILED_TO_MERGE_FIELDS', '22005', 'SQL_ROW_REFUSED'],
    ['FIELD_ALREADY_EXISTS', '42710', 'SQL_COLUMN_EXISTS'],
    ['FIELDS_ALREADY_EXISTS', '42710', 'SQL_COLUMN_EXISTS'],
    ['DELTA_DUPLICATE_COLUMNS_FOUND', '42711', 'SQL_COLUMN_EXISTS'],
    ['DELTA_NOT_NULL_CONSTRAINT_VIOLATED', '23502', 'SQL_ROW_REFUSED'],
    ['DELTA_MISSING_NOT_NULL_COLUMN_VALUE', '23502', 'SQL_ROW_REFUSED'],
    ['DELTA_VIOLATE_CONSTRAINT_WITH_VALUES', '23001', 'SQL_ROW_REFUSED'],
    ['CAST_INVALID_INPUT', '22018', 'SQL_ROW_REFUSED'],
    ['CAST_OVERFLOW_IN_TABLE_INSERT', '22003', 'SQL_ROW_REFUSED'],
    ['DELTA_CAST_OVERFLOW_IN_TABLE_WRITE', '22003', 'SQL_ROW_REFUSED'],
    ['NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION', '22003', 'SQL_ROW_REFUSED'],
    ['MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION', '22023', 'SQL_ROW_REFUSED'],
    ['TABLE_OR_VIEW_NOT_FOUND', '42P01', 'SQL_TABLE_NOT_FOUND'],
    ['DELTA_TABLE_NOT_FOUND', '42P01', 'SQL_TABLE_NOT_FOUND'],
    ['DELTA_MISSING_DELTA_TABLE', '42P01', 'SQL_TABLE_NOT_FOUND'],
    ['SCHEMA_NOT_FOUND', '42704', 'SQL_SCHEMA_NOT_FOUND'],
    ['NO_SUCH_CATALOG_EXCEPTION', '42704', 'SQL_SCHEMA_NOT_FOUND'],
    ['INSUFFICIENT_PERMISSIONS', '42501', 'SQL_PERMISSION_MISSING'],
    ['INSUFFICIENT_PRIVILEGES', undefined, 'SQL_PERMISSION_MISSING'],
    ['PARSE_SYNTAX_ERROR', '42601', 'SQL_STATEMENT_REFUSED'],
    ['UNBOUND_SQL_PARAMETER', '42P02', 'SQL_STATEMENT_REFUSED'],
    ['DELTA_CREATE_TABLE_SCHEME_MISMATCH', '42KD7', 'SQL_LOCATION_REFUSED'],
    ['DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION', '42601', 'SQL_LOCATION_REFUSED'],
    ['LOCATION_OVERLAP', undefined, 'SQL_LOCATION_REFUSED'],
    ['DELTA_PATH_DOES_NOT_EXIST', '42K03', 'SQL_TABLE_DAMAGED'],
    ['DELTA_METADATA_ABSENT_EXISTING_CATALOG_TABLE', '42K03', 'SQL_TABLE_DAMAGED'],
    ['DELTA_UNSUPPORTED_FEATURES_FOR_WRITE', '56038', 'SQL_TABLE_UNSUPPORTED'],
    ['DELTA_UNSUPPORTED_CATALOG_MANAGED_TABLE_OPERATION', 'KD00G', 'SQL_TABLE_UNSUPPORTED'],
    ['DELTA_PATH_BASED_ACCESS_TO_CATALOG_MANAGED_TABLE_BLOCKED', 'KD00G', 'SQL_TABLE_UNSUPPORTED'],
    ['DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE', '21506', 'SQL_STATEMENT_REFUSED'],
    ['DELTA_STATE_RECOVER_ERROR', 'XXKDS', 'SQL_TABLE_DAMAGED'],
    ['DELTA_LOG_FILE_NOT_FOUND', '42K03', 'SQL_TABLE_DAMAGED'],
    ['DELTA_VERSIONS_NOT_CONTIGUOUS', 'KD00C', 'SQL_TABLE_DAMAGED'],
    ['RESOURCE_EXHAUSTED', undefined, 'SQL_TOO_LARGE'],
    ['INTERNAL_ERROR', 'XX000', 'WAREHOUSE_ANSWER_LOST'],
    ['SOMETHING_NEW', '22XYZ', 'SQL_ROW_REFUSED'],
    ['SOMETHING_NEW', '08006', 'WAREHOUSE_ANSWER_LOST'],
    ['SOMETHING_NEW', '42K99', 'SQL_STATEMENT_REFUSED'],
    ['SOMETHING_NEW', undefined, 'SQL_STATEMENT_REFUSED'],
  ])('%s (%s) is %s', async (errorClass, sqlState, code) => {
    const { error, executed, isPassing } = await classify(ended(`[${errorClass}] The value '${SECRET}' …`, sqlState));
    expect(error).toMatchObject({ code, facts: { errorClass, table: 'main.fhir.patient' } });
    expect(error.message).toContain(errorClass);
    expect(JSON.stringify([error.message, error.facts])).not.toContain('Eve');
    expect([executed, isPassing]).toEqual([code === 'WAREHOUSE_ANSWER_LOST' ? 'unknown' : 'no', false]);
  });

  it('is read through the exceptions around it, and by the cause of a task that failed', async () => {
    const text =
      `org.apache.hive.service.cli.HiveSQLException: Error running query: [TASK_WRITE_FAILED] org.apache.spark.SparkException: [TASK_WRITE_FAILED] Task failed. SQLSTATE: 58030\n` +
      `Caused by: org.apache.spark.SparkNumberFormatException: [CAST_INVALID_INPUT] The value '${SECRET}' of the type "STRING" cannot be cast`;
    const { error } = await classify(ended(text));
    expect(error).toMatchObject({ code: 'SQL_ROW_REFUSED', facts: { errorClass: 'TASK_WRITE_FAILED', sqlState: '58030' } });
    expect(error.message).toContain('TASK_WRITE_FAILED < CAST_INVALID_INPUT');
  });

  it('is read as Unity Catalog writes it', async () => {
    const text =
      '[RequestId=5a-6 ErrorClass=INVALID_PARAMETER_VALUE.LOCATION_OVERLAP] Input path url overlaps with other external tables';
    expect((await classify(ended(text))).error).toMatchObject({ code: 'SQL_LOCATION_REFUSED' });
  });

  it.each([
    'Error running statement: [DELTA_INSERT_COLUMN_ARITY_MISMATCH] x',
    'Query 01ab-2 failed: [DELTA_INSERT_COLUMN_ARITY_MISMATCH] x',
    'Query 01ab failed: org.apache.spark.sql.AnalysisException: [DELTA_INSERT_COLUMN_ARITY_MISMATCH] x',
    'DELTA_INSERT_COLUMN_ARITY_MISMATCH: x',
    'Error: DELTA_INSERT_COLUMN_ARITY_MISMATCH: x',
    'DELTA_INSERT_COLUMN_ARITY_MISMATCH',
  ])('is found in %j', async (text) => {
    for (const error of [ended(text), { name: 'Status Error', message: text, code: -1 }])
      expect((await classify(error)).error).toMatchObject({
        code: 'SQL_SCHEMA_DIFFERS',
        facts: { errorClass: 'DELTA_INSERT_COLUMN_ARITY_MISMATCH' },
      });
  });

  it.each(['displayMessage', 'errorMessage', 'diagnosticInfo'])('is found in %s alone', async (name) => {
    const response = { displayMessage: 'Query failed [see log]', errorMessage: 'failed', diagnosticInfo: 'none' };
    const error = Object.assign(new Error('failed'), {
      errorCode: 'ERROR',
      response: { ...response, [name]: '[DELTA_CONCURRENT_APPEND] x' },
    });
    expect((await classify(error)).error.code).toBe('SQL_CONFLICT');
  });

  it.each(['Error: the name DELTA_CONCURRENT_APPEND: x', "Error in 'a: DELTA_CONCURRENT_APPEND: x", 'MY_OWN_WORDS: x'])(
    'is not found in %j',
    async (text) => {
      expect((await classify(ended(text))).error.facts).not.toHaveProperty('errorClass');
    },
  );

  it('takes no class from a value', async () => {
    const { error } = await classify(ended(`The value '[DELTA_CONCURRENT_APPEND] ${SECRET}' is wrong`, '22018'));
    expect(error).toMatchObject({ code: 'SQL_ROW_REFUSED' });
    expect(error.message).toContain('(no error class, SQLSTATE 22018)');
  });

  it.each([
    ['PERMISSION_DENIED: User does not have USE SCHEMA on Schema main.fhir', 'SQL_PERMISSION_MISSING'],
    ['java.lang.OutOfMemoryError: Java heap space', 'SQL_TOO_LARGE'],
    ['Query queue is full', 'WAREHOUSE_BUSY'],
    ['TEMPORARILY_UNAVAILABLE: try later', 'WAREHOUSE_STARTING'],
    ['warehouse abc does not exist', 'WAREHOUSE_NOT_FOUND'],
    ['[WAREHOUSE_STOPPED] The SQL warehouse abc is stopped and auto-start is disabled. SQLSTATE: 57P03', 'WAREHOUSE_STOPPED'],
    ['The warehouse abc is STOPPED and will be started', 'WAREHOUSE_STARTING'],
    ['The warehouse abc is stopped; auto resume is off', 'WAREHOUSE_STOPPED'],
    ['Something else', 'SQL_STATEMENT_REFUSED'],
  ])('of itself: %s is %s', async (text, code) => {
    expect((await classify({ name: 'Status Error', message: text, code: -1 })).error.code).toBe(code);
  });

  it.each([
    ['INVALID_HANDLE', 'WAREHOUSE_ANSWER_LOST'],
    ['INVALID_HANDLE_STATUS', 'WAREHOUSE_ANSWER_LOST'],
    ['unknown session 01ab', 'WAREHOUSE_ANSWER_LOST'],
    ['Session handle is not valid', 'WAREHOUSE_ANSWER_LOST'],
    ['', 'WAREHOUSE_ANSWER_LOST'],
    ['Something else', 'SQL_STATEMENT_REFUSED'],
  ])('of itself: %j may mean that the session was lost', async (text, code) => {
    expect(await classify({ name: 'Status Error', message: text, code: -1 })).toMatchObject({
      isSessionLost: true,
      executed: 'no',
      error: { code },
    });
  });

  it.each(['CANCELED', 'CLOSED', 'TIMEOUT', 'UNKNOWN'])('%s leaves its end open', async (state) => {
    expect(await classify(ended('by somebody', undefined, state))).toMatchObject({
      executed: 'unknown',
      error: { code: 'WAREHOUSE_ANSWER_LOST' },
    });
  });

  it('prints the GRANTs for what was not found or not allowed', async () => {
    const { error } = await classify(ended('[TABLE_OR_VIEW_NOT_FOUND] x'));
    expect(error.message).toContain(
      'GRANT USE CATALOG ON CATALOG `main` TO `<application id of the service principal>`; ' +
        'GRANT USE SCHEMA ON SCHEMA `main`.`fhir` TO `<application id of the service principal>`; ' +
        'GRANT MODIFY ON TABLE `main`.`fhir`.`patient` TO',
    );
  });
});

describe('what the network says', () => {
  const system = (code: string): unknown => Object.assign(new Error('x'), { type: 'system', code, errno: code });
  it.each([
    ...['ENOTFOUND', 'EAI_AGAIN', 'ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH'].map(
      (code) => [code, 'WAREHOUSE_UNREACHABLE', 'no', true] as const,
    ),
    ...['CERT_HAS_EXPIRED', 'SELF_SIGNED_CERT_IN_CHAIN', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'].map(
      (code) => [code, 'WAREHOUSE_TLS_FAILED', 'no', false] as const,
    ),
    ...['ERR_TLS_CERT_ALTNAME_INVALID', 'EPROTO'].map((code) => [code, 'WAREHOUSE_TLS_FAILED', 'no', false] as const),
    ...['ECONNRESET', 'EPIPE', 'ETIMEDOUT'].map((code) => [code, 'WAREHOUSE_ANSWER_LOST', 'unknown', false] as const),
  ])('%s is %s', async (code, expected, executed, isPassing) => {
    expect(await classify(system(code))).toMatchObject({
      executed,
      isPassing,
      error: { code: expected, facts: { cause: code } },
    });
    expect(
      await classify({ errorCode: 'ATTEMPTS_EXCEEDED', message: 'Max retry count exceeded', payload: system(code) }),
    ).toMatchObject({ error: { code: expected } });
  });

  it.each([
    [new Error('socket hang up'), 'WAREHOUSE_ANSWER_LOST'],
    [Object.assign(new Error('Request timed out'), { type: 7 }), 'WAREHOUSE_ANSWER_LOST'],
    [new GarbledAnswer(), 'WAREHOUSE_ADDRESS_WRONG'],
    ['a text', 'WAREHOUSE_ANSWER_LOST'],
    [undefined, 'WAREHOUSE_ANSWER_LOST'],
  ])('%p is %s', async (error, code) => {
    expect((await classify(error)).error.code).toBe(code);
  });
});

describe('what HTTP says', () => {
  const answer = (status: number, headers: Record<string, string> = {}, body = ''): unknown => ({
    statusCode: status,
    response: new Response(body, { headers }),
  });
  it.each<[number, string, string]>([
    [401, '', 'WAREHOUSE_TOKEN_REFUSED'],
    [403, '', 'WAREHOUSE_FORBIDDEN'],
    [404, '', 'WAREHOUSE_NOT_FOUND'],
    [407, '', 'WAREHOUSE_PROXY_REFUSED'],
    [408, '', 'WAREHOUSE_ANSWER_LOST'],
    [413, '', 'SQL_TOO_LARGE'],
    [429, '', 'WAREHOUSE_BUSY'],
    [500, '', 'WAREHOUSE_ANSWER_LOST'],
    [502, '', 'WAREHOUSE_ANSWER_LOST'],
    [503, '', 'WAREHOUSE_STARTING'],
    [503, 'The warehouse is stopped, auto-start is disabled', 'WAREHOUSE_STOPPED'],
    [503, 'The warehouse is stopped', 'WAREHOUSE_STARTING'],
    [503, 'The warehouse is STOPPED and will be started', 'WAREHOUSE_STARTING'],
    [429, 'The warehouse is STOPPED and will be started', 'WAREHOUSE_STARTING'],
    [400, 'The warehouse is STOPPED and will be started', 'WAREHOUSE_STARTING'],
    [400, 'The warehouse does not start by itself', 'WAREHOUSE_STOPPED'],
    [504, '', 'WAREHOUSE_ANSWER_LOST'],
    [400, 'something', 'SQL_STATEMENT_REFUSED'],
    [400, 'TEMPORARILY_UNAVAILABLE', 'WAREHOUSE_STARTING'],
    [302, '', 'WAREHOUSE_ADDRESS_WRONG'],
  ])('%i %j is %s', async (status, body, code) => {
    const { error, executed } = await classify(answer(status, {}, `${body} ${SECRET}`));
    expect(error).toMatchObject({ code, facts: { status } });
    expect(error.message).not.toContain('Eve');
    expect(executed).toBe(code === 'WAREHOUSE_ANSWER_LOST' ? 'unknown' : 'no');
  });

  it.each([
    ['7', 7_000],
    ['Tue, 01 Sep 2026 00:00:09 GMT', 9_000],
    ['999999', 60_000],
    ['soon', undefined],
  ])('Retry-After: %s is %s ms', async (value, ms) => {
    expect((await classify(answer(503, { 'retry-after': value }))).error.retryAfterMs).toBe(ms);
  });
});
