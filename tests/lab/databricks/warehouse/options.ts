import { DEFAULT_SQL_SWITCHES, type SqlSwitches } from './interpreter/context.ts';

/** Behaviours of the warehouse that the contract page leaves open, and limits. Numbers are its sections. */
export interface WarehouseSwitches extends SqlSwitches {
  /**
   * 3.7 what a client sees while the warehouse starts: OpenSession waits; OpenSession is refused with 503 or 429 and Retry-After; the
   * session opens and the statement stays PENDING.
   */
  coldStart: 'blocks' | '503' | '429' | 'pending';
  /** Seconds in Retry-After; undefined: no header. */
  retryAfterSeconds: number | undefined;
  /** 3.3 a session that was not used so long is gone, ms. */
  sessionIdleMs: number;
  /** 3.5 how a failed statement is told: in the direct results, as the status of ExecuteStatement, or only when its status is asked for. */
  errorForm: 'direct' | 'status' | 'polled';
  /** 3.5 what stands before the class in `errorMessage`; `displayMessage` is without. */
  errorPrefix: string;
  /** 3.6 most bound parameters of a statement. */
  maxParameters: number;
  /** 3.6 longest statement, characters. */
  maxStatementLength: number;
  /** A statement that takes longer is answered RUNNING and must be asked for, ms. */
  directResultsWaitMs: number;
  /** Each statement takes at least so long, ms. */
  latencyMs: number;
}

export const DEFAULT_WAREHOUSE_SWITCHES: WarehouseSwitches = {
  ...DEFAULT_SQL_SWITCHES,
  coldStart: 'blocks',
  retryAfterSeconds: 1,
  sessionIdleMs: 900_000,
  errorForm: 'direct',
  errorPrefix: 'org.apache.hive.service.cli.HiveSQLException: Error running query: ',
  maxParameters: 256,
  maxStatementLength: 16 * 1024 * 1024,
  directResultsWaitMs: 5_000,
  latencyMs: 0,
};

/** `defaults` with `given` over them. @throws Error for a name that does not exist: a typo would switch nothing */
export function fillWarehouseSwitches(given: Partial<WarehouseSwitches> = {}): WarehouseSwitches {
  const unknown = Object.keys(given).filter((name) => !(name in DEFAULT_WAREHOUSE_SWITCHES));
  if (unknown.length > 0) throw new Error(`there is no switch ${unknown.join(', ')} of the warehouse`);
  return { ...DEFAULT_WAREHOUSE_SWITCHES, ...given };
}
