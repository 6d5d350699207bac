import type { DeltaRow } from '../../helpers/services/delta-reader.ts';
import type { LabEvent } from '../../lab/aidbox/lab.ts';

/** A ViewDefinition, and beside it the same in plain JavaScript, written by hand: no FHIRPath, no code of the product. */
export interface FlatView {
  readonly definition: { readonly name: string; readonly resource: string } & Readonly<Record<string, unknown>>;
  /** Rows of one resource as readers of the table see them, without `is_deleted`. */
  flatten(resource: object): DeltaRow[];
}

/** Ties a hand-written function for one type of resource to its view. */
export function makeFlatView<T extends object>(
  definition: FlatView['definition'],
  flatten: (resource: T) => DeltaRow[],
): FlatView {
  return { definition, flatten: (resource) => flatten(resource as T) };
}

/** A column of a ViewDefinition. */
export function column(name: string, path: string, type: string, more: object = {}): object {
  return { name, path, type, ...more };
}

/** What the table must hold when every event arrived once: the rows of each, a deletion with its own time and the last content. */
export function expectRows(view: FlatView, events: readonly LabEvent[]): DeltaRow[] {
  return events.flatMap(({ resource, action }) => {
    const is_deleted = action === 'delete' ? 1 : 0;
    return view.flatten(resource).map((row) => ({ ...row, is_deleted }));
  });
}
