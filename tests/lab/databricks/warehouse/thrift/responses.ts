import type * as Types from '@databricks/sql/thrift/TCLIService_types.js';
import type { Operation, OperationState } from '../operations.ts';
import type { SqlError } from '../sql/sql-error.ts';
import { makeRowSet, makeSchema } from './row-set.ts';
import { tcli } from './tcli.ts';

const STATES: Readonly<Record<OperationState, Types.TOperationState>> = {
  PENDING: tcli.TOperationState.PENDING_STATE,
  RUNNING: tcli.TOperationState.RUNNING_STATE,
  FINISHED: tcli.TOperationState.FINISHED_STATE,
  ERROR: tcli.TOperationState.ERROR_STATE,
  CANCELED: tcli.TOperationState.CANCELED_STATE,
  CLOSED: tcli.TOperationState.CLOSED_STATE,
  TIMEDOUT: tcli.TOperationState.TIMEDOUT_STATE,
};

/** Fields of an error in answers (3.5). */
interface ErrorFields {
  readonly sqlState: string;
  readonly errorCode: number;
  readonly errorMessage: string;
  readonly displayMessage: string;
  readonly errorDetailsJson: string;
}

export function makeSuccess(): Types.TStatus {
  return new tcli.TStatus({ statusCode: tcli.TStatusCode.SUCCESS_STATUS });
}

export function makeInvalidHandle(what: 'SessionHandle' | 'OperationHandle', id: string): Types.TStatus {
  const text = `Invalid ${what}: ${what} [${id}]`;
  return new tcli.TStatus({
    statusCode: tcli.TStatusCode.INVALID_HANDLE_STATUS,
    errorCode: 0,
    errorMessage: text,
    displayMessage: text,
  });
}

/** The driver makes StatusError of it. */
export function makeErrorStatus(error: SqlError, prefix: string): Types.TStatus {
  return new tcli.TStatus({ statusCode: tcli.TStatusCode.ERROR_STATUS, ...makeErrorFields(error, prefix) });
}

export function makeOperationStatus(operation: Operation, prefix: string): Types.TGetOperationStatusResp {
  const { state, error, result } = operation;
  return new tcli.TGetOperationStatusResp({
    status: makeSuccess(),
    operationState: STATES[state],
    ...(error !== undefined && state === 'ERROR' && { ...makeErrorFields(error, prefix), diagnosticInfo: error.message }),
    ...(result !== undefined && { hasResultSet: result.columns.length > 0 }),
  });
}

function makeErrorFields({ message, sqlState, errorClass }: SqlError, prefix: string): ErrorFields {
  return {
    sqlState,
    errorCode: 0,
    errorMessage: `${prefix}${message}`,
    displayMessage: message,
    errorDetailsJson: JSON.stringify({ errorClass, sqlState }),
  };
}

export function makeMetadata({ result }: Operation): Types.TGetResultSetMetadataResp {
  return new tcli.TGetResultSetMetadataResp({
    status: makeSuccess(),
    schema: makeSchema(result?.columns ?? []),
    resultFormat: tcli.TSparkRowSetType.COLUMN_BASED_SET,
    lz4Compressed: false,
    isStagingOperation: false,
  });
}

/** The next rows, at most so many. */
export function fetchNext(operation: Operation, maxRows: number): Types.TFetchResultsResp {
  const { columns, rows } = operation.result ?? { columns: [], rows: [] };
  const start = operation.fetched;
  const page = rows.slice(start, start + maxRows);
  operation.fetched += page.length;
  return new tcli.TFetchResultsResp({
    status: makeSuccess(),
    hasMoreRows: operation.fetched < rows.length,
    results: makeRowSet(columns, page, start),
  });
}
