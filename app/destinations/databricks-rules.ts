import { checkOrigin, checkRegion, isLoopback, quote } from './parameter-checks.ts';
import type { Given, ParameterRule, Presence, ServiceFacts } from './parameter-rule.ts';

const NEEDS_WORKSPACE = 'it has a meaning only together with databricksWorkspaceUrl, which is absent';
const NOT_ZEROBUS = 'only managed-zerobus calls Zerobus';
const noPrincipal = (given: Given, { hasPrincipal }: ServiceFacts): string | undefined =>
  hasPrincipal || given['databricksAccessToken'] !== undefined
    ? undefined
    : 'unless the service has a service principal of its own (DATABRICKS_CLIENT_ID)';
const principal: Presence = {
  requiredWhen: (given, service) =>
    given['databricksClientSecret'] === undefined
      ? noPrincipal(given, service)
      : 'beside databricksClientSecret: the two are a pair',
};
const secret: Presence = {
  requiredWhen: (given, service) =>
    given['databricksClientId'] === undefined ? noPrincipal(given, service) : 'beside databricksClientId: the two are a pair',
};

/** The parameters that name a workspace, a table in it, and who acts there. */
export const DATABRICKS_RULES: readonly ParameterRule[] = [
  {
    name: 'databricksWorkspaceUrl',
    type: 'string',
    meaning: 'https://<workspace>; in external-direct it switches to credentials vended by Unity Catalog',
    presence: { zerobus: 'required', sql: 'required', unity: 'optional', direct: 'optional' },
    check: (value) => checkOrigin(value, ['https:']),
  },
  {
    name: 'databricksWorkspaceId',
    type: 'string',
    meaning: 'numeric workspace id, part of the Zerobus host',
    presence: { zerobus: 'required', sql: 'optional', unity: 'optional', direct: { ignored: NEEDS_WORKSPACE } },
    check: (value) =>
      /^\d{1,20}$/.test(value) ? undefined : `found ${quote(value)}, expected the number of the workspace (digits only)`,
  },
  {
    name: 'databricksRegion',
    type: 'string',
    meaning: 'region of the workspace, part of the Zerobus host',
    presence: { zerobus: 'required', sql: 'optional', unity: 'optional', direct: { ignored: NEEDS_WORKSPACE } },
    check: checkRegion,
  },
  {
    name: 'databricksClientId',
    type: 'string',
    meaning: 'client id of the service principal; without it the one of the service is used',
    credential: 'identifier',
    presence: { zerobus: principal, sql: principal, unity: principal, direct: { ignored: NEEDS_WORKSPACE } },
  },
  {
    name: 'databricksClientSecret',
    type: 'string',
    meaning: 'client secret of the service principal',
    credential: 'secret',
    presence: { zerobus: secret, sql: secret, unity: secret, direct: { ignored: NEEDS_WORKSPACE } },
  },
  {
    name: 'databricksAccessToken',
    type: 'string',
    meaning: 'personal access token instead of a service principal (an addition of this product)',
    credential: 'secret',
    presence: {
      zerobus: {
        forbidden: 'Zerobus takes only tokens of service principals; give databricksClientId and databricksClientSecret',
      },
      sql: 'optional',
      unity: 'optional',
      direct: { ignored: NEEDS_WORKSPACE },
    },
  },
  {
    name: 'tableName',
    type: 'string',
    meaning: 'catalog.schema.table in Unity Catalog',
    presence: {
      zerobus: 'required',
      sql: 'required',
      unity: 'required',
      direct: { ignored: `${NEEDS_WORKSPACE}; a table on plain storage is named by tablePath` },
    },
    check: (value) =>
      /^[^.\s/`"]+\.[^.\s/`"]+\.[^.\s/`"]+$/.test(value)
        ? undefined
        : `found ${quote(value)}, expected three names joined by dots: catalog.schema.table`,
  },
  {
    name: 'databricksWarehouseId',
    type: 'string',
    meaning: 'SQL warehouse for schema changes and, in managed-sql, for each batch',
    presence: { zerobus: 'required', sql: 'required', unity: 'optional', direct: { ignored: NEEDS_WORKSPACE } },
    check: (value) =>
      /^[A-Za-z0-9_-]{1,64}$/.test(value)
        ? undefined
        : `found ${quote(value)}, expected the id of a SQL warehouse (letters and digits)`,
  },
  {
    name: 'zerobusEndpoint',
    type: 'string',
    meaning:
      'https://host of Zerobus where it is not <workspaceId>.zerobus.<region>.cloud.databricks.com, as with private links (an addition of this product)',
    presence: {
      zerobus: 'optional',
      sql: { ignored: NOT_ZEROBUS },
      unity: { ignored: NOT_ZEROBUS },
      direct: { ignored: NOT_ZEROBUS },
    },
    check: (value) => checkOrigin(value, isLoopback(value) ? ['https:', 'http:'] : ['https:']),
  },
];
