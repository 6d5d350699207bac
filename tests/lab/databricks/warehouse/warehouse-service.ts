import { setTimeout as sleep } from 'node:timers/promises';
import { nameFault, type Fault, type Faults } from '../faults.ts';
import type { LabRequest, Reply } from '../http/server.ts';
import type { Journal } from '../journal.ts';
import type { Registry } from '../registry/registry.ts';
import type { Tokens } from '../workspace/tokens.ts';
import type { Warehouses } from '../workspace/warehouses.ts';
import type { Engine } from './engine.ts';
import { HttpRefusal } from './http-refusal.ts';
import { findNamedError } from './named-errors.ts';
import type { WarehouseSwitches } from './options.ts';
import { authenticate, type Caller } from './caller.ts';
import { readFacts } from './sql/statement-facts.ts';
import { SqlError } from './sql/sql-error.ts';
import type { StatementRecord } from './statement-record.ts';
import { ThriftService, type CallEffects } from './thrift/thrift-service.ts';
import { processCall, type TcliMethod } from './thrift/tcli.ts';

/** What the warehouse shares with the other services of the stand-in. */
export interface WarehouseServiceParts {
  readonly registry: Registry;
  readonly tokens: Tokens;
  readonly warehouses: Warehouses;
  readonly faults: Faults;
  readonly journal: Journal;
  /** 10.8 a Zerobus token serves too. Asked for each call. */
  readonly scopedTokenServes: () => boolean;
  readonly engine: Engine;
  /** May be changed while it runs. */
  readonly switches: WarehouseSwitches;
}

/** SQL warehouses over Thrift: `POST /sql/1.0/warehouses/<id>` (3.8). */
export interface WarehouseService {
  readonly switches: WarehouseSwitches;
  /** What was executed, oldest first. For assertions on the text; the journal holds none. */
  readonly statements: readonly StatementRecord[];
  answer(request: LabRequest): Promise<Reply>;
  /** As if all sessions had been idle for too long. */
  expireSessions(): void;
  readonly sessionCount: number;
}

export function makeWarehouseService(parts: WarehouseServiceParts): WarehouseService {
  const thrift = new ThriftService(parts);
  return {
    switches: parts.switches,
    statements: thrift.statements,
    answer: (request) => answerCall(parts, thrift, request),
    expireSessions: () => thrift.expireSessions(),
    get sessionCount() {
      return thrift.sessionCount;
    },
  };
}

/** What became of a call, for the journal. */
interface Outcome {
  status: number;
  path: string;
  caller?: Caller;
  fault?: Fault;
  error?: string;
  rows?: number;
}

async function answerCall(parts: WarehouseServiceParts, thrift: ThriftService, request: LabRequest): Promise<Reply> {
  const startedMs = performance.now();
  const outcome: Outcome = { status: 200, path: 'unread' };
  try {
    return await answerUnjournaled(parts, thrift, request, outcome);
  } catch (error) {
    if (!(error instanceof HttpRefusal)) throw error;
    Object.assign(outcome, { status: error.status, error: error.code });
    return {
      status: error.status,
      headers: error.headers,
      body: JSON.stringify({ error_code: error.code, message: error.message }),
    };
  } finally {
    const { status, path, caller, fault, error, rows } = outcome;
    parts.journal.add({
      ...{ atMs: Date.now(), service: 'warehouse', method: request.method, path, status },
      ...{ durationMs: performance.now() - startedMs, requestBytes: request.requestBytes },
      ...(caller && { principal: caller.principal, token: caller.token, tokenKind: caller.tokenKind }),
      ...(fault && { fault: nameFault(fault) }),
      ...(error !== undefined && { error }),
      ...(rows !== undefined && { rows }),
    });
  }
}

async function answerUnjournaled(
  parts: WarehouseServiceParts,
  thrift: ThriftService,
  request: LabRequest,
  outcome: Outcome,
): Promise<Reply> {
  if (request.method !== 'POST') throw new HttpRefusal(405, 'METHOD_NOT_ALLOWED', 'Calls are sent with POST.');
  if (request.body === undefined) throw new HttpRefusal(413, 'PAYLOAD_TOO_LARGE', 'The request is too large.');
  let effects: CallEffects | undefined;
  const answerOne = async (method: TcliMethod, call: unknown): Promise<unknown> => {
    outcome.path = nameCall(method, call);
    const fault = parts.faults.take('warehouse', request.method, outcome.path);
    if (fault !== undefined) outcome.fault = fault;
    const named = fault?.error === undefined ? undefined : findNamedError(fault.error);
    if (fault?.answer !== undefined && fault.afterEffect !== true) throw refuse(fault);
    if (fault?.cut === 'before' || fault?.hang === 'before') throw new Interruption(fault.cut === 'before' ? 'cut' : 'hang');
    if (named?.kind === 'http' && fault?.afterEffect !== true) throw named.refusal;
    const caller = authenticate(parts, request);
    outcome.caller = caller;
    const asked = { caller, ...(named && { named }), afterEffect: fault?.afterEffect === true };
    const { response, ...found } = await thrift.answer(method, call, asked);
    effects = found;
    if (fault?.delayMs !== undefined) await sleep(fault.delayMs);
    if (fault?.cut === 'after' || fault?.hang === 'after') throw new Interruption(fault.cut === 'after' ? 'cut' : 'hang');
    if (fault?.answer !== undefined) throw refuse(fault);
    if (named?.kind === 'http') throw named.refusal;
    return response;
  };
  try {
    const answer = await processCall(request.body, answerOne);
    return { status: 200, headers: { 'content-type': 'application/x-thrift' }, body: answer };
  } catch (error) {
    if (!(error instanceof Interruption)) throw error;
    outcome.status = 0;
    return error.reply;
  } finally {
    Object.assign(outcome, effects);
  }
}

/** A call that gets no answer. */
class Interruption extends Error {
  readonly reply: 'cut' | 'hang';

  constructor(reply: 'cut' | 'hang') {
    super(reply);
    this.reply = reply;
  }
}

/** `ExecuteStatement INSERT`: what faults match and the journal shows. */
function nameCall(method: TcliMethod, call: unknown): string {
  if (method !== 'ExecuteStatement') return method;
  try {
    return `${method} ${readFacts((call as { statement: string }).statement).kind}`;
  } catch (error) {
    if (error instanceof SqlError) return `${method} OTHER`;
    throw error;
  }
}

function refuse(fault: Fault): HttpRefusal {
  const { status = 500, headers = {}, body = '' } = fault.answer ?? {};
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const refusal = new HttpRefusal(status, `FAULT_${status}`, text);
  return Object.assign(refusal, { headers: { ...refusal.headers, ...headers } });
}
