import type { TableContents } from '../../tests/helpers/table-contents.ts';

const SHOWN = 8;
const COLUMNS = ['id', 'ts', 'version_id', 'gender', 'birth_date', 'city', 'family_name', 'given_name'];

/** The newest row of each resource that is not deleted: what the latest-state query of the documentation gives. */
export function latestState(rows: TableContents['rows']): Record<string, unknown>[] {
  const latest = new Map<string, Record<string, unknown>>();
  for (const row of rows) {
    const known = latest.get(String(row['id']));
    if (known === undefined || compareTimes(row['ts'], known['ts']) > 0) latest.set(String(row['id']), row);
  }
  return [...latest.values()].filter((row) => row['is_deleted'] === 0);
}

function compareTimes(a: unknown, b: unknown): number {
  const [x, y] = [a, b].map((value) => (value instanceof Date ? value.getTime() : Number(value)));
  return x! - y!;
}

export function formatRows(rows: readonly Record<string, unknown>[]): string {
  const cells = [COLUMNS, ...rows.slice(0, SHOWN).map((row) => COLUMNS.map((name) => formatValue(row[name])))];
  const widths = COLUMNS.map((_name, at) => Math.max(...cells.map((line) => line[at]!.length)));
  return cells
    .map((line) =>
      line
        .map((cell, at) => cell.padEnd(widths[at]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function formatValue(value: unknown): string {
  if (value === null || value === undefined) return '·';
  if (value instanceof Date) return value.toISOString().replace('T', ' ').replace(' 00:00:00.000Z', '').replace('Z', '');
  return typeof value === 'string' ? value : JSON.stringify(value);
}
