import { timingSafeEqual } from 'node:crypto';
import { ok, tokenError, type Answer } from '../errors.ts';
import type { Findings } from '../http/exchange.ts';
import type { LabRequest } from '../http/server.ts';
import type { LabSwitches } from '../options.ts';
import type { ObjectKind, Privilege } from '../registry/grants.ts';
import type { Registry } from '../registry/registry.ts';
import type { Principal, Principals } from './principals.ts';
import type { AuthorizationDetail, NewToken, Tokens } from './tokens.ts';

export interface OidcParts {
  readonly registry: Registry;
  readonly principals: Principals;
  readonly tokens: Tokens;
  readonly switches: LabSwitches;
}

const SCOPES: ReadonlySet<string> = new Set(['all-apis', 'sql']);
const RESOURCE = /^api:\/\/databricks\/workspaces\/\d+\/zerobusDirectWriteApi$/;
const OBJECT_TYPES: ReadonlySet<string> = new Set(['CATALOG', 'SCHEMA', 'TABLE']);

/** `POST /oidc/v1/token` (1.1 to 1.3). */
export function answerToken(parts: OidcParts, request: LabRequest, findings: Findings): Answer {
  if (request.path !== '/oidc/v1/token') return { status: 404 };
  if (request.method !== 'POST') return { status: 405, headers: { allow: 'POST' } };
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/x-www-form-urlencoded\s*(;|$)/i.test(type)) return badRequest('the body must be a form');
  const form = readForm(request.body?.toString('utf8') ?? '');
  if (form === undefined) return badRequest('a parameter is repeated');
  const principal = authenticate(parts.principals, request.headers.authorization);
  if (principal === undefined) return tokenError(401, 'invalid_client', 'Client authentication failed');
  findings.principal = principal.clientId;
  const grant = form.get('grant_type');
  if (grant === undefined) return badRequest('grant_type is missing');
  if (grant !== 'client_credentials') return tokenError(400, 'unsupported_grant_type', `Unsupported grant type '${grant}'`);
  const scope = form.get('scope');
  if (scope === undefined || !SCOPES.has(scope)) return tokenError(400, 'invalid_scope', 'The requested scope is invalid.');
  if (!principal.scopes.includes(scope)) {
    return tokenError(403, 'access_denied', `Scopes '${scope}' are not assigned to the client ${principal.clientId}`);
  }
  const facts = readFacts(parts, principal.clientId, scope, form);
  return 'status' in facts ? facts : mint(parts, facts, findings);
}

function mint({ tokens, switches }: OidcParts, facts: NewToken, findings: Findings): Answer {
  const { text, token } = tokens.mint(facts, facts.kind === 'zerobus' ? switches.scopedTokenBytes : 0);
  findings.token = token.number;
  findings.tokenKind = token.kind;
  return ok({
    access_token: text,
    token_type: 'Bearer',
    expires_in: Math.floor(tokens.lifetimeMs / 1000),
    ...(switches.tokenTellsScope && { scope: facts.scope }),
  });
}

/** What kind of token the form asks for, or why it gets none. */
function readFacts(parts: OidcParts, principal: string, scope: string, form: ReadonlyMap<string, string>): NewToken | Answer {
  const resource = form.get('resource');
  const text = form.get('authorization_details');
  if (resource === undefined && text === undefined) return { kind: 'plain', principal, scope };
  if (resource === undefined || text === undefined) return badRequest('resource and authorization_details belong together');
  if (!RESOURCE.test(resource)) return badRequest('resource is not the address of a Zerobus API');
  const details = readDetails(text);
  if (details === undefined) return badRequest('authorization_details is not a list of privileges');
  if (!details.every((detail) => isAuthorized(parts, principal, detail))) {
    return tokenError(401, 'invalid_authorization_details', 'User is not authorized to the requested authorizations');
  }
  const names = details.filter((detail) => detail.object_type === 'TABLE').map((detail) => detail.object_full_path);
  const tables = names.map((name) => {
    const { facts, schemaVersion } = parts.registry.table(name);
    return [name.toLowerCase(), { tableId: facts.tableId, schemaVersion }] as const;
  });
  return { kind: 'zerobus', principal, scope, resource, details, tables: new Map(tables) };
}

/** The object exists and each privilege is granted on it (1.2: cases that the answer does not tell apart). */
function isAuthorized({ registry, switches }: OidcParts, principal: string, detail: AuthorizationDetail): boolean {
  const { object_type: kind, object_full_path: name, privileges, operations } = detail;
  if (kind === 'TABLE') {
    if (registry.findTable(name) === undefined) return false;
    if (switches.operations === 'mandatory' && operations?.includes('zerobuswrite') !== true) return false;
    if (switches.operations === 'refused' && operations !== undefined) return false;
    if (operations?.some((operation) => operation !== 'zerobuswrite') === true) return false;
  }
  const { grants } = registry;
  return privileges.every((text) => {
    const privilege = text as Privilege; // one that does not exist, as USE_CATALOG, is granted to nobody
    return switches.inheritedGrantsSuffice
      ? grants.has(principal, kind as ObjectKind, name, privilege)
      : grants.hasDirectly(principal, kind as ObjectKind, name, privilege);
  });
}

function readDetails(text: string): readonly AuthorizationDetail[] | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  return Array.isArray(json) && json.length > 0 && json.every(isDetail) ? json : undefined;
}

function isDetail(value: unknown): value is AuthorizationDetail {
  if (typeof value !== 'object' || value === null) return false;
  const { type, privileges, object_type: kind, object_full_path: name, operations } = value as Record<string, unknown>;
  const isTextList = (list: unknown): boolean => Array.isArray(list) && list.every((item) => typeof item === 'string');
  return (
    type === 'unity_catalog_privileges' &&
    isTextList(privileges) &&
    (privileges as unknown[]).length > 0 &&
    typeof kind === 'string' &&
    OBJECT_TYPES.has(kind) &&
    typeof name === 'string' &&
    (operations === undefined || isTextList(operations))
  );
}

function authenticate(principals: Principals, authorization: string | undefined): Principal | undefined {
  const basic = /^Basic ([A-Za-z0-9+/]+=*)$/i.exec(authorization ?? '')?.[1];
  if (basic === undefined) return undefined;
  const [clientId = '', secret = ''] = Buffer.from(basic, 'base64').toString('utf8').split(/:(.*)/s);
  const principal = principals.get(clientId);
  if (principal === undefined || principal.isDisabled) return undefined;
  const [given, right] = [Buffer.from(secret), Buffer.from(principal.secret)];
  return given.length === right.length && timingSafeEqual(given, right) ? principal : undefined;
}

/** Undefined: a parameter comes twice. */
function readForm(text: string): ReadonlyMap<string, string> | undefined {
  const entries = [...new URLSearchParams(text)];
  const form = new Map(entries);
  return form.size === entries.length ? form : undefined;
}

function badRequest(description: string): Answer {
  return tokenError(400, 'invalid_request', description);
}
