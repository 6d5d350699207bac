import { unityError } from '../errors.ts';
import type { LabSwitches } from '../options.ts';
import type { ExternalLocation, Registry } from '../registry/registry.ts';
import type { Table } from '../registry/table.ts';
import { Refusal } from './access.ts';

/** Where managed tables of a root are put. */
const MANAGED_FOLDER = '__unitystorage';

/** True when `inner` is `outer` or lies in it. Case counts; a slash at the end does not. */
export function isWithin(outer: string, inner: string): boolean {
  return `${trim(inner)}/`.startsWith(`${trim(outer)}/`);
}

/** The innermost external location that holds a path. */
export function findExternalLocation(registry: Registry, url: string): ExternalLocation | undefined {
  const found = registry.externalLocations.filter((location) => isWithin(location.url, url));
  return found.sort((a, b) => b.url.length - a.url.length)[0];
}

/** The table whose directory a path is, or lies in. */
export function findTableAt(registry: Registry, url: string): Table | undefined {
  return registry.allTables.find(({ facts }) => facts.storageLocation !== undefined && isWithin(facts.storageLocation, url));
}

/**
 * Refuse what lies in managed storage: in a catalog's root, or where a schema's root keeps managed tables (a schema with its own root takes
 * external tables in sub-prefixes), or a root itself.
 *
 * @throws Refusal 400
 */
export function refuseManagedStorage(registry: Registry, url: string, call: string, switches: LabSwitches): void {
  const roots = registry.allCatalogs.flatMap(({ storageRoot }) => storageRoot ?? []);
  const schemaRoots = registry.allSchemas.flatMap(({ storageRoot }) => storageRoot ?? []);
  const managed = [...roots, ...schemaRoots.map((root) => `${trim(root)}/${MANAGED_FOLDER}`)];
  if (managed.some((root) => isWithin(root, url))) {
    const message = `Input path url '${url}' overlaps with managed storage within '${call}' call.`;
    throw new Refusal(unityError(400, 'INVALID_PARAMETER_VALUE', message));
  }
  if ([...roots, ...schemaRoots].some((root) => isWithin(url, root))) throw overlap(url, switches);
}

/** @throws Refusal when the path is that of a table, within one, or around one, or an external location itself */
export function refuseOverlap(registry: Registry, url: string, switches: LabSwitches): void {
  for (const { facts } of registry.allTables) {
    const other = facts.storageLocation;
    if (other !== undefined && (isWithin(other, url) || isWithin(url, other))) throw overlap(url, switches);
  }
  if (registry.externalLocations.some((location) => isWithin(url, location.url))) throw overlap(url, switches);
}

function overlap(url: string, switches: LabSwitches): Refusal {
  const [status, code] = switches.locationOverlap.split(' ') as [string, string];
  const message = `Input path url '${url}' overlaps with other external tables or volumes.`;
  return new Refusal(unityError(Number(status), code, message, { reason: 'LOCATION_OVERLAP' }));
}

function trim(url: string): string {
  return url.replace(/\/+$/, '');
}
