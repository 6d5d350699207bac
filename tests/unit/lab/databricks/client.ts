import { request as http, type IncomingHttpHeaders } from 'node:http';
import { request as https } from 'node:https';
import { startDatabricksLab, type DatabricksLab } from '../../../lab/databricks/lab.ts';
import type { DatabricksLabOptions, LabSwitches } from '../../../lab/databricks/options.ts';
import type { ColumnText } from '../../../lab/databricks/registry/table.ts';
import { grantForZerobus } from '../../../lab/databricks/setup.ts';

/** Requests to the stand-in, put together from the contract page by hand. */

export const TABLE = 'main.fhir.patient';
export const CLIENT = { id: 'sp-1', secret: 'top secret' };

/** A workspace with one principal and one managed table that it may write by Zerobus. */
export async function startLab(
  columns: readonly ColumnText[] = [['id', 'STRING']],
  switches: Partial<LabSwitches> = {},
  options: DatabricksLabOptions = {},
): Promise<DatabricksLab> {
  const quick = { schemaPickupMs: 0, visibilityDelayMs: 0, ...switches };
  const lab = await startDatabricksLab({ sink: 'count', ...options, switches: quick });
  lab.principals.add(CLIENT.id, CLIENT.secret);
  lab.registry.createCatalog('main', { storageRoot: 's3://bucket/managed' });
  lab.registry.createSchema('main.fhir');
  lab.registry.createTable(TABLE, { columns });
  grantForZerobus(lab, CLIENT.id, TABLE);
  return lab;
}

export interface Answered {
  readonly status: number | undefined;
  readonly text: string;
  readonly headers: IncomingHttpHeaders;
  /** The body as JSON; empty when it is none. */
  readonly json: Readonly<Record<string, unknown>>;
}

export interface Sent {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Certificate to trust. */
  readonly ca?: string;
}

/** One request on a connection of its own. `fetch` hides some answers (407). */
export function send(url: string, { method = 'GET', headers = {}, body = '', ca }: Sent): Promise<Answered> {
  const options = { method, headers, agent: false as const, ...(ca !== undefined && { ca }) };
  return new Promise((resolve, reject) => {
    const request = (url.startsWith('https:') ? https : http)(url, options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.once('error', reject).once('end', () => {
        resolve({ status: response.statusCode, text, headers: response.headers, json: parse(text) });
      });
    });
    request.once('error', reject).end(body);
  });
}

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}

export function askToken(lab: DatabricksLab, form: Readonly<Record<string, string>>, client = CLIENT): Promise<Answered> {
  const authorization = `Basic ${Buffer.from(`${client.id}:${client.secret}`).toString('base64')}`;
  return send(`${lab.workspaceUrl}/oidc/v1/token`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(form).toString(),
  });
}

export const PLAIN_FORM = { grant_type: 'client_credentials', scope: 'all-apis' };

/** The three entries of 1.3. */
export function makeDetails(table = TABLE): Record<string, unknown>[] {
  const [catalog = '', schema = ''] = table.split('.');
  const entry = (object_type: string, object_full_path: string, ...privileges: string[]): Record<string, unknown> => ({
    type: 'unity_catalog_privileges',
    privileges,
    object_type,
    object_full_path,
  });
  return [
    entry('CATALOG', catalog, 'USE CATALOG'),
    entry('SCHEMA', `${catalog}.${schema}`, 'USE SCHEMA'),
    entry('TABLE', table, 'SELECT', 'MODIFY'),
  ];
}

export function makeScopedForm(
  lab: DatabricksLab,
  details: unknown = makeDetails(),
  workspaceId = lab.workspaceId,
): Record<string, string> {
  return {
    ...PLAIN_FORM,
    resource: `api://databricks/workspaces/${workspaceId}/zerobusDirectWriteApi`,
    authorization_details: JSON.stringify(details),
  };
}

export async function mintPlain(lab: DatabricksLab): Promise<string> {
  return (await askToken(lab, PLAIN_FORM)).json['access_token'] as string;
}

export async function mintScoped(lab: DatabricksLab, table = TABLE): Promise<string> {
  return (await askToken(lab, makeScopedForm(lab, makeDetails(table)))).json['access_token'] as string;
}

/** Insert a body (a text as it is, anything else as JSON) with a token. */
export function insert(
  lab: DatabricksLab,
  token: string,
  body: unknown,
  { table = TABLE, headers = {} }: { table?: string; headers?: Record<string, string> } = {},
): Promise<Answered> {
  return send(`${lab.zerobusUrl}/zerobus/v1/tables/${table}/insert`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
}

/** Schema of `startUnityLab` with a storage root of its own. */
export const STAGING = 'main.fhir_staging';

/** A workspace with a bucket, a staging schema and all grants for external tables in it. */
export async function startUnityLab(): Promise<DatabricksLab> {
  const vending = { aws: { accessKeyId: 'AKIA', secretAccessKey: 'shh', sessionToken: 'session' }, lifetimeMs: 5_000 };
  const columns: ColumnText[] = [
    ['id', 'STRING NOT NULL', 'logical id'],
    ['amount', 'DECIMAL(10,2)'],
    ['names', 'ARRAY<STRUCT<a: STRING, b: BIGINT>>'],
    ['seen', 'TIMESTAMP_NTZ'],
  ];
  const lab = await startLab(columns, {}, { vending });
  const { registry } = lab;
  registry.createExternalLocation('bucket', 's3://bucket/');
  registry.createSchema(STAGING, { storageRoot: 's3://bucket/staging/' });
  registry.grants.grant(CLIENT.id, 'SCHEMA', STAGING, 'USE SCHEMA', 'CREATE TABLE', 'EXTERNAL USE SCHEMA');
  registry.grants.grant(CLIENT.id, 'EXTERNAL LOCATION', 'bucket', 'CREATE EXTERNAL TABLE', 'EXTERNAL USE LOCATION');
  return lab;
}

/** A request to Unity Catalog; `path` begins after `unity-catalog/`. */
export function callUnity(
  lab: DatabricksLab,
  token: string,
  method: string,
  path: string,
  { body, version = '2.1' }: { readonly body?: unknown; readonly version?: string } = {},
): Promise<Answered> {
  return send(`${lab.workspaceUrl}/api/${version}/unity-catalog/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
}

/** `details[].reason` of an error of Unity Catalog (4.6). */
export function reasonOf(answer: Answered): unknown {
  return (answer.json['details'] as { readonly reason?: string }[] | undefined)?.[0]?.reason;
}
