import { setTimeout as sleep } from 'node:timers/promises';
import type * as Types from '@databricks/sql/thrift/TCLIService_types.js';
import type { Registry } from '../registry/registry.ts';
import type { Warehouses } from '../workspace/warehouses.ts';
import { waitForWarehouse } from './cold-start.ts';
import type { Engine, Parameter, StatementRequest, StatementResult } from './engine.ts';
import { HttpRefusal } from './http-refusal.ts';
import { Operation } from './operations.ts';
import type { WarehouseSwitches } from './options.ts';
import { checkPrivileges } from './privileges.ts';
import type { Session } from './sessions.ts';
import { readFacts, type StatementFacts } from './sql/statement-facts.ts';
import type { StatementRecord } from './statement-record.ts';
import type { Asked } from './thrift/thrift-service.ts';

export interface StatementRunnerParts {
  readonly registry: Registry;
  readonly warehouses: Warehouses;
  readonly engine: Engine;
  readonly switches: WarehouseSwitches;
}

/** Starts statements: limits, cold start, privileges, faults, then the engine. */
export class StatementRunner {
  readonly records: StatementRecord[] = [];
  private readonly parts: StatementRunnerParts;

  constructor(parts: StatementRunnerParts) {
    this.parts = parts;
  }

  /**
   * Start a statement and wait a while for its end.
   *
   * @throws HttpRefusal for limits (3.6), and while the warehouse starts
   */
  async start(request: Types.TExecuteStatementReq, session: Session, asked: Asked): Promise<Operation> {
    const { switches } = this.parts;
    const statement: StatementRequest = {
      text: request.statement,
      parameters: (request.parameters ?? []).map(readParameter),
      principal: session.principal,
      catalog: session.catalog,
      schema: session.schema,
    };
    checkLimits(statement, switches);
    const { warehouse } = asked.caller;
    const operation = new Operation(session.id);
    const isPending = switches.coldStart === 'pending' && warehouse.state !== 'RUNNING';
    // A refusal for the cold start must be known before the answer; a pending statement waits for itself.
    const waited = waitForWarehouse(this.parts, warehouse, 'ExecuteStatement');
    const work = async (): Promise<StatementResult> => {
      const stopped = await waited;
      if (stopped !== undefined) throw stopped;
      operation.begin();
      return this.execute(statement, session, asked, operation);
    };
    if (!isPending) await waited;
    void operation.run(work);
    const timeoutSeconds = Number(session.configuration['STATEMENT_TIMEOUT'] ?? session.configuration['statement_timeout'] ?? 0);
    if (timeoutSeconds > 0) void this.limitTime(operation, timeoutSeconds * 1000);
    if (isPending) return operation;
    await this.waitAtMost(operation, switches.directResultsWaitMs);
    return operation;
  }

  private async execute(
    statement: StatementRequest,
    session: Session,
    asked: Asked,
    operation: Operation,
  ): Promise<StatementResult> {
    const { engine, registry, switches } = this.parts;
    const { named, afterEffect } = asked;
    const isStopped = named !== undefined && !afterEffect;
    const record = (facts: StatementFacts, wasExecuted: boolean): void => {
      this.records.push({ ...statement, kind: facts.kind, sessionId: session.id, wasExecuted });
    };
    if (switches.latencyMs > 0) await sleep(switches.latencyMs);
    const facts = readFacts(statement.text);
    if (isStopped) {
      record(facts, false);
      return failAsNamed(asked, operation);
    }
    checkPrivileges(registry, statement, facts);
    record(facts, true);
    const result = await engine.execute(statement);
    return named === undefined || named.kind === 'http' ? result : failAsNamed(asked, operation);
  }

  private async limitTime(operation: Operation, timeoutMs: number): Promise<void> {
    await this.waitAtMost(operation, timeoutMs);
    operation.finish('TIMEDOUT');
  }

  private async waitAtMost(operation: Operation, timeoutMs: number): Promise<void> {
    const stop = new AbortController();
    const pause = sleep(timeoutMs, undefined, { signal: stop.signal, ref: false }).catch(() => undefined);
    await Promise.race([operation.ended, pause]);
    stop.abort();
  }
}

const NO_RESULT: StatementResult = { columns: [], rows: [] };

/** End a statement in the way that a fault says. */
function failAsNamed({ named }: Asked, operation: Operation): StatementResult {
  if (named?.kind === 'sql') throw named.error;
  if (named?.kind === 'state') operation.finish(named.state);
  return NO_RESULT;
}

function checkLimits({ text, parameters }: StatementRequest, { maxParameters, maxStatementLength }: WarehouseSwitches): void {
  if (parameters.length > maxParameters) {
    const what = `${parameters.length} parameters were given but the limit is ${maxParameters}.`;
    throw new HttpRefusal(400, 'BAD_REQUEST', `Parameterized query has too many parameters: ${what}`);
  }
  if (text.length > maxStatementLength) {
    throw new HttpRefusal(
      400,
      'BAD_REQUEST',
      `The statement has ${text.length} characters but the limit is ${maxStatementLength}.`,
    );
  }
}

function readParameter({ name, type, value }: Types.TSparkParameter): Parameter {
  const text = value?.stringValue;
  return {
    ...(name !== undefined && name !== null && { name }),
    ...(type !== undefined && type !== null && { type }),
    ...(text !== undefined && text !== null && { value: text }),
  };
}
