import type { UnityTable } from '../../unity-table.ts';
import { missing, ok, skipped, type Check } from '../check.ts';

/** The kind of table that the mode writes to (contract §2.8, §4.3, §4.7). */
export const tableKindCheck: Check = {
  id: 'table-kind',
  title: 'kind of the table',
  needs: ['table', 'select', 'modify'],
  async run(examination) {
    const { table, mode, view } = examination.target;
    const unity = examination.findUnity();
    if (table === undefined || unity === undefined) return skipped('no table is given');
    const found = await examination.getTable(unity, table.join('.'));
    const kind = `${found.tableType} ${found.format}`.trim();
    const isExternal = mode === 'external-direct';
    const wanted = isExternal ? 'EXTERNAL' : 'MANAGED';
    const remake = view === undefined ? `npm run view -- ddl VIEW_FILE --table ${table.join('.')}` : view.makeTable(table);
    if (found.tableType !== wanted || found.format !== 'DELTA') {
      const other = isExternal ? 'managed-zerobus or managed-sql for a managed table' : 'external-direct for an external table';
      return missing(kind, `${wanted} DELTA`, [`Choose writeMode ${other}, or make the table again:`, remake]);
    }
    const catalogCommits = findCatalogCommits(found);
    if (catalogCommits !== undefined && mode !== 'managed-sql')
      return missing(`commits go through the catalog (${catalogCommits})`, 'a table without catalog-managed commits', [
        'Choose writeMode managed-sql, or make the table again without catalog commits.',
      ]);
    if (found.isFiltered && isExternal)
      return missing('a row filter or a column mask', 'none: Unity Catalog gives no credentials for such a table', [
        `ALTER TABLE ${table.join('.')} DROP ROW FILTER;`,
      ]);
    return ok(kind);
  },
};

/** The property that says so. */
function findCatalogCommits({ properties }: UnityTable): string | undefined {
  const names = [
    'delta.feature.catalogManaged',
    'delta.feature.coordinatedCommits-preview',
    'delta.feature.catalogOwned-preview',
  ];
  return Object.keys(properties).find((name) => names.includes(name) || name.startsWith('delta.coordinatedCommits.'));
}
