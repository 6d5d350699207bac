import type { ColumnComparison, DoctorView } from '../../databricks/doctor/target.ts';
import type { UnityColumn } from '../../databricks/unity-table.ts';
import { findUnsupportedProblems } from '../../databricks/warehouse/table-columns.ts';
import { makeCreateTable } from '../../rows/create-table-sql.ts';
import { findMissingColumns, findTableProblems } from '../../rows/row-encoder.ts';
import { quoteName } from '../../rows/sql-quoting.ts';
import { describeType, tableColumnsForView } from '../../rows/table-schema.ts';
import type { TableColumn } from '../../rows/table-type.ts';
import type { CompiledView } from '../../view/compiled-view.ts';

/** What the doctor needs of a view, with the product's own rules for views and tables. */
export function makeDoctorView(view: CompiledView): DoctorView {
  return {
    name: view.name,
    compare: (columns) => compareColumns(view, columns),
    makeTable: (table) => makeCreateTable(table, tableColumnsForView(view)).trimEnd(),
  };
}

function compareColumns(view: CompiledView, all: readonly UnityColumn[]): ColumnComparison {
  const columns: TableColumn[] = all.flatMap(({ name, type, nullable }) =>
    type === undefined ? [] : [{ name, type, nullable }],
  );
  const unsupported = all.flatMap(({ name, type, typeText, nullable }) =>
    type === undefined ? [{ name, typeName: typeText, nullable }] : [],
  );
  const unfit = new Set(unsupported.map(({ name }) => name.toLowerCase()));
  const wanted = tableColumnsForView(view).map(({ name }) => name);
  const problems = findTableProblems(view, columns).filter(({ code }) => code !== 'TABLE_COLUMNS_MISSING');
  const absent = findMissingColumns(view, columns).filter(({ name }) => !unfit.has(name.toLowerCase()));
  return {
    problems: [...findUnsupportedProblems({ columns, unsupported }, wanted), ...problems.map(({ message }) => message)],
    absent: absent.map(({ name, type }) => `${quoteName(name)} ${describeType(type)}`),
  };
}
