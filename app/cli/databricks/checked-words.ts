import { MODES, type Mode } from '../../databricks/setup/required-grants.ts';
import { parseTableName } from '../../rows/create-table-sql.ts';
import { WrongWords, type Words } from '../words.ts';

/** @throws WrongWords */
export function readMode(words: Words): Mode {
  const text = words.required('mode');
  const mode = MODES.find((known) => known === text);
  if (mode === undefined) throw new WrongWords(`--mode is one of ${MODES.join(', ')}`);
  return mode;
}

/** `--table catalog.schema.table`. @throws WrongWords */
export function readTableName(words: Words): readonly [string, string, string] {
  const [catalog, schema, table, ...rest] = parseTableName(words.required('table')) ?? [];
  if (catalog === undefined || schema === undefined || table === undefined || rest.length > 0)
    throw new WrongWords('--table is three names that Unity Catalog takes: catalog.schema.table');
  return [catalog, schema, table];
}

/** A value of one option that must have a form. @throws WrongWords that does not repeat the value */
export function readFormed(words: Words, name: string, pattern: RegExp, expected: string): string {
  const value = words.required(name);
  if (!pattern.test(value)) throw new WrongWords(`--${name} is ${expected}`);
  return value;
}

/** Names of objects of Unity Catalog, of roles and the like, where the user may leave one out. @throws WrongWords */
export function readName(words: Words, name: string, otherwise: string): string {
  const value = words.text(name) ?? otherwise;
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(value)) throw new WrongWords(`--${name} is a name of letters, digits, _ and -`);
  return value;
}

/** Application id of a service principal, as it stands in grants. @throws WrongWords */
export function readPrincipal(words: Words): string {
  return readFormed(words, 'principal', /^[^\s`'"\\]{1,256}$/, 'the application id (client id) of the service principal');
}

/** @throws WrongWords */
export function readWarehouse(words: Words): string {
  return readFormed(words, 'warehouse', /^[A-Za-z0-9_-]{1,64}$/, 'the id of a SQL warehouse');
}
