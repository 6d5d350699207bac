import { AppError } from '../errors/app-error.ts';
import type { FlatValue } from '../view/compiled-view.ts';
import { parseDouble, parseUnscaled, parseWhole } from './numeric.ts';
import { describeType } from './table-schema.ts';
import { parseDays, parseMicros } from './temporal.ts';
import type { PrimitiveType, TableColumn, TableValue } from './table-type.ts';

/** A value of a view that is neither null nor a list. */
type Primitive = string | number | boolean;

/** Converts one value; undefined when it does not fit. */
type Convert = (value: Primitive) => TableValue | undefined;

const WHOLE_BITS = { byte: 8, short: 16, integer: 32, long: 64 } as const;
const NUMBERS: ReadonlySet<string> = new Set(['integer', 'positiveInt', 'unsignedInt', 'integer64', 'decimal']);
const TIMES: ReadonlySet<string> = new Set(['date', 'dateTime', 'instant']);

/**
 * Tells why no value of a FHIR type can ever go into a column, or undefined when values may fit. Texts may go into any type but binary:
 * each value then decides, as a column without declared type counts as text.
 */
export function findTypeConflict(fhirType: string, collection: boolean, column: TableColumn): string | undefined {
  const { type } = column;
  const found = `${fhirType}${collection ? ' (collection)' : ''}`;
  const conflict = `the view yields ${found}, the table column is ${describeType(type)}`;
  if (collection !== (type.kind === 'array')) return conflict;
  return canHold(type.kind === 'array' ? type.element : type, fhirType) ? undefined : conflict;
}

function canHold({ kind }: PrimitiveType, fhirType: string): boolean {
  if (kind === 'string') return true;
  if (kind === 'binary') return fhirType === 'base64Binary';
  if (fhirType === 'base64Binary' || fhirType === 'time' || fhirType === 'xhtml') return false;
  if (fhirType === 'boolean') return kind === 'boolean';
  if (NUMBERS.has(fhirType)) return kind in WHOLE_BITS || kind === 'float' || kind === 'double' || kind === 'decimal';
  if (TIMES.has(fhirType)) return kind === 'date' || kind === 'timestamp' || kind === 'timestamp_ntz';
  return true;
}

/**
 * Makes the function that turns values of one view column into what the table column holds. The table's type decides; the rules
 * (docs/adr/0004-value-conversion.md) change nothing silently but the precision of what a DOUBLE or FLOAT can hold.
 *
 * @throws AppError TABLE_COLUMNS_UNFIT when the types can never fit; the function throws VALUE_NOT_CONVERTIBLE, naming column and types,
 *   never the value
 */
export function makeConverter(fhirType: string, collection: boolean, column: TableColumn): (value: FlatValue) => TableValue {
  const conflict = findTypeConflict(fhirType, collection, column);
  if (conflict !== undefined)
    throw new AppError('TABLE_COLUMNS_UNFIT', `column "${column.name}": ${conflict}`, { facts: { column: column.name } });
  const { type, nullable } = column;
  const convert = makePrimitiveConverter(type.kind === 'array' ? type.element : type);
  const fail = (found: string): never => {
    throw new AppError(
      'VALUE_NOT_CONVERTIBLE',
      `column "${column.name}": ${found} of FHIR type ${fhirType} does not fit ${describeType(type)}`,
      {
        facts: { column: column.name, fhirType, tableType: describeType(type) },
      },
    );
  };
  const convertOne = (value: Primitive): TableValue => convert(value) ?? fail('a value');

  if (type.kind !== 'array') {
    return (value) => {
      if (value === null) return nullable ? null : fail('null');
      return typeof value === 'object' ? fail('a list') : convertOne(value);
    };
  }
  const { containsNull } = type;
  return (value) => {
    if (value === null) return nullable ? null : fail('null');
    if (typeof value !== 'object') return fail('a single value');
    return value.map((item) => (item !== null ? convertOne(item) : containsNull ? null : fail('a list with null')));
  };
}

/** A decimal in a STRING or DECIMAL column keeps all its digits; in a DOUBLE it has no more than JSON.parse gives. */
export function keepsDigits({ type }: TableColumn, fhirType: string): boolean {
  const { kind } = type.kind === 'array' ? type.element : type;
  return fhirType === 'decimal' && (kind === 'string' || kind === 'decimal');
}

function makePrimitiveConverter(type: PrimitiveType): Convert {
  switch (type.kind) {
    case 'string':
      return (value) => readText(value);
    case 'boolean':
      return (value) => (typeof value === 'boolean' ? value : value === 'true' ? true : value === 'false' ? false : undefined);
    case 'byte':
    case 'short':
    case 'integer': {
      const bits = WHOLE_BITS[type.kind];
      const limit = 2 ** (bits - 1);
      return (value) =>
        typeof value === 'number' && Number.isInteger(value) && value >= -limit && value < limit
          ? value
          : toNumber(onNumber(value, (text) => parseWhole(text, bits)));
    }
    case 'long':
      // Beyond 2^53 the digits of a JavaScript number are not those that were sent; texts carry them all.
      return (value) =>
        typeof value === 'number' && !Number.isSafeInteger(value)
          ? undefined
          : onNumber(value, (text) => parseWhole(text, WHOLE_BITS.long));
    case 'float':
      return (value) => {
        const number = onNumber(value, parseDouble);
        return number !== undefined && Number.isFinite(Math.fround(number)) ? Math.fround(number) : undefined;
      };
    case 'double':
      return (value) => (typeof value === 'number' && Number.isFinite(value) ? value : onNumber(value, parseDouble));
    case 'decimal':
      return (value) => onNumber(value, (text) => parseUnscaled(text, type.precision, type.scale));
    case 'date':
      return (value) => (typeof value === 'string' ? parseDays(value) : undefined);
    case 'timestamp':
    case 'timestamp_ntz':
      return (value) => (typeof value === 'string' ? parseMicros(value) : undefined);
    case 'binary':
      return (value) => (typeof value === 'string' ? decodeBase64(value) : undefined);
  }
}

/** The lexical form of any primitive. Half a surrogate pair has no UTF-8 form and would be changed on the way. */
function readText(value: Primitive): string | undefined {
  const text = typeof value === 'string' ? value : String(value);
  return text.isWellFormed() ? text : undefined;
}

function onNumber<T>(value: Primitive, parse: (text: string) => T | undefined): T | undefined {
  return typeof value === 'boolean' ? undefined : parse(String(value));
}

function toNumber(value: bigint | undefined): number | undefined {
  return value === undefined ? undefined : Number(value);
}

/** Bytes of a base64 text with its padding; FHIR allows white space in it. */
function decodeBase64(text: string): Uint8Array | undefined {
  const compact = text.replace(/[ \t\r\n]+/g, '');
  if (compact.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(compact)) return undefined;
  const bytes = Buffer.from(compact, 'base64');
  // Unused bits that are set would be lost: another text for the same bytes, most likely a damaged one.
  return bytes.toString('base64') === compact ? new Uint8Array(bytes) : undefined;
}
