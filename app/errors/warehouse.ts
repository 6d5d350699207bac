import type { ErrorEntry } from './entry.ts';

/** Errors of a Databricks SQL warehouse and of the statements it runs. */
export const WAREHOUSE_ERRORS = {
  SQL_SCHEMA_DIFFERS: {
    retry: 'later',
    meaning:
      'The table has other columns than the statement was made for (for example DELTA_INSERT_COLUMN_ARITY_MISMATCH): somebody changed the table, or the view has new columns. Nothing was written.',
    action:
      'The product reads the columns again, adds those that are missing and repeats once; when it comes again, compare the view with the table and correct one of them.',
  },
  SQL_ROW_REFUSED: {
    retry: 'never',
    meaning: 'A value does not fit its column or breaks a constraint of the table; the whole statement failed and wrote nothing.',
    action:
      'Widen the column or relax the constraint and replay the event; or correct the resource at its source, which sends it again.',
  },
} as const satisfies Record<string, ErrorEntry>;
