import type { StatementRequest } from './engine.ts';
import type { Name } from './sql/syntax.ts';

/** `catalog.schema.table` with the session's namespace in front of shorter names. */
export function resolveName(request: StatementRequest, name: Name): string {
  if (name.length >= 3) return name.join('.');
  if (name.length === 2) return [request.catalog ?? 'hive_metastore', ...name].join('.');
  return [request.catalog ?? 'hive_metastore', request.schema ?? 'default', ...name].join('.');
}
