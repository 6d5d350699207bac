import { renderGrants } from '../../databricks/setup/render-grants.ts';
import { parseTableName } from '../../rows/create-table-sql.ts';
import { WrongWords, readWords, type Words } from '../words.ts';
import { readMode, readPrincipal, readTableName, readWarehouse } from './checked-words.ts';

export const GRANTS_USAGE = `npm run grants -- --mode managed-zerobus|managed-sql|external-direct --table CATALOG.SCHEMA.TABLE --principal CLIENT_ID
                      [--staging-schema CATALOG.SCHEMA] [--external-location NAME] [--warehouse ID] [--skip-initial-export]`;

/** Prints the grants of a mode. @throws WrongWords */
export function grantsCommand(args: readonly string[], print: (text: string) => void): number {
  const words = readWords(args, {
    texts: ['mode', 'table', 'principal', 'staging-schema', 'external-location', 'warehouse'],
    flags: ['skip-initial-export'],
  });
  if (words.positionals.length > 0) throw new WrongWords('grants takes options only');
  const mode = readMode(words);
  const table = readTableName(words);
  const isStaged = mode !== 'external-direct' && !words.flag('skip-initial-export');
  if (!isStaged && words.text('staging-schema') !== undefined)
    throw new WrongWords('--staging-schema is for the initial export of the managed modes');
  if (mode === 'external-direct' && words.text('warehouse') !== undefined)
    throw new WrongWords('external-direct uses no SQL warehouse');
  const request = {
    mode,
    table,
    principal: readPrincipal(words),
    ...(isStaged ? { stagingSchema: readStagingSchema(words, table) } : {}),
    ...(words.text('warehouse') === undefined ? {} : { warehouseId: readWarehouse(words) }),
  };
  // Who does not give the name still sees that the grant is needed; SHOW EXTERNAL LOCATIONS tells it.
  const externalLocation = words.text('external-location') ?? '<name of the external location>';
  print(renderGrants({ ...request, externalLocation }));
  return 0;
}

/** The sibling of the table's schema, unless it is named. @throws WrongWords */
function readStagingSchema(words: Words, [catalog, schema]: readonly string[]): readonly [string, string] {
  const text = words.text('staging-schema');
  if (text === undefined) return [catalog ?? '', `${schema ?? ''}_staging`];
  const [first, second, ...rest] = parseTableName(text) ?? [];
  if (first === undefined || second === undefined || rest.length > 0)
    throw new WrongWords('--staging-schema is two names that Unity Catalog takes: catalog.schema');
  return [first, second];
}
