import { quoteWord } from '../../setup/shell-quoting.ts';
import { missing, ok, skipped, unknown, type Check } from '../check.ts';
import { unlessAbsent } from '../examination.ts';
import { isWithin } from '../locations.ts';

/** The table lies in storage of the customer, not in default storage, which Zerobus refuses (S0.77, error 4024). */
export const storageCheck: Check = {
  id: 'storage',
  title: 'storage of the table',
  needs: ['table-kind'],
  async run(examination) {
    const { table, mode } = examination.target;
    const unity = examination.findUnity();
    if (table === undefined || unity === undefined || mode !== 'managed-zerobus') return skipped('not used');
    const [catalog, schema] = table;
    const { storageLocation } = await examination.getTable(unity, table.join('.'));
    const holders = [
      await unlessAbsent(examination.getSchema(unity, `${catalog}.${schema}`)),
      await unlessAbsent(examination.getCatalog(unity, catalog)),
      await unlessAbsent(examination.getMetastore(unity)),
    ];
    const roots = holders.flatMap((holder) => holder?.storageRoot ?? []);
    if (roots.length === 0 && holders.includes(undefined))
      return unknown('the workspace does not tell all storage roots; Zerobus refuses default storage (4024)');
    if (roots.length === 0)
      return missing(
        'default storage (Zerobus error 4024): schema, catalog and metastore have no storage root',
        'a catalog with a storage root of your own',
        [
          `databricks catalogs create ${quoteWord(catalog)} --storage-root s3://<bucket>/managed/   # a new catalog: the root of one that exists cannot be changed`,
        ],
      );
    if (storageLocation !== undefined && !roots.some((root) => isWithin(root, storageLocation)))
      return unknown(
        'the table lies outside of the storage roots of its schema, catalog and metastore; Zerobus may refuse it (4024)',
      );
    return ok('below a storage root of your own');
  },
};
