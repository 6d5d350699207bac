import { SqlError } from '../sql/sql-error.ts';
import { spellType, type SqlType } from '../sql/sql-type.ts';

type Family = 'void' | 'string' | 'boolean' | 'number' | 'date' | 'timestamp' | 'timestamp_ntz' | 'binary' | 'other';

const FAMILIES: Readonly<Record<SqlType['kind'], Family>> = {
  void: 'void',
  string: 'string',
  boolean: 'boolean',
  byte: 'number',
  short: 'number',
  integer: 'number',
  long: 'number',
  float: 'number',
  double: 'number',
  decimal: 'number',
  date: 'date',
  timestamp: 'timestamp',
  timestamp_ntz: 'timestamp_ntz',
  binary: 'binary',
  variant: 'other',
  array: 'other',
  map: 'other',
  struct: 'other',
};

/** What ANSI casts lead from a family to. */
const CASTS: Readonly<Record<Family, readonly Family[]>> = {
  void: ['void', 'string', 'boolean', 'number', 'date', 'timestamp', 'timestamp_ntz', 'binary', 'other'],
  string: ['string', 'boolean', 'number', 'date', 'timestamp', 'timestamp_ntz', 'binary'],
  boolean: ['string', 'boolean', 'number'],
  number: ['string', 'boolean', 'number', 'timestamp'],
  date: ['string', 'date', 'timestamp', 'timestamp_ntz'],
  timestamp: ['string', 'number', 'date', 'timestamp', 'timestamp_ntz'],
  timestamp_ntz: ['string', 'date', 'timestamp', 'timestamp_ntz'],
  binary: ['string', 'binary'],
  other: ['string'],
};

/** Functions that do what a cast must not (`CAST_WITH_FUNC_SUGGESTION`). */
const SUGGESTIONS: Readonly<Partial<Record<`${SqlType['kind']} to ${SqlType['kind']}`, string>>> = {
  'byte to date': 'DATE_FROM_UNIX_DATE',
  'short to date': 'DATE_FROM_UNIX_DATE',
  'integer to date': 'DATE_FROM_UNIX_DATE',
  'long to date': 'DATE_FROM_UNIX_DATE',
  'date to byte': 'UNIX_DATE',
  'date to short': 'UNIX_DATE',
  'date to integer': 'UNIX_DATE',
  'date to long': 'UNIX_DATE',
};

/** What casts only without ANSI mode (`CAST_WITH_CONF_SUGGESTION`). */
const LEGACY_CASTS: ReadonlySet<string> = new Set([
  'boolean to timestamp',
  'timestamp to boolean',
  'date to boolean',
  'date to number',
  'number to binary',
]);

/** Whether a value of one type may be cast to another at all. */
export function isCastable(from: SqlType, to: SqlType): boolean {
  if (from.kind === 'array' && to.kind === 'array') return isCastable(from.element, to.element);
  if (from.kind === 'map' && to.kind === 'map') return isCastable(from.key, to.key) && isCastable(from.value, to.value);
  if (from.kind === 'struct' && to.kind === 'struct') {
    if (from.fields.length !== to.fields.length) return false;
    return from.fields.every((field, index) => isCastable(field.type, to.fields[index]?.type ?? { kind: 'void' }));
  }
  if (from.kind === 'variant' && to.kind === 'variant') return true;
  return CASTS[FAMILIES[from.kind]].includes(FAMILIES[to.kind]);
}

/** @throws SqlError DATATYPE_MISMATCH */
export function checkCastable(from: SqlType, to: SqlType, what: string): void {
  if (isCastable(from, to)) return;
  const suggestion = SUGGESTIONS[`${from.kind} to ${to.kind}`];
  const reason = `cannot cast "${spellType(from)}" to "${spellType(to)}"`;
  const text = `Cannot resolve "${what}" due to data type mismatch: ${reason}.`;
  if (LEGACY_CASTS.has(`${FAMILIES[from.kind]} to ${FAMILIES[to.kind]}`) && suggestion === undefined) {
    const advice = 'If you have to cast, set "spark.sql.ansi.enabled" as \'false\'.';
    throw new SqlError('DATATYPE_MISMATCH.CAST_WITH_CONF_SUGGESTION', '42K09', `${text}\n${advice} SQLSTATE: 42K09`);
  }
  if (suggestion === undefined) {
    throw new SqlError('DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION', '42K09', `${text} SQLSTATE: 42K09`);
  }
  const advice = `To convert values from "${spellType(from)}" to "${spellType(to)}", you can use the functions \`${suggestion}\` instead.`;
  throw new SqlError('DATATYPE_MISMATCH.CAST_WITH_FUNC_SUGGESTION', '42K09', `${text}\n${advice} SQLSTATE: 42K09`);
}
