import type { PrimitiveType, TableType } from '../../rows/table-type.ts';

/** Names of types that rows can be written to, as Databricks and Spark spell them in SQL and in information_schema. */
const KINDS: Readonly<Record<string, Exclude<PrimitiveType['kind'], 'decimal'>>> = {
  STRING: 'string',
  BOOLEAN: 'boolean',
  TINYINT: 'byte',
  BYTE: 'byte',
  SMALLINT: 'short',
  SHORT: 'short',
  INT: 'integer',
  INTEGER: 'integer',
  BIGINT: 'long',
  LONG: 'long',
  FLOAT: 'float',
  REAL: 'float',
  DOUBLE: 'double',
  DATE: 'date',
  TIMESTAMP: 'timestamp',
  TIMESTAMP_LTZ: 'timestamp',
  TIMESTAMP_NTZ: 'timestamp_ntz',
  BINARY: 'binary',
};
const MAX_PRECISION = 38;

/**
 * The type that a text such as `DECIMAL(10,2)` or `array<string>` names, in any case. Undefined when rows cannot be written to it: MAP, STRUCT,
 * VARIANT, INTERVAL, nested arrays, DECIMAL without its precision (what is told may have lost it), and whatever is not known. CHAR is among these (it pads values); VARCHAR is text whose length the warehouse
 * checks. Elements of arrays may be null: the text does not say.
 */
export function parseColumnType(text: string): TableType | undefined {
  const compact = text.trim().toUpperCase();
  const array = /^ARRAY\s*<(.*)>$/s.exec(compact);
  if (array === null) return parsePrimitive(compact);
  const element = parsePrimitive((array[1] ?? '').trim());
  return element === undefined ? undefined : { kind: 'array', element, containsNull: true };
}

function parsePrimitive(text: string): PrimitiveType | undefined {
  if (Object.hasOwn(KINDS, text)) return { kind: KINDS[text] as Exclude<PrimitiveType['kind'], 'decimal'> };
  if (/^VARCHAR\s*\(\s*\d+\s*\)$/.test(text)) return { kind: 'string' };
  // `STRING COLLATE UTF8_LCASE`: a text that compares otherwise.
  if (/^STRING\s+COLLATE\s+\w+$/.test(text)) return { kind: 'string' };
  const decimal = /^(?:DECIMAL|DEC|NUMERIC)\s*\(\s*(\d{1,3})\s*(?:,\s*(\d{1,3})\s*)?\)$/.exec(text);
  if (decimal === null) return undefined;
  const [precision, scale] = [Number(decimal[1]), Number(decimal[2] ?? 0)];
  return precision >= 1 && precision <= MAX_PRECISION && scale <= precision ? { kind: 'decimal', precision, scale } : undefined;
}
