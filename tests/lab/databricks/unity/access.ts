import { unityError, type Answer } from '../errors.ts';
import type { Findings } from '../http/exchange.ts';
import type { LabSwitches, Vending } from '../options.ts';
import type { ObjectKind, Privilege } from '../registry/grants.ts';
import type { Registry, RegistryError } from '../registry/registry.ts';
import type { Tokens } from '../workspace/tokens.ts';

export interface UnityParts {
  readonly registry: Registry;
  readonly tokens: Tokens;
  readonly switches: LabSwitches;
  readonly vending: Vending;
  readonly workspaceId: string;
}

/** An answer in the place of a result. */
export class Refusal extends Error {
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(`${answer.status} ${answer.error}`);
    this.answer = answer;
  }
}

/** Who calls. @throws Refusal 401 */
export function readCaller(
  parts: Pick<UnityParts, 'tokens' | 'switches'>,
  authorization: string | undefined,
  findings: Findings,
): string {
  const check = parts.tokens.check(authorization);
  if ('problem' in check) {
    const message = check.problem === 'expired' ? 'Token is expired' : 'Invalid access token';
    throw new Refusal(unityError(401, 'UNAUTHENTICATED', message));
  }
  const { token } = check;
  findings.principal = token.principal;
  findings.token = token.number;
  findings.tokenKind = token.kind;
  if (token.kind === 'zerobus' && !parts.switches.scopedTokenServesWorkspace) {
    throw new Refusal(unityError(401, 'UNAUTHENTICATED', 'Invalid access token'));
  }
  return token.principal;
}

const SPOKEN: Readonly<Record<ObjectKind, string>> = {
  METASTORE: 'Metastore',
  CATALOG: 'Catalog',
  SCHEMA: 'Schema',
  TABLE: 'Table',
  'EXTERNAL LOCATION': 'External Location',
  WAREHOUSE: 'Warehouse',
};

/** What a caller may do: by grants, or as the owner, who has all but what is never implied. */
export class Caller {
  readonly principal: string;
  private readonly registry: Registry;

  constructor(registry: Registry, principal: string) {
    this.registry = registry;
    this.principal = principal;
  }

  has(kind: ObjectKind, name: string, privilege: Privilege): boolean {
    if (this.registry.grants.has(this.principal, kind, name, privilege)) return true;
    return !['EXTERNAL USE SCHEMA', 'EXTERNAL USE LOCATION'].includes(privilege) && this.owns(kind, name);
  }

  owns(kind: ObjectKind, name: string): boolean {
    const { registry, principal } = this;
    if (kind === 'TABLE') return registry.table(name).facts.owner === principal || this.owns('SCHEMA', name);
    if (kind === 'SCHEMA') return registry.schemaOf(name).owner === principal || this.owns('CATALOG', name);
    if (kind === 'CATALOG') return registry.catalogOf(name).owner === principal;
    return (
      kind === 'EXTERNAL LOCATION' && registry.externalLocations.some((entry) => entry.name === name && entry.owner === principal)
    );
  }

  /** @throws Refusal 403 that names privilege and object */
  need(kind: ObjectKind, name: string, ...privileges: Privilege[]): void {
    const missing = privileges.find((privilege) => !this.has(kind, name, privilege));
    if (missing !== undefined) throw new Refusal(denied(missing, kind, name));
  }

  /** USE CATALOG and USE SCHEMA on the way to a table. */
  needPath(tableName: string): void {
    const schema = tableName.split('.').slice(0, 2).join('.');
    this.need('CATALOG', schema.split('.')[0] ?? '', 'USE CATALOG');
    this.need('SCHEMA', schema, 'USE SCHEMA');
  }
}

export function denied(privilege: string, kind: ObjectKind, name: string): Answer {
  return unityError(403, 'PERMISSION_DENIED', `User does not have ${privilege} on ${SPOKEN[kind]} '${name}'.`);
}

/** 4.6: codes of absent and of doubled things. */
export function toAnswer(error: RegistryError, switches: LabSwitches): Answer {
  if (error.reason === 'TABLE_ALREADY_EXISTS') {
    const [status, code] = switches.alreadyExists.split(' ') as [string, string];
    return unityError(Number(status), code, error.message);
  }
  return unityError(404, switches.notFoundCode === 'specific' ? error.reason : switches.notFoundCode, error.message);
}
