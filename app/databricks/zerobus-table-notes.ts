import type { TableColumn } from '../rows/table-type.ts';

/** What whoever makes a table for Zerobus should know, as its limits show only when rows are refused (contract §2.4, §2.5, §2.8). */
export function zerobusTableNotes(columns: readonly TableColumn[]): readonly string[] {
  const lists = columns.filter(({ type }) => type.kind === 'array').map(({ name }) => name);
  return [
    'Zerobus writes to managed tables in storage of your own: not in default storage, without commits by the catalog (delta.feature.catalogManaged)',
    'add no CHECK constraint, which Zerobus refuses, and no DEFAULT, generated or identity column, which it does not fill',
    ...(lists.length === 0
      ? []
      : [`Zerobus has no form for null in a list: an event with one in ${lists.join(', ')} goes to quarantine`]),
  ];
}
