import type { PrimitiveType } from './table-type.ts';

/** Names of ANSI SQL, and those that Databricks has for the same, by the table type they ask for. */
const NAMES: Readonly<Record<string, Exclude<PrimitiveType['kind'], 'decimal'>>> = {
  'CHARACTER VARYING': 'string',
  CHARACTER: 'string',
  CHAR: 'string',
  VARCHAR: 'string',
  STRING: 'string',
  TEXT: 'string',
  BOOLEAN: 'boolean',
  TINYINT: 'byte',
  SMALLINT: 'short',
  INTEGER: 'integer',
  INT: 'integer',
  BIGINT: 'long',
  REAL: 'float',
  FLOAT: 'double',
  DOUBLE: 'double',
  'DOUBLE PRECISION': 'double',
  DATE: 'date',
  TIMESTAMP: 'timestamp',
  'TIMESTAMP WITH TIME ZONE': 'timestamp',
  'TIMESTAMP WITHOUT TIME ZONE': 'timestamp_ntz',
  BINARY: 'binary',
  'BINARY VARYING': 'binary',
  VARBINARY: 'binary',
};
const MAX_PRECISION = 38;
/** Precision of a DECIMAL that names none, as Databricks has it. */
const DEFAULT_PRECISION = 10;

/**
 * The table type that the tag `ansi/type` of a view's column asks for (SQL on FHIR, tags): `DECIMAL(18,2)`, `CHARACTER VARYING(64)`,
 * `TIMESTAMP WITH TIME ZONE`. Lengths of texts are not kept: a table has STRING. Undefined when it is no such type.
 */
export function parseAnsiType(text: string): PrimitiveType | undefined {
  const found = /^([A-Z]+(?: [A-Z]+)*)(?: ?\( ?(\d{1,9}) ?(?:, ?(\d{1,9}) ?)?\))?((?: [A-Z]+)*)$/.exec(
    text.trim().toUpperCase().replace(/\s+/g, ' '),
  );
  if (found === null) return undefined;
  const [, name = '', first, second, rest = ''] = found;
  if (name === 'DECIMAL' || name === 'NUMERIC' || name === 'DEC') {
    const [precision, scale] = [Number(first ?? DEFAULT_PRECISION), Number(second ?? 0)];
    return rest === '' && precision >= 1 && precision <= MAX_PRECISION && scale <= precision
      ? { kind: 'decimal', precision, scale }
      : undefined;
  }
  const kind = Object.hasOwn(NAMES, name + rest) ? NAMES[name + rest] : undefined;
  return kind === undefined || second !== undefined ? undefined : { kind };
}
