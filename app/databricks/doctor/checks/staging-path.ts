import { quoteWord } from '../../setup/shell-quoting.ts';
import { missing, ok, skipped, type Check } from '../check.ts';
import { isSamePlace, isWithin } from '../locations.ts';
import { stagingSchemaOf } from '../target.ts';

/** The staging path lies below an external location and is no root of anything (S0.120). */
export const stagingPathCheck: Check = {
  id: 'staging-path',
  title: 'staging path',
  needs: ['staging-schema'],
  async run(examination) {
    const { table, mode, stagingTablePath: path } = examination.target;
    const unity = examination.findUnity();
    if (table === undefined || unity === undefined || mode === 'external-direct' || path === undefined)
      return skipped('not used');
    const locations = await examination.listLocations(unity);
    const holder = locations.find(({ url }) => isWithin(url, path));
    if (holder === undefined)
      return missing(`no external location that the service principal may see holds ${path}`, 'one that does', [
        'SHOW EXTERNAL LOCATIONS;   -- one of them must hold the path, and be granted to the service principal',
        `databricks external-locations create <name> ${quoteWord(`${path.split('/').slice(0, 3).join('/')}/`)} <storage credential>`,
      ]);
    const [catalog, schema] = table;
    const roots = [
      holder.url,
      (await examination.getSchema(unity, stagingSchemaOf(table).join('.'))).storageRoot,
      (await examination.getSchema(unity, `${catalog}.${schema}`)).storageRoot,
    ].filter((root) => root !== undefined);
    const below = `${holder.url.replace(/\/+$/, '')}/staging/${table[2]}/`;
    const cure = [`{"name": "stagingTablePath", "valueString": "${below}"}`];
    if (roots.some((root) => isSamePlace(root, path)))
      return missing(`${path} is a root itself (LOCATION_OVERLAP)`, 'a prefix of its own below it', cure);
    const managed = (await examination.getCatalog(unity, catalog)).storageRoot;
    if (managed !== undefined && isWithin(managed, path))
      return missing(`${path} lies in the managed storage of the catalog (LOCATION_OVERLAP)`, 'a prefix outside of it', cure);
    return ok(`${path} in the external location ${holder.name}`);
  },
};
