import fc from 'fast-check';
import { MAX_DAY, MAX_MICROS, MIN_DAY, MIN_MICROS } from '../../app/delta/row-check.ts';
import type { PrimitiveType, Row, TableColumn, TableType, TableValue } from '../../app/rows/table-type.ts';

const SIMPLE = [
  'string',
  'boolean',
  'byte',
  'short',
  'integer',
  'long',
  'float',
  'double',
  'date',
  'timestamp',
  'timestamp_ntz',
  'binary',
] as const;

const decimalType = fc.integer({ min: 1, max: 38 }).chain((precision) =>
  fc.record({
    kind: fc.constant('decimal' as const),
    precision: fc.constant(precision),
    scale: fc.integer({ min: 0, max: precision }),
  }),
);

/** Any type that is not an array. */
export const primitiveType: fc.Arbitrary<PrimitiveType> = fc.oneof(
  fc.constantFrom(...SIMPLE).map((kind) => ({ kind })),
  decimalType,
);

/** Any type of a column. */
export const tableType: fc.Arbitrary<TableType> = fc.oneof(
  { weight: 4, arbitrary: primitiveType },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('array' as const), element: primitiveType, containsNull: fc.boolean() }),
  },
);

/** Any well-formed text, often long enough for its bound to be cut. */
export const wellFormedText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom('a', '~', '\u007f', 'é', '\uffff', '\u{1F600}', '\u{10FFFF}'),
    minLength: 28,
    maxLength: 40,
  }),
);

/** Any value of a type, nulls aside. */
export function valueOf(type: TableType): fc.Arbitrary<TableValue> {
  switch (type.kind) {
    case 'string':
      return wellFormedText;
    case 'boolean':
      return fc.boolean();
    case 'byte':
      return fc.integer({ min: -128, max: 127 });
    case 'short':
      return fc.integer({ min: -32768, max: 32767 });
    case 'integer':
      return fc.integer();
    case 'long':
      return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
    case 'float':
      return fc.float();
    case 'double':
      return fc.double();
    case 'date':
      return fc.integer({ min: MIN_DAY, max: MAX_DAY });
    case 'timestamp':
    case 'timestamp_ntz':
      return fc.bigInt({ min: MIN_MICROS, max: MAX_MICROS });
    case 'binary':
      return fc.uint8Array({ maxLength: 20 });
    case 'decimal': {
      const limit = 10n ** BigInt(type.precision) - 1n;
      return fc.bigInt({ min: -limit, max: limit });
    }
    case 'array': {
      const element = valueOf(type.element);
      return fc.array(type.containsNull ? fc.option(element) : element, { maxLength: 4 });
    }
  }
}

const tableColumn: fc.Arbitrary<Omit<TableColumn, 'name'>> = fc.record({ type: tableType, nullable: fc.boolean() });

/** One to six columns with names of their own. */
export const tableColumnList: fc.Arbitrary<TableColumn[]> = fc
  .array(tableColumn, { minLength: 1, maxLength: 6 })
  .map((columns) => columns.map((column, index) => ({ name: `c${index}`, ...column })));

/** Columns and rows that fit them. */
export const filledTable: fc.Arbitrary<{ columns: TableColumn[]; rows: Row[] }> = tableColumnList.chain((columns) => {
  const row = fc.tuple(...columns.map(({ type, nullable }) => (nullable ? fc.option(valueOf(type)) : valueOf(type))));
  return fc.record({ columns: fc.constant(columns), rows: fc.array(row, { maxLength: 40 }) });
});
