import { zerobusError, type Answer } from '../errors.ts';
import type { LabSwitches } from '../options.ts';
import { someType, type StructField } from '../registry/data-type.ts';
import type { Table } from '../registry/table.ts';

/** Names that Zerobus takes for catalogs, schemas, tables and columns (2.4). */
const NAME = /^[A-Za-z0-9_]+$/;

/** Why Zerobus does not write to a table (2.4, 2.8), if it does not. */
export function checkTable(table: Table, columns: readonly StructField[], switches: LabSwitches): Answer | undefined {
  const { type, format, isInDefaultStorage, isCatalogManaged, checkConstraints } = table.facts;
  if (type !== 'MANAGED' || format !== 'DELTA')
    return refuseKind(switches, `Tables of the kind ${type}_${format} are not supported.`);
  if (isInDefaultStorage) return refuseKind(switches, 'Tables created in default storage are not supported.');
  const { properties } = table;
  const names = Object.keys(properties);
  if (isCatalogManaged || names.some((name) => /^delta\.(feature\.catalogManaged|coordinatedCommits\.)/.test(name))) {
    return refuseKind(switches, 'Tables with catalog commits are not supported.');
  }
  if (Object.keys(checkConstraints).length > 0 || names.some((name) => name.startsWith('delta.constraints.'))) {
    return refuseKind(switches, 'Tables with CHECK constraints are not supported.');
  }
  if (columns.length > switches.maxColumns) {
    return zerobusError(
      400,
      'INVALID_PARAMETER_VALUE',
      `The table has ${columns.length} columns, at most ${switches.maxColumns} are supported.`,
    );
  }
  const odd = columns.find((column) => !NAME.test(column.name) || someType(column.type, hasOddField));
  if (odd !== undefined) {
    return zerobusError(400, 'INVALID_PARAMETER_VALUE', 'Names of columns may have ASCII letters, digits and underscores only.');
  }
  return undefined;
}

/** The three parts of a table's name in a path, if they are names that Zerobus takes. */
export function isTableName(fullName: string): boolean {
  const parts = fullName.split('.');
  return parts.length === 3 && parts.every((part) => NAME.test(part));
}

function hasOddField(type: StructField['type']): boolean {
  return type.kind === 'struct' && type.fields.some((field) => !NAME.test(field.name));
}

function refuseKind({ unsupportedKindStatus: status }: LabSwitches, why: string): Answer {
  const code = status === 400 ? 'INVALID_PARAMETER_VALUE' : 'PERMISSION_DENIED';
  return zerobusError(status, code, `Unsupported table kind. ${why} Error Code: 4024, Error State: 1.`);
}
