import { unityError, type Answer } from '../errors.ts';
import type { LabRequest } from '../http/server.ts';
import type { LabSwitches } from '../options.ts';

/** What the page does not list, or lists as an option only. */
const SURROUNDINGS =
  /^\/api\/2\.1\/unity-catalog\/(metastore_summary$|external-locations$|(effective-)?permissions\/)|^\/api\/2\.0\/(sql\/warehouses|preview\/scim)\//;
const CONTAINERS = /^\/api\/2\.1\/unity-catalog\/(catalogs|schemas)\//;

/** The answer for a route that is switched off; undefined for one that is served. Who asks does not matter. */
export function answerAbsentRoute({ absentRoutes, absentRouteAnswer }: LabSwitches, request: LabRequest): Answer | undefined {
  const { method, path } = request;
  const isAbsent =
    (absentRoutes !== 'none' && SURROUNDINGS.test(path)) || (absentRoutes === 'all but tables' && CONTAINERS.test(path));
  if (!isAbsent) return undefined;
  if (absentRouteAnswer === 'ENDPOINT_NOT_FOUND')
    return unityError(404, 'ENDPOINT_NOT_FOUND', `No API found for '${method} ${path}'`);
  if (absentRouteAnswer === 'empty') return { status: 404, error: 'absent' };
  const page = `<!DOCTYPE html><html><body><pre>Cannot ${method} ${path}</pre></body></html>`;
  return { status: 404, headers: { 'content-type': 'text/html; charset=utf-8' }, body: page, error: 'absent' };
}
