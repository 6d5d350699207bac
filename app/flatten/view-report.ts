import { findTableProblems, findWarnings } from '../rows/row-encoder.ts';
import { describeType, tableColumnsForView, tableTypeFor } from '../rows/table-schema.ts';
import { compileView, validateView } from '../view/compile-view.ts';
import type { CompiledView } from '../view/compiled-view.ts';
import type { ViewFile } from './view-file.ts';

/** What `check` has to say of a view. */
export interface ViewReport {
  /** `LINE:COLUMN PATH: what was found and what was expected`, in the order of the file. */
  readonly problems: readonly string[];
  /** What is right for SQL on FHIR, but keeps the view from being used by a destination, or makes it hard to use. */
  readonly notes: readonly string[];
  /** Expressions that are not compiled, with the reason: their rows are right, but slower by far. */
  readonly fallbacks: readonly string[];
  /** Undefined when there are problems. */
  readonly view: CompiledView | undefined;
}

export function reportView(file: ViewFile): ViewReport {
  const problems = validateView(file.viewDefinition)
    .map(({ path, message }) => ({ ...file.findPlace(path), text: path === '' ? message : `${path}: ${message}` }))
    .sort((a, b) => a.line - b.line || a.column - b.column)
    .map(({ line, column, text }) => `${line}:${column} ${text}`);
  if (problems.length > 0) return { problems, notes: [], fallbacks: [], view: undefined };
  const view = compileView(file.viewDefinition);
  const table = tableColumnsForView(view);
  const notes = [
    ...findTableProblems(view, table).map(({ message }) => `not for a destination: ${message}`),
    ...findWarnings(view, table),
  ];
  const fallbacks = (view.fallbacks ?? []).map(({ path, expression, column, reason }) => {
    const { line, column: at } = file.findPlace(path);
    return `${line}:${at} ${path}: ${column === undefined ? '' : `column "${column}", `}"${expression}" is not compiled: ${reason}`;
  });
  return { problems: [], notes, fallbacks, view };
}

/** A header and one line a column: name, FHIR type, table type, collection, path; parted by tabs. */
export function listColumns({ columns }: CompiledView): readonly string[] {
  const lines = columns.map((column) => [
    column.name,
    column.fhirType,
    describeType(tableTypeFor(column)),
    column.collection ? 'yes' : 'no',
    (column.path ?? '').replace(/\s+/g, ' '),
  ]);
  return [['name', 'FHIR type', 'table type', 'collection', 'path'], ...lines].map((cells) => cells.join('\t'));
}
