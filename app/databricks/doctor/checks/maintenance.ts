import { quoteNames } from '../../../rows/sql-quoting.ts';
import { ok, skipped, unknown, type Check } from '../check.ts';

/** Who compacts and cleans the table (S0.109, S0.110). Never an obstacle. */
export const maintenanceCheck: Check = {
  id: 'maintenance',
  title: 'predictive optimization',
  needs: ['table-kind'],
  async run(examination) {
    const { table, mode } = examination.target;
    const unity = examination.findUnity();
    if (table === undefined || unity === undefined) return skipped('no table is given');
    const name = quoteNames(table);
    if (mode === 'external-direct')
      return ok('not for external tables: upkeep is yours', [`OPTIMIZE ${name};`, `VACUUM ${name} RETAIN 168 HOURS;`]);
    const { predictiveOptimization } = await examination.getTable(unity, table.join('.'));
    if (predictiveOptimization === undefined) return unknown('the workspace does not tell');
    return predictiveOptimization === 'DISABLE'
      ? ok('off: nobody runs OPTIMIZE and VACUUM', [
          `ALTER SCHEMA ${quoteNames(table.slice(0, 2))} ENABLE PREDICTIVE OPTIMIZATION;`,
        ])
      : ok(`on (${predictiveOptimization})`);
  },
};
