import { ByteSink } from '../parquet/byte-sink.ts';
import { isGroupFull } from '../parquet/parquet-file.ts';
import type { FileColumn } from '../parquet/parquet-schema.ts';
import { RowGroupEncoder, type RowGroup } from '../parquet/row-group.ts';
import { keepsDigits, makeConverter } from '../rows/convert.ts';
import { tableTypeFor } from '../rows/table-schema.ts';
import type { ViewColumn } from '../view/compiled-view.ts';
import type { SegmentEncoder } from './segment-encoder.ts';

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
  return {
    needsExactDecimals: fileColumns.some((column, at) => keepsDigits(column, (columns[at] as ViewColumn).fhirType)),
    add: (rows) => {
      const converted = rows.map((row) => converters.map((convert, at) => convert(row[at] ?? null)));
      for (const row of converted) {
        encoder.add(row);
        if (isGroupFull(encoder)) groups.push(encoder.finish(sink));
      }
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
