import { quoteName, quoteNames } from '../../rows/sql-quoting.ts';

/** What a statement needs to be allowed on its table. */
export type TablePrivilege = 'SELECT' | 'MODIFY';

/**
 * The statements that give a service principal what it needs for a table, its schema and its catalog. The name of the principal is not known
 * here, so it is left to the reader.
 *
 * @param table catalog, schema and table
 */
export function describeGrants(table: readonly string[], privileges: readonly TablePrivilege[]): string {
  const to = 'TO `<application id of the service principal>`';
  const [catalog = '', schema = ''] = table;
  return [
    `GRANT USE CATALOG ON CATALOG ${quoteName(catalog)} ${to};`,
    `GRANT USE SCHEMA ON SCHEMA ${quoteNames([catalog, schema])} ${to};`,
    `GRANT ${privileges.join(', ')} ON TABLE ${quoteNames(table)} ${to};`,
  ].join(' ');
}
