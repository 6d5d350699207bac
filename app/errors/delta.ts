import type { ErrorEntry } from './entry.ts';

/** Errors of Delta tables: the log, the schema and the values written. */
export const DELTA_ERRORS = {
  DELTA_TABLE_NOT_FOUND: {
    retry: 'never',
    meaning: 'The directory of the table is empty.',
    action: 'Check the address, or let the table be created.',
  },
  DELTA_NOT_A_TABLE: {
    retry: 'never',
    meaning: 'The directory holds files, but no Delta log.',
    action: 'Name the directory of a Delta table, or an empty one.',
  },
  DELTA_LOG_BROKEN: {
    retry: 'never',
    meaning: 'The Delta log is incomplete or cannot be read: a gap, a damaged commit, a checkpoint without protocol or metadata.',
    action: 'Look at the named file with another engine and repair the table (restore the file, or FSCK); nothing was written.',
  },
  DELTA_FEATURE_UNSUPPORTED: {
    retry: 'never',
    meaning: 'The table uses features or settings that this writer cannot honour; all of them are listed.',
    action: 'Drop the named features from the table, or write to another table; nothing was written.',
  },
  DELTA_SCHEMA_INVALID: {
    retry: 'never',
    meaning: 'The schema of the table, or the one asked for, is not a valid Delta schema.',
    action: 'Correct the named columns.',
  },
  DELTA_SCHEMA_MISMATCH: {
    retry: 'never',
    meaning: 'The columns of the table are not those that were expected.',
    action: 'Change the table or the view so that names and types agree.',
  },
  DELTA_VALUE_NULL: {
    retry: 'never',
    meaning: 'A column that is NOT NULL got no value.',
    action:
      'Make the column nullable and replay the event; or correct the resource at its source, which sends it again, and drop the entry.',
  },
  DELTA_VALUE_OUT_OF_RANGE: {
    retry: 'never',
    meaning: 'A value does not fit the type of its column.',
    action:
      'Widen the type of the column and replay the event; or correct the resource at its source, which sends it again, and drop the entry.',
  },
  DELTA_VALUE_INVALID: {
    retry: 'never',
    meaning: 'A value is not of the kind that its column takes, or is text that UTF-8 cannot hold.',
    action: 'Correct the resource at its source, which sends it again, and drop the entry.',
  },
} as const satisfies Record<string, ErrorEntry>;
