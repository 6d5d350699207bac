import type { ErrorEntry } from './entry.ts';

/** Errors of views, of the values they yield, and of the match between a view and its table. */
export const VIEW_ERRORS = {
  VIEW_INVALID: {
    retry: 'never',
    meaning: 'The ViewDefinition cannot be used; every problem is listed with its place.',
    action: 'Correct the named places of the ViewDefinition and create the destination again.',
  },
  VIEW_WITHOUT_ID: {
    retry: 'never',
    meaning:
      'The view has no column `id` that holds the id of the resource, so rows of one resource cannot be told from those of another.',
    action: 'Add a column named `id` with the path `id` or `getResourceKey()` to the ViewDefinition.',
  },
  VIEW_EVALUATION_FAILED: {
    retry: 'never',
    meaning: 'An expression of the view failed on one resource, for example because a single-valued column got several values.',
    action:
      'Correct the resource at its source, which sends it again, and drop the entry; or correct the view and create the destination again (that drops its quarantine).',
  },
  VALUE_NOT_CONVERTIBLE: {
    retry: 'never',
    meaning: 'A value of the view does not fit the type of its table column.',
    action:
      'Change the type of the column and replay the event; or correct the resource at its source, which sends it again, and drop the entry.',
  },
  DATA_LINE_INVALID: {
    retry: 'never',
    meaning:
      'A line of a file that `npm run view -- run` flattens is not a FHIR resource in JSON; its number is named, its content is not.',
    action: 'Correct the line in the file, or leave such lines out and have them counted with `--skip-errors`.',
  },
  DATA_FILE_UNREADABLE: {
    retry: 'never',
    meaning: 'A file that a command should read is not there, is damaged, or may not be read.',
    action: 'Check path, permissions and, for gzip, whether the file is whole.',
  },
  OUTPUT_UNWRITABLE: {
    retry: 'never',
    meaning: 'The file that a command should write cannot be made; nothing stands under its name.',
    action: 'Check directory, permissions and free space.',
  },
  TABLE_COLUMNS_MISSING: {
    retry: 'never',
    meaning: 'The table lacks columns that the view yields, or `is_deleted`.',
    action: 'Add the named columns to the table (ALTER TABLE … ADD COLUMNS), then create the destination again.',
  },
  TABLE_COLUMNS_UNFIT: {
    retry: 'never',
    meaning: 'Columns of the table cannot take what the view yields: other type, NOT NULL without a value, or a name used twice.',
    action: 'Change the named columns of the table or of the view, then create the destination again.',
  },
} as const satisfies Record<string, ErrorEntry>;
