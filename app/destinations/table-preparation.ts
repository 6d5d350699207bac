import type { CompiledView } from '../view/compiled-view.ts';
import type { Destination } from './destination.ts';

/** What creating a destination needs of its table. */
export interface TablePreparation {
  /**
   * Opens the table and compares its schema with the view; writes nothing to it but a probe that is taken away again. A path without a table is good when `createTable` is set.
   *
   * @throws AppError of storage or table, which the user sees
   */
  check(destination: Destination, view: CompiledView): Promise<{ readonly warnings: readonly string[] }>;
  /**
   * Makes the table when it is missing and `createTable` is set, then writes the first commit of this incarnation, which fences
   * every older owner (design E8). Repeating it for the same incarnation does no harm.
   */
  begin(destination: Destination, view: CompiledView): Promise<void>;
}
