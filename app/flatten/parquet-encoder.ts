import { ByteSink } from '../parquet/byte-sink.ts';
import { isGroupFull } from '../parquet/parquet-file.ts';
import type { FileColumn } from '../parquet/parquet-schema.ts';
import { RowGroupEncoder, type RowGroup } from '../parquet/row-group.ts';
import { keepsDigits, makeConverter } from '../rows/convert.ts';
import { tableTypeFor } from '../rows/table-schema.ts';
import type { Row, TableValue } from '../rows/table-type.ts';
import type { FlatValue, ViewColumn } from '../view/compiled-view.ts';
import type { SegmentEncoder } from './segment-encoder.ts';

/** Rows of one resource for which arrays are kept. */
const MAX_KEPT_ROWS = 100;

type Converter = (value: FlatValue) => TableValue;

/** The columns of a view as a Parquet file has them: the types of a table that is made for the view. */
export function makeFileColumns(columns: readonly ViewColumn[]): readonly FileColumn[] {
  return columns.map((column) => ({
    name: column.name,
    physicalName: column.name,
    fieldId: undefined,
    type: tableTypeFor(column),
    nullable: true,
  }));
}

/** Row groups of Parquet: the rows of a segment, or several groups when they are many. */
export function makeParquetEncoder(columns: readonly ViewColumn[]): SegmentEncoder {
  const fileColumns = makeFileColumns(columns);
  const converters = fileColumns.map((column, at) => {
    const { fhirType, collection } = columns[at] as ViewColumn;
    return makeConverter(fhirType, collection, column);
  });
  const encoder = new RowGroupEncoder(fileColumns);
  const sink = new ByteSink();
  let groups: RowGroup[] = [];
  const converted: TableValue[][] = [];
  return {
    needsExactDecimals: fileColumns.some((column, at) => keepsDigits(column, (columns[at] as ViewColumn).fhirType)),
    add: (rows) => {
      // All are converted before one is added: any may fail. Row by row, without functions of their own, as this is done for each value.
      while (converted.length < rows.length) converted.push(converters.map(() => null));
      for (let row = 0; row < rows.length; row++) {
        const [from, to] = [rows[row] as readonly FlatValue[], converted[row] as TableValue[]];
        for (let at = 0; at < converters.length; at++) to[at] = (converters[at] as Converter)(from[at] ?? null);
      }
      for (let row = 0; row < rows.length; row++) {
        encoder.add(converted[row] as Row);
        if (isGroupFull(encoder)) groups.push(encoder.finish(sink));
      }
      converted.length = Math.min(converted.length, MAX_KEPT_ROWS);
    },
    finish: () => {
      if (encoder.rowCount > 0) groups.push(encoder.finish(sink));
      const result = { bytes: sink.view(), groups };
      sink.clear();
      groups = [];
      return result;
    },
  };
}
