import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { encodeDataFile } from '../../../app/delta/data-file.ts';
import { columnsToSchemaString } from '../../../app/delta/schema.ts';
import { describeColumn } from '../../../app/delta/statistics.ts';
import type { PrimitiveType, Row, TableColumn, TableType, TableValue } from '../../../app/rows/table-type.ts';
import { filledTable, primitiveType, valueOf } from '../../helpers/arbitrary-table.ts';
import { aSnapshot } from '../../helpers/delta-table.ts';

function encode(columns: readonly TableColumn[], rows: readonly Row[]) {
  return encodeDataFile(aSnapshot({ metaData: { schemaString: columnsToSchemaString(columns) } }), columns, rows);
}

/** Reads a file as values of a table: the reader's own decimals are doubles, so their annotation is taken off first. */
async function readBack(bytes: Uint8Array, columns: readonly TableColumn[]): Promise<TableValue[][]> {
  const file = new Uint8Array(bytes).buffer;
  const metadata = parquetMetadata(file);
  for (const element of metadata.schema) {
    if (element.converted_type !== 'DECIMAL') continue;
    delete element.converted_type;
    delete element.logical_type;
  }
  const rows: Record<string, unknown>[] = await parquetReadObjects({
    file,
    metadata,
    utf8: false,
    parsers: { timestampFromMicroseconds: (micros) => micros, dateFromDays: (days) => days },
  });
  return rows.map((row) => columns.map(({ name, type }) => fromFile(type, row[name])));
}

function fromFile(type: TableType, value: unknown): TableValue {
  if (value === null || value === undefined) return null;
  if (type.kind === 'array') return (value as unknown[]).map((item) => fromFile(type.element, item));
  if (type.kind !== 'decimal') return value as TableValue;
  if (!(value instanceof Uint8Array)) return BigInt(value as number | bigint);
  return BigInt.asIntN(8 * value.length, BigInt(`0x${Buffer.from(value).toString('hex')}`));
}

/** Minus zero is stored as zero. */
function normalize(value: TableValue): TableValue {
  if (Array.isArray(value)) return (value as TableValue[]).map(normalize);
  return Object.is(value, -0) ? 0 : value;
}

describe('a data file', () => {
  it('gives back every value that was written', async () => {
    await fc.assert(
      fc.asyncProperty(filledTable, async ({ columns, rows }) => {
        const { bytes, numRecords } = encode(columns, rows);
        expect(numRecords).toBe(rows.length);
        expect(await readBack(bytes, columns)).toEqual(rows.map((row) => row.map(normalize)));
      }),
    );
  });

  it('gives back repeated values, which are stored by dictionary', async () => {
    await fc.assert(
      fc.asyncProperty(filledTable, async ({ columns, rows }) => {
        const repeated = Array.from({ length: 50 }, () => rows).flat();
        expect(await readBack(encode(columns, repeated).bytes, columns)).toEqual(repeated.map((row) => row.map(normalize)));
      }),
      { numRuns: 20 },
    );
  });

  it('has statistics that are JSON and count the nulls of every column', () => {
    fc.assert(
      fc.property(filledTable, ({ columns, rows }) => {
        const stats = JSON.parse(encode(columns, rows).stats) as { numRecords: number; nullCount: Record<string, number> };
        expect(stats.numRecords).toBe(rows.length);
        expect(stats.nullCount).toEqual(
          Object.fromEntries(columns.map(({ name }, at) => [name, rows.filter((row) => row[at] === null).length])),
        );
      }),
    );
  });
});

/** Compares a value with a bound as readers do who parse the bound by the column's type. */
function compareWithBound(type: PrimitiveType, value: TableValue, bound: string): number {
  const sign = <T extends number | bigint>(a: T, b: T): number => (a < b ? -1 : a > b ? 1 : 0);
  switch (type.kind) {
    case 'string':
      return Buffer.compare(Buffer.from(value as string), Buffer.from(JSON.parse(bound) as string));
    case 'long':
      return sign(value as bigint, BigInt(bound));
    case 'decimal': {
      const [whole = '', fraction = ''] = bound.split('.');
      expect(fraction).toHaveLength(type.scale);
      return sign(value as bigint, BigInt(whole + fraction));
    }
    case 'timestamp':
    case 'timestamp_ntz': {
      const text = JSON.parse(bound) as string;
      return sign(value as bigint, BigInt(Date.parse(type.kind === 'timestamp' ? text : `${text}Z`)) * 1000n);
    }
    case 'date':
      return sign(value as number, Date.parse(JSON.parse(bound) as string) / 86_400_000);
    case 'byte':
    case 'short':
    case 'integer':
    case 'float':
    case 'double':
      return sign(value as number, JSON.parse(bound) as number);
    case 'boolean':
    case 'binary':
      throw new Error(`${type.kind} has no bounds`);
  }
}

describe('statistics', () => {
  const column = primitiveType.chain((type) =>
    fc.record({ type: fc.constant(type), values: fc.array(fc.option(valueOf(type)), { minLength: 1 }) }),
  );

  it('have bounds that contain every value', () => {
    fc.assert(
      fc.property(column, ({ type, values }) => {
        const { min, max } = describeColumn(type, values);
        for (const value of values) {
          if (value === null) continue;
          if (min !== undefined) expect(compareWithBound(type, value, min)).toBeGreaterThanOrEqual(0);
          if (max !== undefined) expect(compareWithBound(type, value, max)).toBeLessThanOrEqual(0);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it('have bounds wherever the type allows', () => {
    fc.assert(
      fc.property(column, ({ type, values }) => {
        const { min, max, nullCount } = describeColumn(type, values);
        const hasValues = nullCount < values.length;
        const isSpecial = values.some((value) => typeof value === 'number' && !Number.isFinite(value));
        if (isSpecial || type.kind === 'timestamp' || type.kind === 'timestamp_ntz') return;
        const isBounded = hasValues && type.kind !== 'boolean' && type.kind !== 'binary';
        expect([min !== undefined, max !== undefined]).toEqual([isBounded, isBounded]);
      }),
    );
  });
});
