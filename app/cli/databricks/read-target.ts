import type { DatabricksEnvironment } from '../../config/databricks-environment.ts';
import type { DoctorTarget, DoctorView } from '../../databricks/doctor/target.ts';
import { checkRequest, type RequestCheck } from '../../destinations/destination-request.ts';
import type { Destination } from '../../destinations/destination.ts';
import { makeSecretStore } from '../../destinations/secret-store.ts';
import type { GivenSecret } from '../../destinations/secret-reference.ts';
import { isAppError } from '../../errors/app-error.ts';
import { asArray, asObject, asText, type Json } from '../../lib/json.ts';
import { parseTableName } from '../../rows/create-table-sql.ts';

/** The destination that a file asks for. Secrets stand in it, in SECRETS_DIR, or in the environment. */
export async function readTarget(
  resource: Json,
  environment: DatabricksEnvironment,
  view: DoctorView | undefined,
): Promise<DoctorTarget> {
  const { DATABRICKS_CLIENT_ID: ownId, DATABRICKS_CLIENT_SECRET: ownSecret } = environment;
  const check = checkRequest(resource, { hasPrincipal: ownId !== undefined });
  const { secrets, databricks } = check.request.values;
  const problems = check.issues.filter(isOfUser).map(({ diagnostics = '' }) => diagnostics);
  const resolve = async (name: string, otherwise: string | undefined): Promise<string | undefined> => {
    const given = secrets[name];
    if (given === undefined) return otherwise;
    const value = await resolveSecret(name, given, environment);
    if ('value' in value) return value.value;
    if (otherwise === undefined) problems.push(value.problem);
    return otherwise;
  };
  const clientId =
    secrets['databricksClientId'] === undefined ? (databricks.clientId ?? ownId) : await resolve('databricksClientId', ownId);
  const secret = await resolve('databricksClientSecret', ownSecret);
  const accessToken = await resolve('databricksAccessToken', undefined);
  return {
    ...readPlain(resource, check),
    problems,
    ...(clientId === undefined ? {} : { clientId }),
    ...(secret === undefined ? {} : { clientSecret: secret }),
    ...(accessToken === undefined ? {} : { accessToken }),
    ...(view === undefined ? {} : { view }),
  };
}

/** A destination as it is stored, with its secrets opened. */
export function readStoredTarget(
  { resource, target, problem }: Destination,
  environment: DatabricksEnvironment,
  view: DoctorView | undefined,
): DoctorTarget {
  const { DATABRICKS_CLIENT_ID: ownId, DATABRICKS_CLIENT_SECRET: ownSecret } = environment;
  const table = target.kind === 'databricks' ? target.table : undefined;
  const clientId = table?.clientId ?? ownId;
  const clientSecret = table?.clientSecret ?? ownSecret;
  // Its parameters were checked when it was created; its secrets are masked by now.
  const check = checkRequest(resource, { hasPrincipal: true });
  return {
    ...readPlain(resource, check),
    problems: problem === undefined ? [] : [`${problem.code}: ${problem.message}`],
    ...(clientId === undefined ? {} : { clientId }),
    ...(clientSecret === undefined ? {} : { clientSecret }),
    ...(table?.accessToken === undefined ? {} : { accessToken: table.accessToken }),
    ...(view === undefined ? {} : { view }),
  };
}

/** What is no secret, as far as it is well-formed: a wrong value is a problem of the parameters, and its own checks are skipped. */
function readPlain(resource: Json, check: RequestCheck): Omit<DoctorTarget, 'problems'> {
  const { writeMode, skipInitialExport } = check.request.values;
  const wrong = new Set(check.issues.filter(isOfUser).flatMap(({ expression = [] }) => expression));
  const texts = new Map(
    asArray(resource['parameter']).map((item) => [
      asText(asObject(item)?.['name']) ?? '',
      asText(asObject(item)?.['valueString']),
    ]),
  );
  const put = <K extends string>(member: K, name: string): Partial<Record<K, string>> => {
    const value = wrong.has(check.expressionOf(name)) ? undefined : texts.get(name);
    return value === undefined ? {} : ({ [member]: value } as Partial<Record<K, string>>);
  };
  const tableName = put('tableName', 'tableName').tableName;
  const [catalog, schema, table] = tableName === undefined ? [] : (parseTableName(tableName) ?? []);
  return {
    mode: writeMode,
    ...withoutSlash(put('workspaceUrl', 'databricksWorkspaceUrl')),
    ...put('workspaceId', 'databricksWorkspaceId'),
    ...put('region', 'databricksRegion'),
    ...withoutSlash(put('zerobusEndpoint', 'zerobusEndpoint')),
    ...put('warehouseId', 'databricksWarehouseId'),
    ...put('awsRegion', 'awsRegion'),
    ...(skipInitialExport ? {} : put('stagingTablePath', 'stagingTablePath')),
    ...(catalog === undefined || schema === undefined || table === undefined ? {} : { table: [catalog, schema, table] }),
  };
}

function withoutSlash<T extends Readonly<Record<string, string | undefined>>>(urls: T): T {
  return Object.fromEntries(Object.entries(urls).map(([name, url]) => [name, url?.replace(/\/+$/, '')])) as T;
}

/** Not what only this build cannot do yet: the workspace can be made ready for it. */
function isOfUser({ details }: RequestCheck['issues'][number]): boolean {
  return details?.coding?.[0]?.code !== 'DESTINATION_NOT_IN_BUILD';
}

async function resolveSecret(
  name: string,
  given: GivenSecret,
  { SECRETS_DIR: directory }: DatabricksEnvironment,
): Promise<{ readonly value: string } | { readonly problem: string }> {
  if (given.kind === 'inline') return { value: given.value };
  try {
    return { value: await makeSecretStore({ sealer: undefined, directory }).resolve('', name, given) };
  } catch (error) {
    if (!isAppError(error)) throw error;
    return { problem: `${error.message}; set SECRETS_DIR, or DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET` };
  }
}
