import type * as Types from '@databricks/sql/thrift/TCLIService_types.js';
import type { Registry } from '../../registry/registry.ts';
import type { Warehouses } from '../../workspace/warehouses.ts';
import type { Caller } from '../caller.ts';
import { waitForWarehouse } from '../cold-start.ts';
import type { Engine } from '../engine.ts';
import type { NamedError } from '../named-errors.ts';
import type { Operation } from '../operations.ts';
import type { WarehouseSwitches } from '../options.ts';
import { Sessions } from '../sessions.ts';
import type { StatementRecord } from '../statement-record.ts';
import { StatementRunner } from '../statement-runner.ts';
import { makeIdentifier, makeOperationHandle, readIdentifier } from './handles.ts';
import { fetchNext, makeErrorStatus, makeInvalidHandle, makeMetadata, makeOperationStatus, makeSuccess } from './responses.ts';
import { tcli, type TcliMethod } from './tcli.ts';

/** The protocol that lets the driver send parameters (3.8). */
const PROTOCOL = 42_248;
const MAX_FETCH_ROWS = 100_000;

export interface ThriftServiceParts {
  readonly registry: Registry;
  readonly warehouses: Warehouses;
  readonly engine: Engine;
  readonly switches: WarehouseSwitches;
}

/** How a call is to be answered. */
export interface Asked {
  readonly caller: Caller;
  /** The error of a fault. */
  readonly named?: NamedError;
  /** The error comes after the effect. */
  readonly afterEffect: boolean;
}

/** For the journal. */
export interface CallEffects {
  readonly error?: string;
  readonly rows?: number;
}

/** The calls of TCLIService, with sessions and operations. */
export class ThriftService {
  private readonly parts: ThriftServiceParts;
  private readonly sessions: Sessions;
  private readonly operations = new Map<string, Operation>();
  private readonly runner: StatementRunner;

  constructor(parts: ThriftServiceParts) {
    this.parts = parts;
    this.runner = new StatementRunner(parts);
    this.sessions = new Sessions(
      () => parts.switches.sessionIdleMs,
      (sessionId) => this.dropOperations(sessionId),
    );
  }

  get statements(): readonly StatementRecord[] {
    return this.runner.records;
  }

  get sessionCount(): number {
    return this.sessions.count;
  }

  expireSessions(): void {
    this.sessions.expireAll();
  }

  /** @throws HttpRefusal for what is answered with a status of HTTP */
  async answer(method: TcliMethod, call: unknown, asked: Asked): Promise<CallEffects & { readonly response: unknown }> {
    switch (method) {
      case 'OpenSession':
        return this.openSession(call as Types.TOpenSessionReq, asked);
      case 'CloseSession':
        return this.closeSession(call as Types.TCloseSessionReq, asked);
      case 'GetInfo':
        return { response: this.getInfo(call as Types.TGetInfoReq, asked) };
      case 'ExecuteStatement':
        return this.executeStatement(call as Types.TExecuteStatementReq, asked);
      case 'GetOperationStatus':
        return this.withOperation(call as Types.TGetOperationStatusReq, asked, (operation) =>
          makeOperationStatus(operation, this.parts.switches.errorPrefix),
        );
      case 'GetResultSetMetadata':
        return this.withOperation(call as Types.TGetResultSetMetadataReq, asked, makeMetadata);
      case 'FetchResults': {
        const maxRows = Math.min(Number((call as Types.TFetchResultsReq).maxRows ?? MAX_FETCH_ROWS), MAX_FETCH_ROWS);
        return this.withOperation(call as Types.TFetchResultsReq, asked, (operation) => fetchNext(operation, maxRows));
      }
      case 'CancelOperation':
        return this.withOperation(call as Types.TCancelOperationReq, asked, (operation) => {
          operation.finish('CANCELED');
          return { status: makeSuccess() };
        });
      case 'CloseOperation':
        return this.withOperation(call as Types.TCloseOperationReq, asked, (operation) => {
          operation.finish('CLOSED');
          this.operations.delete(operation.id);
          return { status: makeSuccess() };
        });
    }
  }

  private async openSession(
    request: Types.TOpenSessionReq,
    { caller, named }: Asked,
  ): Promise<CallEffects & { response: unknown }> {
    const refused = this.refuse(named);
    if (refused !== undefined) return { response: { ...refused, serverProtocolVersion: PROTOCOL }, error: errorOf(named) };
    const stopped = await waitForWarehouse(this.parts, caller.warehouse, 'OpenSession');
    if (stopped !== undefined) {
      const status = makeErrorStatus(stopped, this.parts.switches.errorPrefix);
      return { response: new tcli.TOpenSessionResp({ status, serverProtocolVersion: PROTOCOL }), error: stopped.errorClass };
    }
    const namespace = request.initialNamespace;
    const session = this.sessions.add({
      principal: caller.principal,
      warehouseId: caller.warehouse.id,
      catalog: namespace?.catalogName ?? undefined,
      schema: namespace?.schemaName ?? undefined,
      configuration: request.configuration ?? {},
    });
    const response = new tcli.TOpenSessionResp({
      status: makeSuccess(),
      serverProtocolVersion: PROTOCOL,
      sessionHandle: new tcli.TSessionHandle({ sessionId: makeIdentifier(session.id) }),
      configuration: {},
      canUseMultipleCatalogs: true,
      ...(namespace !== undefined && namespace !== null && { initialNamespace: namespace }),
    });
    return { response };
  }

  private closeSession({ sessionHandle }: Types.TCloseSessionReq, { caller, named }: Asked): CallEffects & { response: unknown } {
    const refused = this.refuse(named);
    if (refused !== undefined) return { response: refused, error: errorOf(named) };
    const id = readIdentifier(sessionHandle.sessionId);
    const session = this.sessions.use(id, caller.principal);
    if (session === undefined) return { response: { status: makeInvalidHandle('SessionHandle', id) }, error: 'INVALID_HANDLE' };
    this.sessions.close(id);
    return { response: { status: makeSuccess() } };
  }

  private getInfo({ sessionHandle, infoType }: Types.TGetInfoReq, { caller }: Asked): unknown {
    const id = readIdentifier(sessionHandle.sessionId);
    const isOpen = this.sessions.use(id, caller.principal) !== undefined;
    const { CLI_DBMS_VER, CLI_SERVER_NAME, CLI_DBMS_NAME } = tcli.TGetInfoType;
    const isName = infoType === CLI_SERVER_NAME || infoType === CLI_DBMS_NAME;
    const stringValue = isName ? 'Spark SQL' : infoType === CLI_DBMS_VER ? '4.0.0' : '';
    return { status: isOpen ? makeSuccess() : makeInvalidHandle('SessionHandle', id), infoValue: { stringValue } };
  }

  private async executeStatement(
    request: Types.TExecuteStatementReq,
    asked: Asked,
  ): Promise<CallEffects & { response: unknown }> {
    const { switches } = this.parts;
    const id = readIdentifier(request.sessionHandle.sessionId);
    const session = asked.named?.kind === 'invalid-handle' ? undefined : this.sessions.use(id, asked.caller.principal);
    if (session === undefined) return { response: { status: makeInvalidHandle('SessionHandle', id) }, error: 'INVALID_HANDLE' };
    const operation = await this.runner.start(request, session, asked);
    this.operations.set(operation.id, operation);
    const { error } = operation;
    const effects = { ...(error && { error: error.errorClass }), ...countRows(operation) };
    const operationHandle = makeOperationHandle(operation);
    if (error !== undefined && switches.errorForm === 'status') {
      this.operations.delete(operation.id);
      return { response: { status: makeErrorStatus(error, switches.errorPrefix) }, ...effects };
    }
    const isShown = operation.hasEnded && (error === undefined || switches.errorForm === 'direct');
    const directResults = isShown && request.getDirectResults ? this.makeDirectResults(operation, request) : undefined;
    return { response: { status: makeSuccess(), operationHandle, ...(directResults && { directResults }) }, ...effects };
  }

  /** The whole answer at once: status, and when it went well metadata and the first rows; closed when that is all. */
  private makeDirectResults(operation: Operation, request: Types.TExecuteStatementReq): Types.TSparkDirectResults {
    const operationStatus = makeOperationStatus(operation, this.parts.switches.errorPrefix);
    if (operation.result === undefined) return new tcli.TSparkDirectResults({ operationStatus });
    // Without columns there must be no row set either: the driver would never take it and ask for ever whether there is more.
    const hasColumns = operation.result.columns.length > 0;
    const resultSet = hasColumns ? fetchNext(operation, Number(request.getDirectResults?.maxRows ?? MAX_FETCH_ROWS)) : undefined;
    const isAll = resultSet?.hasMoreRows !== true;
    if (isAll) this.operations.delete(operation.id);
    return new tcli.TSparkDirectResults({
      operationStatus,
      resultSetMetadata: makeMetadata(operation),
      ...(resultSet && { resultSet }),
      ...(isAll && { closeOperation: new tcli.TCloseOperationResp({ status: makeSuccess() }) }),
    });
  }

  private withOperation(
    { operationHandle }: { readonly operationHandle: Types.TOperationHandle },
    { caller, named }: Asked,
    answer: (operation: Operation) => unknown,
  ): CallEffects & { response: unknown } {
    const id = readIdentifier(operationHandle.operationId);
    const refused = this.refuse(named, 'OperationHandle', id);
    if (refused !== undefined) return { response: refused, error: errorOf(named) };
    const operation = this.operations.get(id);
    const isOpen = operation !== undefined && this.sessions.use(operation.sessionId, caller.principal) !== undefined;
    if (!isOpen) return { response: { status: makeInvalidHandle('OperationHandle', id) }, error: 'INVALID_HANDLE' };
    return { response: answer(operation), ...(operation.error && { error: operation.error.errorClass }) };
  }

  private refuse(
    named: NamedError | undefined,
    what: 'SessionHandle' | 'OperationHandle' = 'SessionHandle',
    id = '',
  ): { status: Types.TStatus } | undefined {
    if (named?.kind === 'sql') return { status: makeErrorStatus(named.error, this.parts.switches.errorPrefix) };
    return named?.kind === 'invalid-handle' ? { status: makeInvalidHandle(what, id) } : undefined;
  }

  private dropOperations(sessionId: string): void {
    for (const operation of [...this.operations.values()]) {
      if (operation.sessionId !== sessionId) continue;
      operation.finish('CLOSED');
      this.operations.delete(operation.id);
    }
  }
}

function errorOf(named: NamedError | undefined): string {
  return named?.kind === 'sql' ? named.error.errorClass : 'INVALID_HANDLE';
}

/** Rows that a statement wrote: what its result counts. */
function countRows({ result }: Operation): { rows?: number } {
  const index = result?.columns.findIndex((column) => column.name === 'num_affected_rows') ?? -1;
  const count = index < 0 ? undefined : result?.rows[0]?.[index];
  return typeof count === 'bigint' ? { rows: Number(count) } : {};
}
