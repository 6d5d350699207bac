import { quoteName } from '../sql/sql-error.ts';
import type { Name } from '../sql/syntax.ts';
import type { TableMention } from '../sql/statement-facts.ts';
import { readTokens } from '../sql/tokens.ts';

/** Between catalog and schema in the name of a schema of Spark's only catalog. */
const JOINT = '__in__';

/** `main.fhir.patient` → `` `main__in__fhir`.`patient` `` */
export function nameInSpark(fullName: string): string {
  const [catalog = '', schema = '', ...table] = fullName.toLowerCase().split('.');
  return quoteName([`${catalog}${JOINT}${schema}`, table.join('.')]);
}

/**
 * The text with other names in the place of the tables', also where a name of three parts stands before a column. Paths
 * (`` delta.`s3://…` ``) stay.
 */
export function replaceNames(text: string, tables: readonly TableMention[], rename: (name: Name) => string): string {
  const places = tables.filter(({ name }) => !isPath(name)).map(({ name, start, end }) => ({ name, start, end }));
  const long = places.filter(({ name }) => name.length === 3);
  for (const run of listDottedNames(text)) {
    const isMention = places.some(({ start }) => start === run[0]?.start);
    const table = long.find(({ name }) => name.every((part, index) => part.toLowerCase() === run[index]?.part.toLowerCase()));
    const [first, last] = [run[0], run[2]];
    if (!isMention && table !== undefined && first && last) places.push({ name: table.name, start: first.start, end: last.end });
  }
  places.sort((a, b) => a.start - b.start);
  let replaced = '';
  let at = 0;
  for (const { name, start, end } of places) {
    replaced += text.slice(at, start) + rename(name);
    at = end;
  }
  return replaced + text.slice(at);
}

interface NamePart {
  readonly part: string;
  readonly start: number;
  readonly end: number;
}

/** Runs of identifiers with dots between them. */
function listDottedNames(text: string): NamePart[][] {
  const runs: NamePart[][] = [];
  let isAfterDot = false;
  for (const { kind, value, source, start, end } of readTokens(text)) {
    if (kind === 'word' || kind === 'name') {
      const part = { part: kind === 'name' ? value : source, start, end };
      if (isAfterDot) runs.at(-1)?.push(part);
      else runs.push([part]);
    }
    isAfterDot = kind === 'sign' && value === '.';
  }
  return runs;
}

/** Whether a name is that of a directory. */
export function isPath(name: Name): boolean {
  return name.length === 2 && name[0]?.toLowerCase() === 'delta' && name[1]?.includes('/') === true;
}

/** A message of Spark with the registry's names. */
export function fromSparkText(text: string): string {
  return text
    .replace(new RegExp(`(?:\`spark_catalog\`\\.)?\`(\\w+?)${JOINT}(\\w+)\``, 'g'), '`$1`.`$2`')
    .replace(new RegExp(`(?:spark_catalog\\.)?(\\w+?)${JOINT}(\\w+)`, 'g'), '$1.$2');
}
