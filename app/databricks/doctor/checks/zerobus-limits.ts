import { missing, ok, skipped, type Check } from '../check.ts';

const NAME = /^[A-Za-z0-9_]+$/;
const MAX_COLUMNS = 2_000;

/** Names and numbers that Zerobus takes (contract §2.4). */
export const zerobusLimitsCheck: Check = {
  id: 'zerobus-limits',
  title: 'limits of Zerobus',
  needs: ['table-kind'],
  async run(examination) {
    const { table, mode } = examination.target;
    const unity = examination.findUnity();
    if (table === undefined || unity === undefined || mode !== 'managed-zerobus') return skipped('not used');
    const { columns } = await examination.getTable(unity, table.join('.'));
    const bad = [...table, ...columns.map(({ name }) => name)].filter((name) => !NAME.test(name));
    if (bad.length > 0)
      return missing(
        `names ${bad
          .slice(0, 5)
          .map((name) => JSON.stringify(name))
          .join(', ')}`,
        'ASCII letters, digits and underscores',
        ['Rename them in the table and in the view, or choose writeMode managed-sql.'],
      );
    if (columns.length > MAX_COLUMNS)
      return missing(`${columns.length} columns`, `at most ${MAX_COLUMNS}`, [
        'Leave columns out of the view, or choose writeMode managed-sql.',
      ]);
    return ok(`${columns.length} columns, names of letters, digits and underscores`);
  },
};
