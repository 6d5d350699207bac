import { pino } from 'pino';
import type { ErrorCode } from './errors/catalogue.ts';

/** The only fields a log line may carry. A resource, a parameter value or an error text of a third party does not fit in. */
export interface LogFields {
  /** What happened, past tense with dots: `batch.committed`. */
  readonly event: string;
  readonly destination?: string;
  readonly scope?: string;
  readonly view?: string;
  /** Name of a column of a view or a table. */
  readonly column?: string;
  /** Where something stands in a view: `select[0].column[2].path`. */
  readonly place?: string;
  readonly table?: string;
  readonly operation?: string;
  readonly correlationId?: string;
  readonly code?: ErrorCode;
  /** Message of an AppError: it holds no resource content by contract. */
  readonly message?: string;
  readonly action?: string;
  /** Class and code of a third-party error (`Error:ECONNRESET`), never its text. */
  readonly cause?: string;
  readonly version?: number;
  readonly events?: number;
  readonly rows?: number;
  readonly jobs?: number;
  /** Expressions of a view that are interpreted. */
  readonly expressions?: number;
  readonly bytes?: number;
  readonly ms?: number;
  readonly attempt?: number;
  readonly status?: number;
  readonly port?: number;
  readonly role?: string;
  readonly address?: string;
  readonly reason?: string;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface Logger {
  debug(fields: LogFields): void;
  info(fields: LogFields): void;
  warn(fields: LogFields): void;
  error(fields: LogFields): void;
}

/** JSON lines on stdout: `{"level":"info","time":…,"event":…}`. */
export function makeLogger(level: LogLevel, write: (line: string) => void = (line) => process.stdout.write(line)): Logger {
  const logger = pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } },
    { write },
  );
  return {
    debug: (fields) => logger.debug(fields),
    info: (fields) => logger.info(fields),
    warn: (fields) => logger.warn(fields),
    error: (fields) => logger.error(fields),
  };
}
