import type * as Types from '@databricks/sql/thrift/TCLIService_types.js';
import type { Operation } from '../operations.ts';
import { tcli } from './tcli.ts';

const SECRET = Buffer.from('5d5f3f4a1c2b4e6f8a9b0c1d2e3f4a5b', 'hex');

/** A UUID as the 16 bytes of a handle. They must be a valid UUID or the driver cannot print it (3.8). */
export function makeIdentifier(id: string): Types.THandleIdentifier {
  return new tcli.THandleIdentifier({ guid: Buffer.from(id.replaceAll('-', ''), 'hex'), secret: SECRET });
}

/** The UUID of a handle. Texts come instead of bytes when Thrift takes them for UTF-8. */
export function readIdentifier(identifier: Types.THandleIdentifier | undefined): string {
  const guid = identifier?.guid as Buffer | string | undefined;
  const hex = (typeof guid === 'string' ? Buffer.from(guid, 'latin1') : (guid ?? Buffer.alloc(0))).toString('hex');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

export function makeOperationHandle(operation: Operation): Types.TOperationHandle {
  return new tcli.TOperationHandle({
    operationId: makeIdentifier(operation.id),
    operationType: tcli.TOperationType.EXECUTE_STATEMENT,
    hasResultSet: operation.result === undefined || operation.result.columns.length > 0,
  });
}
