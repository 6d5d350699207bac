import { ok, unityError, type Answer } from '../errors.ts';
import type { LabSwitches, Vending } from '../options.ts';

import type { Table } from '../registry/table.ts';
import { denied, Refusal, type Caller, type UnityParts } from './access.ts';
import { findExternalLocation, findTableAt, isWithin, refuseManagedStorage } from './locations.ts';
import { kindOf } from './table-info.ts';
import { noLocation } from './tables.ts';

const HOUR_MS = 3_600_000;
const TABLE_OPERATIONS: ReadonlySet<unknown> = new Set(['READ', 'READ_WRITE']);
const PATH_OPERATIONS: ReadonlySet<unknown> = new Set(['PATH_READ', 'PATH_READ_WRITE', 'PATH_CREATE_TABLE']);

type Denial = 'TABLE' | 'PATH';

/** `POST temporary-table-credentials` (4.2, 4.3). */
export function vendForTable(parts: UnityParts, caller: Caller, body: Readonly<Record<string, unknown>>): Answer {
  const { registry, switches } = parts;
  const { table_id: tableId, operation } = body;
  if (typeof tableId !== 'string') throw invalid('table_id is missing');
  if (!TABLE_OPERATIONS.has(operation)) throw invalid('operation is READ or READ_WRITE');
  const table = registry.findTableById(tableId);
  if (table === undefined) {
    const code = switches.notFoundCode === 'specific' ? 'TABLE_DOES_NOT_EXIST' : switches.notFoundCode;
    return unityError(404, code, `Table with id '${tableId}' does not exist.`);
  }
  return vendTable(parts, caller, table, operation === 'READ_WRITE', 'TABLE');
}

/** `POST temporary-path-credentials` (4.4). */
export function vendForPath(parts: UnityParts, caller: Caller, body: Readonly<Record<string, unknown>>): Answer {
  const { registry, switches, vending } = parts;
  const { url, operation, dry_run: dryRun = false } = body;
  if (typeof url !== 'string' || url === '') throw invalid('url is missing');
  if (!PATH_OPERATIONS.has(operation)) throw invalid('operation is PATH_READ, PATH_READ_WRITE or PATH_CREATE_TABLE');
  if (typeof dryRun !== 'boolean') throw invalid('dry_run is not a boolean');
  refuseManagedStorage(registry, url, 'GenerateTemporaryPathCredential', switches);
  const table = findTableAt(registry, url);
  if (table !== undefined) return vendTable(parts, caller, table, operation !== 'PATH_READ', 'PATH', url);
  if (registry.allTables.some(({ facts }) => facts.storageLocation !== undefined && isWithin(url, facts.storageLocation))) {
    throw new Refusal(
      unityError(400, 'LOCATION_OVERLAP', `Input path url '${url}' overlaps with other external tables or volumes.`),
    );
  }
  refuseClosedMetastore(switches, 'PATH');
  const location = findExternalLocation(registry, url);
  if (location === undefined) return noLocation(url);
  if (switches.externalUseLocationNeeded && !caller.has('EXTERNAL LOCATION', location.name, 'EXTERNAL USE LOCATION')) {
    throw missing('EXTERNAL USE LOCATION', 'EXTERNAL LOCATION', location.name, 'PATH', switches);
  }
  if (operation === 'PATH_CREATE_TABLE') caller.need('EXTERNAL LOCATION', location.name, 'CREATE EXTERNAL TABLE');
  return dryRun ? ok({}) : ok(makeCredentials(vending, url));
}

function vendTable(parts: UnityParts, caller: Caller, table: Table, writes: boolean, form: Denial, url?: string): Answer {
  const { registry, switches, vending } = parts;
  const { fullName, storageLocation } = table.facts;
  const schema = registry.schemaOf(fullName).fullName;
  refuseClosedMetastore(switches, form);
  caller.needPath(fullName);
  if (!caller.has('SCHEMA', schema, 'EXTERNAL USE SCHEMA'))
    throw missing('EXTERNAL USE SCHEMA', 'SCHEMA', schema, form, switches);
  caller.need('TABLE', fullName, 'SELECT');
  if (writes) caller.need('TABLE', fullName, 'MODIFY');
  refuseKind(table, writes, switches);
  return ok(makeCredentials(vending, url ?? storageLocation ?? ''));
}

/** 4.3: who may be read or written from outside. @throws Refusal */
function refuseKind(table: Table, writes: boolean, switches: LabSwitches): void {
  const { type, format, hasRowFilter } = table.facts;
  const securableKind = kindOf(table);
  if (hasRowFilter || (type !== 'MANAGED' && type !== 'EXTERNAL')) {
    throw new Refusal(
      unityError(400, 'INVALID_PARAMETER_VALUE', `Table of the kind ${securableKind} is not eligible for external access.`, {
        reason: 'EXTERNAL_ACCESS_NOT_ALLOWED_FOR_TABLE',
        metadata: { securableKind },
      }),
    );
  }
  if (!writes || (type === 'EXTERNAL' && format === 'DELTA')) return;
  const message =
    switches.externalWriteText === 'newer'
      ? 'Table is not eligible for external engine writes'
      : `Table '${table.facts.fullName}' cannot be written from outside of Databricks Compute Environment due to its kind being ` +
        `${securableKind}. Only 'TABLE_EXTERNAL' and 'TABLE_DELTA_EXTERNAL' tables can be written externally.`;
  const info = { reason: 'EXTERNAL_WRITE_NOT_ALLOWED_FOR_TABLE', metadata: { securableKind } };
  throw new Refusal(unityError(400, 'INVALID_PARAMETER_VALUE', message, info));
}

/** Exactly one member with credentials; none for the local disk (5.4). */
function makeCredentials(vending: Vending, url: string): Record<string, unknown> {
  const expiration_time = Date.now() + (vending.lifetimeMs ?? HOUR_MS);
  const scheme = url.slice(0, url.indexOf(':'));
  if (scheme === 'file') return { expiration_time, url };
  if (scheme === 's3' && vending.aws !== undefined) {
    const { accessKeyId, secretAccessKey, sessionToken } = vending.aws;
    const keys = { access_key_id: accessKeyId, secret_access_key: secretAccessKey, session_token: sessionToken };
    return { aws_temp_credentials: keys, expiration_time, url };
  }
  if (scheme === 'abfss' && vending.azureSasToken !== undefined) {
    return { azure_user_delegation_sas: { sas_token: vending.azureSasToken }, expiration_time, url };
  }
  if (scheme === 'gs' && vending.gcpOauthToken !== undefined) {
    return { gcp_oauth_token: { oauth_token: vending.gcpOauthToken }, expiration_time, url };
  }
  throw new Error(`the lab was given no credentials to vend for ${scheme}: locations (option 'vending')`);
}

function refuseClosedMetastore(switches: LabSwitches, form: Denial): void {
  if (switches.externalAccessEnabled) return;
  if (switches.credentialsDenied === '401 with reason') throw new Refusal(oldDenial(form));
  const message =
    'External Data Access from non Databricks Compute environment is disabled for metastore. Contact the metastore admin.';
  throw new Refusal(unityError(403, 'PERMISSION_DENIED', message, { reason: 'EXTERNAL_ACCESS_DISABLED_ON_METASTORE' }));
}

function missing(
  privilege: string,
  kind: 'SCHEMA' | 'EXTERNAL LOCATION',
  name: string,
  form: Denial,
  switches: LabSwitches,
): Refusal {
  return new Refusal(switches.credentialsDenied === '401 with reason' ? oldDenial(form) : denied(privilege, kind, name));
}

function oldDenial(form: Denial): Answer {
  const reason = `UNITY_CATALOG_EXTERNAL_GENERATE_${form}_CREDENTIALS_DENIED`;
  return unityError(401, 'UNAUTHENTICATED', 'Request to generate access credential from outside of Databricks is denied.', {
    reason,
  });
}

function invalid(message: string): Refusal {
  return new Refusal(unityError(400, 'INVALID_PARAMETER_VALUE', message));
}
