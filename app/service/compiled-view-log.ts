import type { Logger } from '../log.ts';
import type { CompiledView } from '../view/compiled-view.ts';

/**
 * Says what of a view is slow: how many expressions are left to fhirpath.js at info, each of them at debug. Places, names of columns and
 * reasons of the compiler hold no literal of the view.
 */
export function logCompiledView(log: Logger, destination: string, { name: view, fallbacks = [] }: CompiledView): void {
  log.info({ event: 'view.compiled', destination, view, expressions: fallbacks.length });
  for (const { path: place, column, reason } of fallbacks)
    log.debug({
      event: 'view.expression.interpreted',
      destination,
      view,
      place,
      ...(column !== undefined && { column }),
      reason,
    });
}
