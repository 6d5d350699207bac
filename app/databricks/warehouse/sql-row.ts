import { AppError } from '../../errors/app-error.ts';
import { describeType } from '../../rows/table-schema.ts';
import type { PrimitiveType, Row, TableColumn, TableValue } from '../../rows/table-type.ts';

const MS_PER_DAY = 86_400_000;
/** Microseconds of 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999999Z, and the days: what SQL can express. */
const MIN_MICROS = -62_135_596_800_000_000n;
const MAX_MICROS = 253_402_300_799_999_999n;
const MIN_DAYS = -719_162;
const MAX_DAYS = 2_932_896;
const WHOLE_BITS = { byte: 8n, short: 16n, integer: 32n, long: 64n } as const;

/** The text that `CAST` reads a value from; undefined when the value is none of the type. */
type ToText = (value: TableValue) => string | undefined;

/** Name of the field that holds column number `index`: safe inside of a type text, whatever the column is called. */
export function fieldName(index: number): string {
  return `c${index}`;
}

/**
 * Makes the function that turns a row into the text of one JSON object for a statement of `makeInsertStatement` with the same columns: every
 * value is text (lists: texts), nulls are left out. Exact for all values that a column can hold.
 *
 * @throws AppError SQL_ROW_REFUSED (the function) when a value is none of its column, naming the column, never the value
 */
export function makeSqlRowEncoder(columns: readonly TableColumn[]): (row: Row) => string {
  const encoders = columns.map(makeValueEncoder);
  return (row) => {
    if (row.length !== columns.length)
      throw new AppError('SQL_ROW_REFUSED', `a row has ${row.length} values, but there are ${columns.length} columns`);
    let text = '';
    for (const [index, encode] of encoders.entries()) {
      const value = encode(row[index] ?? null);
      if (value !== undefined) text += `${text === '' ? '' : ','}"${fieldName(index)}":${value}`;
    }
    return `{${text}}`;
  };
}

/** The value of the parameter `rows` of an insert: rows as `makeSqlRowEncoder` made them. */
export function joinSqlRows(rows: readonly string[]): string {
  return `[${rows.join(',')}]`;
}

/** JSON of one value, undefined for null. */
function makeValueEncoder(column: TableColumn): (value: TableValue) => string | undefined {
  const { name, type, nullable } = column;
  const toText = makeToText(type.kind === 'array' ? type.element : type);
  const refuse = (found: string): never => {
    throw new AppError(
      'SQL_ROW_REFUSED',
      `column "${name}": ${found} does not fit ${describeType(type)}${nullable ? '' : ' NOT NULL'}`,
      {
        facts: { column: name },
      },
    );
  };
  const encodeOne = (value: TableValue): string => JSON.stringify(toText(value) ?? refuse('a value'));
  return (value) => {
    if (value === null) return nullable ? undefined : refuse('null');
    if (type.kind !== 'array') return encodeOne(value);
    if (!Array.isArray(value)) return refuse('a single value');
    const items = (value as readonly TableValue[]).map((item) =>
      item !== null ? encodeOne(item) : type.containsNull ? 'null' : refuse('a list with null'),
    );
    return `[${items.join(',')}]`;
  };
}

function makeToText(type: PrimitiveType): ToText {
  switch (type.kind) {
    case 'string':
      return (value) => (typeof value === 'string' && value.isWellFormed() ? value : undefined);
    case 'boolean':
      return (value) => (typeof value === 'boolean' ? String(value) : undefined);
    case 'byte':
    case 'short':
    case 'integer': {
      const limit = Number(1n << (WHOLE_BITS[type.kind] - 1n));
      return (value) =>
        typeof value === 'number' && Number.isInteger(value) && value >= -limit && value < limit ? String(value + 0) : undefined;
    }
    case 'long': {
      const limit = 1n << (WHOLE_BITS.long - 1n);
      return (value) => (typeof value === 'bigint' && value >= -limit && value < limit ? String(value) : undefined);
    }
    case 'float':
      return (value) =>
        typeof value === 'number' && (Number.isFinite(Math.fround(value)) || !Number.isFinite(value))
          ? numberText(value)
          : undefined;
    case 'double':
      return (value) => (typeof value === 'number' ? numberText(value) : undefined);
    case 'decimal':
      return (value) => (typeof value === 'bigint' ? decimalText(value, type.precision, type.scale) : undefined);
    case 'date':
      return (value) =>
        typeof value === 'number' && Number.isInteger(value) && value >= MIN_DAYS && value <= MAX_DAYS
          ? new Date(value * MS_PER_DAY).toISOString().slice(0, 10)
          : undefined;
    case 'timestamp':
      return (value) => withSuffix(microsText(value), 'Z');
    case 'timestamp_ntz':
      return microsText;
    case 'binary':
      return (value) =>
        value instanceof Uint8Array
          ? Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
          : undefined;
  }
}

/** The shortest text that reads back as the same number; minus zero keeps its sign. */
function numberText(value: number): string {
  return Object.is(value, -0) ? '-0.0' : String(value);
}

function decimalText(unscaled: bigint, precision: number, scale: number): string | undefined {
  const absolute = unscaled < 0n ? -unscaled : unscaled;
  if (absolute >= 10n ** BigInt(precision)) return undefined;
  const digits = String(absolute).padStart(scale + 1, '0');
  const point = digits.length - scale;
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, point)}${scale === 0 ? '' : `.${digits.slice(point)}`}`;
}

/** `YYYY-MM-DDThh:mm:ss.ffffff` of microseconds since the epoch. */
function microsText(value: TableValue): string | undefined {
  if (typeof value !== 'bigint' || value < MIN_MICROS || value > MAX_MICROS) return undefined;
  const micros = ((value % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const seconds = new Date(Number((value - micros) / 1_000n)).toISOString().slice(0, 19);
  return `${seconds}.${String(micros).padStart(6, '0')}`;
}

function withSuffix(text: string | undefined, suffix: string): string | undefined {
  return text === undefined ? undefined : text + suffix;
}
