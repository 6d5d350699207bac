import { createRequire } from 'node:module';
import type * as Types from '@databricks/sql/thrift/TCLIService_types.js';
import type { Cell } from '../../registry/cells.ts';
import type { ResultColumn } from '../engine.ts';
import { formatCell, toJsonText } from '../interpreter/format.ts';
import type { SqlType } from '../sql/sql-type.ts';
import { tcli } from './tcli.ts';

type Int64 = { readonly buffer: Buffer };
const require = createRequire(import.meta.url);
const Int64 = require('node-int64') as new (buffer: Buffer) => Int64;

const { TTypeId } = tcli;
const TYPE_IDS: Readonly<Record<SqlType['kind'], Types.TTypeId>> = {
  void: TTypeId.NULL_TYPE,
  boolean: TTypeId.BOOLEAN_TYPE,
  byte: TTypeId.TINYINT_TYPE,
  short: TTypeId.SMALLINT_TYPE,
  integer: TTypeId.INT_TYPE,
  long: TTypeId.BIGINT_TYPE,
  float: TTypeId.FLOAT_TYPE,
  double: TTypeId.DOUBLE_TYPE,
  string: TTypeId.STRING_TYPE,
  timestamp: TTypeId.TIMESTAMP_TYPE,
  timestamp_ntz: TTypeId.TIMESTAMP_TYPE,
  date: TTypeId.DATE_TYPE,
  binary: TTypeId.BINARY_TYPE,
  decimal: TTypeId.DECIMAL_TYPE,
  array: TTypeId.ARRAY_TYPE,
  map: TTypeId.MAP_TYPE,
  struct: TTypeId.STRUCT_TYPE,
  variant: TTypeId.STRING_TYPE,
};

/** The schema of a result; positions begin at 1. */
export function makeSchema(columns: readonly ResultColumn[]): Types.TTableSchema {
  return new tcli.TTableSchema({
    columns: columns.map(({ name, type }, index) => {
      const entry = new tcli.TPrimitiveTypeEntry({ type: TYPE_IDS[type.kind], ...makeQualifiers(type) });
      const typeDesc = new tcli.TTypeDesc({ types: [new tcli.TTypeEntry({ primitiveEntry: entry })] });
      return new tcli.TColumnDesc({ columnName: name, typeDesc, position: index + 1 });
    }),
  });
}

function makeQualifiers(type: SqlType): { typeQualifiers?: Types.TTypeQualifiers } {
  if (type.kind !== 'decimal') return {};
  const qualifiers = {
    precision: new tcli.TTypeQualifierValue({ i32Value: type.precision }),
    scale: new tcli.TTypeQualifierValue({ i32Value: type.scale }),
  };
  return { typeQualifiers: new tcli.TTypeQualifiers({ qualifiers }) };
}

/** Rows as columns (COLUMN_BASED_SET): each with its values and a bitmap of NULLs, lowest bit first. */
export function makeRowSet(
  columns: readonly ResultColumn[],
  rows: readonly (readonly Cell[])[],
  startRow: number,
): Types.TRowSet {
  return new tcli.TRowSet({
    startRowOffset: makeInt64(BigInt(startRow)) as never,
    rows: [],
    columns: columns.map(({ type }, index) =>
      makeColumn(
        type,
        rows.map((row) => row[index] ?? null),
      ),
    ),
    columnCount: columns.length,
  });
}

function makeColumn(type: SqlType, cells: readonly Cell[]): Types.TColumn {
  const nulls = makeBitmap(cells);
  const filled = <T>(absent: T, read: (cell: Exclude<Cell, null>) => T): T[] =>
    cells.map((cell) => (cell === null ? absent : read(cell)));
  switch (type.kind) {
    case 'boolean':
      return new tcli.TColumn({ boolVal: new tcli.TBoolColumn({ values: filled(false, (cell) => cell === true), nulls }) });
    case 'byte':
      return new tcli.TColumn({ byteVal: new tcli.TByteColumn({ values: filled(0, Number), nulls }) });
    case 'short':
      return new tcli.TColumn({ i16Val: new tcli.TI16Column({ values: filled(0, Number), nulls }) });
    case 'integer':
      return new tcli.TColumn({ i32Val: new tcli.TI32Column({ values: filled(0, Number), nulls }) });
    case 'long': {
      const values = filled(makeInt64(0n), (cell) => makeInt64(cell as bigint));
      return new tcli.TColumn({ i64Val: new tcli.TI64Column({ values: values as never, nulls }) });
    }
    case 'float':
    case 'double':
      return new tcli.TColumn({ doubleVal: new tcli.TDoubleColumn({ values: filled(0, Number), nulls }) });
    case 'binary': {
      const values = filled(Buffer.alloc(0), (cell) => Buffer.from(cell as Uint8Array));
      return new tcli.TColumn({ binaryVal: new tcli.TBinaryColumn({ values, nulls }) });
    }
    case 'array':
    case 'map':
    case 'struct':
      return makeTexts(
        filled('', (cell) => toJsonText(cell, type)),
        nulls,
      );
    case 'string':
    case 'date':
    case 'timestamp':
    case 'timestamp_ntz':
    case 'decimal':
    case 'variant':
    case 'void':
      return makeTexts(
        filled('', (cell) => formatCell(cell, type)),
        nulls,
      );
  }
}

function makeTexts(values: string[], nulls: Buffer): Types.TColumn {
  return new tcli.TColumn({ stringVal: new tcli.TStringColumn({ values, nulls }) });
}

function makeBitmap(cells: readonly Cell[]): Buffer {
  const bits = Buffer.alloc(Math.ceil(cells.length / 8));
  for (const [index, cell] of cells.entries()) {
    if (cell === null) bits.writeUInt8(bits.readUInt8(index >> 3) | (1 << (index & 7)), index >> 3);
  }
  return bits;
}

function makeInt64(value: bigint): Int64 {
  const buffer = Buffer.alloc(8);
  buffer.writeBigInt64BE(BigInt.asIntN(64, value));
  return new Int64(buffer);
}
