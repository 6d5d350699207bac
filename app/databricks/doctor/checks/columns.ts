import { quoteNames } from '../../../rows/sql-quoting.ts';
import { missing, ok, skipped, type Check } from '../check.ts';

/** The rows of the view fit the columns of the table (S3.4, S3.24). */
export const columnsCheck: Check = {
  id: 'columns',
  title: 'columns of the table',
  needs: ['table-kind'],
  async run(examination) {
    const { table, view, mode } = examination.target;
    const unity = examination.findUnity();
    if (table === undefined || unity === undefined) return skipped('no table is given');
    if (view === undefined) return skipped('no view is given: --view FILE');
    const { columns } = await examination.getTable(unity, table.join('.'));
    const { problems, absent } = view.compare(columns);
    const alter = absent.length === 0 ? [] : [`ALTER TABLE ${quoteNames(table)} ADD COLUMNS (${absent.join(', ')});`];
    const wanted = `columns that take the rows of the view ${view.name}`;
    if (problems.length > 0)
      return missing(problems.join('; '), wanted, [...alter, 'Change the columns or the view so that they fit.']);
    if (absent.length === 0) return ok(`${columns.length} columns take the rows of the view ${view.name}`);
    return mode === 'external-direct'
      ? missing(`the table lacks ${absent.join(', ')}`, wanted, alter)
      : ok(`the table lacks ${absent.join(', ')}; the product adds them at its start, or you do`, alter);
  },
};
