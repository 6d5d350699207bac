import type { Registry } from '../../registry/registry.ts';
import type { StatementRequest } from '../engine.ts';
import { makeUnboundParameter, SqlError } from '../sql/sql-error.ts';
import type { SqlType } from '../sql/sql-type.ts';
import { readTypeText } from '../sql/sql-type.ts';
import type { Literal } from '../sql/parse-literal.ts';
import { castCell } from './cast.ts';
import { parseExact } from './numbers.ts';

/** Behaviours that the contract page leaves open, or where Databricks and open-source Spark differ (7.3 and 10 of the contract). */
export interface SqlSwitches {
  /** Class of an overflow in INSERT. MERGE always has the second. */
  insertOverflow: 'CAST_OVERFLOW_IN_TABLE_INSERT' | 'DELTA_CAST_OVERFLOW_IN_TABLE_WRITE';
  /** What `information_schema.columns.data_type` says of a BIGINT (10.1). */
  bigintIs: 'LONG' | 'BIGINT';
}

export const DEFAULT_SQL_SWITCHES: SqlSwitches = { insertOverflow: 'DELTA_CAST_OVERFLOW_IN_TABLE_WRITE', bigintIs: 'LONG' };

/** What the execution of one statement needs to know. */
export interface Context {
  readonly registry: Registry;
  readonly switches: SqlSwitches;
  readonly request: StatementRequest;
  readonly parameters: ReadonlyMap<string | number, Literal>;
  /** When the statement began. */
  readonly nowMicros: bigint;
}

/** @throws SqlError for a parameter whose value is not of its type */
export function makeContext(registry: Registry, switches: SqlSwitches, request: StatementRequest): Context {
  const parameters = new Map<string | number, Literal>();
  for (const [index, parameter] of request.parameters.entries()) {
    const label = parameter.name ?? `_${index}`;
    parameters.set(parameter.name ?? index, readParameter(label, parameter.type, parameter.value));
  }
  return { registry, switches, request, parameters, nowMicros: BigInt(Date.now()) * 1000n };
}

/** @throws SqlError UNBOUND_SQL_PARAMETER */
export function findParameter({ parameters }: Context, key: string | number): Literal {
  const literal = parameters.get(key);
  if (literal === undefined) throw makeUnboundParameter(typeof key === 'number' ? `_${key}` : key);
  return literal;
}

function readParameter(label: string, typeText: string | undefined, value: string | undefined): Literal {
  if (typeText === undefined || value === undefined) return { type: { kind: 'void' }, value: null };
  const text: SqlType = { kind: 'string' };
  try {
    const exact = typeText.toUpperCase() === 'DECIMAL' ? parseExact(value) : undefined;
    const type =
      exact === undefined
        ? readTypeText(typeText)
        : ({
            kind: 'decimal',
            precision: Math.max(String(exact.unscaled).replace('-', '').length, exact.scale),
            scale: exact.scale,
          } as const);
    return { type, value: castCell(value, text, type) };
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    const what = `The value of the parameter ${label} is not of the type ${typeText}.`;
    throw new SqlError('INVALID_PARAMETER_MARKER_VALUE.INVALID_VALUE_FOR_DATA_TYPE', '22023', `${what} SQLSTATE: 22023`);
  }
}
