import { quoteText } from '../../rows/sql-quoting.ts';
import { describeType } from '../../rows/table-schema.ts';
import type { PrimitiveType, TableColumn, TableType } from '../../rows/table-type.ts';
import { fieldName } from './sql-row.ts';

/** A value as `makeSqlRowEncoder` writes it: a text, or a list of texts. */
type EncodedValue = string | readonly (string | null)[];

/**
 * Makes the function that turns a row of `makeSqlRowEncoder` with the same columns into literals for `VALUES`: `('a', 1, NULL)`. Each literal
 * is of the type of its column, or of one that is assigned to it without loss (whole numbers). A value cannot end its literal.
 */
export function makeLiteralRow(columns: readonly TableColumn[]): (row: string) => string {
  const literals = columns.map(({ type }) => makeLiteral(type));
  return (row) => {
    const values = JSON.parse(row) as Readonly<Record<string, EncodedValue>>;
    const texts = literals.map((literal, index) => {
      const value = values[fieldName(index)];
      return value === undefined ? 'NULL' : literal(value);
    });
    return `(${texts.join(', ')})`;
  };
}

function makeLiteral(type: TableType): (value: EncodedValue) => string {
  if (type.kind !== 'array') return (value) => literalOf(type, value as string);
  const { element } = type;
  return (value) => {
    const items = value as readonly (string | null)[];
    const list = `array(${items.map((item) => (item === null ? 'NULL' : elementOf(element, item))).join(', ')})`;
    const isTyped = element.kind !== 'byte' && element.kind !== 'short' && items.some((item) => item !== null);
    return isTyped ? list : `CAST(${list} AS ${describeType(type)})`;
  };
}

/** Within one list small and large whole numbers are to be of one type: the suffix says which. */
function elementOf(type: PrimitiveType, text: string): string {
  return type.kind === 'long' ? `${text}L` : literalOf(type, text);
}

function literalOf(type: PrimitiveType, text: string): string {
  switch (type.kind) {
    case 'string':
      return quoteText(text);
    case 'boolean':
    case 'byte':
    case 'short':
    case 'integer':
    case 'long':
      return text;
    // `NaN` and `Infinity` have no other form, and digits with a point would be a decimal.
    case 'float':
    case 'double':
    case 'decimal':
      return `CAST('${text}' AS ${describeType(type)})`;
    case 'date':
    case 'timestamp':
    case 'timestamp_ntz':
      return `${describeType(type)}'${text}'`;
    case 'binary':
      return `X'${Buffer.from(text, 'base64').toString('hex').toUpperCase()}'`;
  }
}
