import { createRequire } from 'node:module';
import type * as Types from '@databricks/sql/thrift/TCLIService_types.js';

/** The calls of TCLIService that the stand-in answers. Others get the error `Unknown function`. */
export interface TcliHandler {
  OpenSession(request: Types.TOpenSessionReq): Promise<Types.TOpenSessionResp>;
  CloseSession(request: Types.TCloseSessionReq): Promise<Types.TCloseSessionResp>;
  GetInfo(request: Types.TGetInfoReq): Promise<Types.TGetInfoResp>;
  ExecuteStatement(request: Types.TExecuteStatementReq): Promise<Types.TExecuteStatementResp>;
  GetOperationStatus(request: Types.TGetOperationStatusReq): Promise<Types.TGetOperationStatusResp>;
  GetResultSetMetadata(request: Types.TGetResultSetMetadataReq): Promise<Types.TGetResultSetMetadataResp>;
  FetchResults(request: Types.TFetchResultsReq): Promise<Types.TFetchResultsResp>;
  CancelOperation(request: Types.TCancelOperationReq): Promise<Types.TCancelOperationResp>;
  CloseOperation(request: Types.TCloseOperationReq): Promise<Types.TCloseOperationResp>;
}

export type TcliMethod = keyof TcliHandler;

/** A call that was read and waits for its handler. */
export interface TcliCall {
  readonly method: string;
  readonly seqid: number;
  /** The `req` of the call. */
  readonly request: unknown;
}

interface Transport {
  readonly kind: 'transport';
}

interface Protocol {
  readMessageBegin(): { fname: string; rseqid: number };
}

/** The parts of npm `thrift` and of the generated code that are used here; both are CommonJS. */
interface ThriftModule {
  readonly TBufferedTransport: {
    new (buffer: undefined, onFlush: (message: Buffer) => void): Transport;
    receiver(callback: (transport: Transport) => void): (data: Buffer) => void;
  };
  readonly TBinaryProtocol: new (transport: Transport) => Protocol;
}

type Callback = (error: Error | null, response?: unknown) => void;

interface ServiceModule {
  readonly Processor: new (handler: Record<string, (request: unknown, callback: Callback) => void>) => {
    process(input: Protocol, output: Protocol): void;
  };
}

const require = createRequire(import.meta.url);
/** The driver brings its own version of `thrift`; both ends of a message must be of the same. */
const requireOfDriver = createRequire(require.resolve('@databricks/sql'));
const thrift = requireOfDriver('thrift') as ThriftModule;
const service = require('@databricks/sql/thrift/TCLIService') as ServiceModule;

/** The generated classes and enumerations. */
export const tcli = require('@databricks/sql/thrift/TCLIService_types') as typeof Types;

const METHODS: readonly TcliMethod[] = [
  'OpenSession',
  'CloseSession',
  'GetInfo',
  'ExecuteStatement',
  'GetOperationStatus',
  'GetResultSetMetadata',
  'FetchResults',
  'CancelOperation',
  'CloseOperation',
];

/**
 * Read the call in a request body, let `handle` answer it, and write the answer. `handle` gets the name of the call and its `req`.
 *
 * @throws Error for a body that is no Thrift call; and what `handle` throws, so that the HTTP layer can answer it
 */
export async function processCall(
  body: Buffer,
  handle: (method: TcliMethod, request: unknown) => Promise<unknown>,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const handler = Object.fromEntries(
      METHODS.map((method) => [
        method,
        (request: unknown, callback: Callback): void => {
          handle(method, request).then((response) => callback(null, response), reject);
        },
      ]),
    );
    try {
      const output = new thrift.TBinaryProtocol(new thrift.TBufferedTransport(undefined, resolve));
      thrift.TBufferedTransport.receiver((transport) => {
        new service.Processor(handler).process(new thrift.TBinaryProtocol(transport), output);
      })(body);
    } catch (error) {
      reject(error instanceof Error ? error : new Error(String(error)));
    }
  });
}
