import { quoteName, quoteNames, quoteText } from './sql-quoting.ts';
import { describeType } from './table-schema.ts';
import type { TableColumn } from './table-type.ts';

/** Characters that Unity Catalog does not take in names: full stop, space, slash, control characters. */
// eslint-disable-next-line no-control-regex
const FORBIDDEN = /[. /\u0000-\u001f\u007f]/;
const MAX_NAME_LENGTH = 255;

/**
 * The parts of a table name, `catalog.schema.table` or less; a part in backticks may hold what is doubled in it.
 * Undefined when it is no name that Unity Catalog takes.
 */
export function parseTableName(text: string): readonly string[] | undefined {
  const parts = [...text.matchAll(/(?:^|(?<!^)\.)(?:`((?:[^`]|``)+)`|([^`.]+))(?=\.|$)/g)];
  if (parts.length === 0 || parts.length > 3 || parts.map(([whole]) => whole).join('') !== text) return undefined;
  const names = parts.map(([, quoted, plain]) => quoted?.replaceAll('``', '`') ?? plain ?? '');
  return names.every((name) => name.length <= MAX_NAME_LENGTH && !FORBIDDEN.test(name)) ? names : undefined;
}

/**
 * The statement that makes a table in Databricks. Everything a user names is quoted.
 *
 * @param location URI of an external table; a managed one has none
 */
export function makeCreateTable(name: readonly string[], columns: readonly TableColumn[], location?: string): string {
  const lines = columns.map(
    (column) => `  ${quoteName(column.name)} ${describeType(column.type)}${column.nullable ? '' : ' NOT NULL'}`,
  );
  const place = location === undefined ? '' : `\nLOCATION ${quoteText(location)}`;
  return `CREATE TABLE ${quoteNames(name)} (\n${lines.join(',\n')}\n)\nUSING DELTA${place};\n`;
}
