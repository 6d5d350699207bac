import { ok, type Answer } from '../errors.ts';
import type { Caller, UnityParts } from './access.ts';

/** `GET /metastore_summary`: anybody may read it. */
export function getMetastore({ registry, switches }: UnityParts): Answer {
  const { metastoreRegion: region, metastoreStorageRoot: root, externalAccessEnabled } = switches;
  return ok({
    metastore_id: registry.metastoreId,
    name: 'metastore',
    cloud: 'aws',
    ...(region !== undefined && { region }),
    ...(root !== undefined && { storage_root: root }),
    external_access_enabled: externalAccessEnabled,
  });
}

/** `GET /external-locations`: those on which the caller has any privilege, or that it owns. Two on a page, and the last page is empty. */
export function listExternalLocations({ registry }: UnityParts, caller: Caller, query: URLSearchParams): Answer {
  const visible = registry.externalLocations.filter(
    ({ name, owner }) =>
      owner === caller.principal || registry.grants.list(caller.principal, 'EXTERNAL LOCATION', name).length > 0,
  );
  const from = Number(query.get('page_token') ?? 0);
  const shown = visible
    .slice(from, from + 2)
    .map(({ name, url, owner }) => ({ name, url, owner, credential_name: 'credential' }));
  const isLast = from >= visible.length;
  return ok({ external_locations: shown, ...(!isLast && { next_page_token: String(Math.min(from + 2, visible.length)) }) });
}

/** `GET /api/2.0/preview/scim/v2/Me`: who calls, and in a header the number of the workspace. */
export function getMe({ workspaceId, switches }: UnityParts, caller: Caller): Answer {
  const groups = switches.groups.map((display) => ({ display }));
  const answer = ok({ id: '1', userName: caller.principal, active: true, groups });
  return switches.tellsWorkspaceId ? { ...answer, headers: { 'x-databricks-org-id': workspaceId } } : answer;
}
