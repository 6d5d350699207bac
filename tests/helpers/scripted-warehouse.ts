import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:https';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { makeCertificate } from '../lab/databricks/tls/certificate.ts';

const require = createRequire(import.meta.url);
const SUCCESS = { statusCode: 0 };
/** SPARK_CLI_SERVICE_PROTOCOL_V8: the first that takes parameters. */
const PROTOCOL = 42_248;
const STRING_TYPE = 7;

/** States of a statement, by their numbers in the protocol. */
export const STATE = { running: 1, finished: 2, canceled: 3, error: 5, pending: 7, timedOut: 8 } as const;

/** What the next call of a method gets. */
export type Answer =
  | { readonly http: number; readonly headers?: Record<string, string>; readonly body?: string }
  /** The connection ends without an answer, after the request was read. */
  | { readonly drop: true }
  /** No answer at all. */
  | { readonly hang: true }
  /** A body that is no message of the protocol. */
  | { readonly text: string }
  | { readonly thrift: object };

export interface Call {
  readonly method: string;
  readonly token: string | undefined;
  readonly userAgent: string | undefined;
  readonly statement: string | undefined;
  readonly parameters: readonly { name?: string; type?: string; value?: { stringValue?: string } }[];
  readonly configuration: Record<string, string> | undefined;
}

/** A server over TLS that speaks the protocol of SQL warehouses and says what a test tells it; what nobody scripted succeeds. */
export interface ScriptedWarehouse {
  readonly url: string;
  readonly caPem: string;
  readonly calls: readonly Call[];
  /** Names of the calls so far, without those that only clean up. */
  methods(): string[];
  /** The next calls of `method` get these answers, in this order. */
  script(method: string, ...answers: Answer[]): void;
  stop(): Promise<void>;
}

/** Answer to ExecuteStatement: finished, with rows of texts. */
export function rowsAnswer(names: readonly string[], rows: readonly (readonly (string | null)[])[], type = STRING_TYPE): Answer {
  const columns = names.map((columnName, index) => ({
    columnName,
    position: index + 1,
    typeDesc: { types: [{ primitiveEntry: { type } }] },
  }));
  const values = names.map((_, column) => ({
    stringVal: { values: rows.map((row) => row[column] ?? ''), nulls: nullBits(rows.map((row) => row[column] ?? null)) },
  }));
  return executed({
    operationStatus: { status: SUCCESS, operationState: STATE.finished, hasResultSet: true },
    resultSetMetadata: { status: SUCCESS, schema: { columns }, resultFormat: 1 },
    resultSet: { status: SUCCESS, hasMoreRows: false, results: { startRowOffset: 0, rows: [], columns: values } },
    closeOperation: { status: SUCCESS },
  });
}

/** Answer to ExecuteStatement: it ended in a state, or (pending, running) goes on and is to be asked for. */
export function stateAnswer(operationState: number, failure: { displayMessage?: string; sqlState?: string } = {}): Answer {
  return executed({ operationStatus: { status: SUCCESS, operationState, ...failure } });
}

/** Answer to GetOperationStatus. */
export function statusAnswer(operationState: number, failure: { displayMessage?: string; sqlState?: string } = {}): Answer {
  return { thrift: { status: SUCCESS, operationState, ...failure } };
}

/** Any call refused as a whole: ERROR, or INVALID_HANDLE. */
export function refusal(errorMessage: string, statusCode = 3): Answer {
  // OpenSession must say its version even then.
  return { thrift: { status: { statusCode, errorMessage }, serverProtocolVersion: PROTOCOL } };
}

export async function startScriptedWarehouse(): Promise<ScriptedWarehouse> {
  const { Processor } = require('@databricks/sql/thrift/TCLIService') as {
    Processor: new (handler: object) => { process(input: object, output: object): void };
  };
  const thrift = require('thrift') as {
    TBufferedTransport: (new (buffer: undefined, onFlush: (data: Buffer) => void) => object) & {
      receiver(onData: (transport: object) => void): (body: Buffer) => void;
    };
    TBinaryProtocol: new (transport: object) => object;
  };
  const { key, cert } = makeCertificate();
  const calls: Call[] = [];
  const scripts = new Map<string, Answer[]>();

  const server: Server = createServer({ key, cert }, (request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const method = body.subarray(8, 8 + body.readInt32BE(4)).toString();
      const answer: Answer | undefined = scripts.get(method)?.shift();
      const handler = new Proxy(
        {},
        {
          get: (_, name) => (req: Record<string, unknown>, reply: (error: null, result: object) => void) => {
            calls.push({
              method,
              token: request.headers.authorization?.replace('Bearer ', ''),
              userAgent: request.headers['user-agent'],
              statement: req['statement'] as string | undefined,
              parameters: (req['parameters'] ?? []) as Call['parameters'],
              configuration: req['configuration'] as Record<string, string> | undefined,
            });
            if (answer === undefined || 'thrift' in answer) return reply(null, answer?.thrift ?? success(String(name)));
            if ('drop' in answer) request.socket.destroy();
            else if ('text' in answer) response.writeHead(200, { 'content-type': 'text/html' }).end(answer.text);
            else if ('http' in answer) response.writeHead(answer.http, answer.headers).end(answer.body ?? '');
          },
        },
      );
      const transport = new thrift.TBufferedTransport(undefined, (data) =>
        response.writeHead(200, { 'content-type': 'application/x-thrift' }).end(data),
      );
      thrift.TBufferedTransport.receiver((input) =>
        new Processor(handler).process(new thrift.TBinaryProtocol(input), new thrift.TBinaryProtocol(transport)),
      )(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    caPem: cert,
    calls,
    methods: () => calls.map(({ method }) => method).filter((method) => !/^(Close|Cancel)/.test(method)),
    script: (method, ...answers) => void scripts.set(method, [...(scripts.get(method) ?? []), ...answers]),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function success(method: string): object {
  if (method === 'OpenSession')
    return { status: SUCCESS, serverProtocolVersion: PROTOCOL, sessionHandle: { sessionId: handle() } };
  if (method === 'ExecuteStatement') return (stateAnswer(STATE.finished) as { thrift: object }).thrift;
  if (method === 'GetOperationStatus') return { status: SUCCESS, operationState: STATE.finished };
  return { status: SUCCESS };
}

function executed(directResults: { readonly operationStatus: object; readonly [part: string]: object }): Answer {
  const hasResultSet = 'hasResultSet' in directResults.operationStatus;
  return {
    thrift: { status: SUCCESS, operationHandle: { operationId: handle(), operationType: 0, hasResultSet }, directResults },
  };
}

function handle(): { guid: Buffer; secret: Buffer } {
  const guid = Buffer.from(randomUUID().replaceAll('-', ''), 'hex');
  return { guid, secret: guid };
}

/** Least significant bit first; 1 is null. */
function nullBits(values: readonly (string | null)[]): Buffer {
  const bytes = Buffer.alloc(Math.ceil(values.length / 8));
  for (const [index, value] of values.entries())
    if (value === null) bytes.writeUInt8(bytes.readUInt8(index >> 3) | (1 << (index & 7)), index >> 3);
  return bytes;
}
