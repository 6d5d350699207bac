import { zerobusError, type Answer } from '../errors.ts';
import type { Findings } from '../http/exchange.ts';
import type { LabSwitches } from '../options.ts';
import type { ObjectKind, Privilege } from '../registry/grants.ts';
import type { Registry } from '../registry/registry.ts';
import type { Table } from '../registry/table.ts';
import type { Token, Tokens } from '../workspace/tokens.ts';

export interface AccessParts {
  readonly registry: Registry;
  readonly tokens: Tokens;
  readonly switches: LabSwitches;
  readonly workspaceId: string;
}

/** What an insert needs, on what (1.3, 2.8). */
const NEEDED: readonly (readonly [ObjectKind, parts: number, Privilege])[] = [
  ['CATALOG', 1, 'USE CATALOG'],
  ['SCHEMA', 2, 'USE SCHEMA'],
  ['TABLE', 3, 'SELECT'],
  ['TABLE', 3, 'MODIFY'],
];

/** The table and token of an insert, or why it is refused: token first, then table, then privileges. */
export function checkAccess(
  { registry, tokens, switches, workspaceId }: AccessParts,
  fullName: string,
  authorization: string | undefined,
  findings: Findings,
): { readonly table: Table; readonly token: Token } | Answer {
  const check = tokens.check(authorization);
  if ('problem' in check) return zerobusError(401, 'UNAUTHENTICATED', `Authentication failed: the token is ${check.problem}.`);
  const { token } = check;
  findings.principal = token.principal;
  findings.token = token.number;
  findings.tokenKind = token.kind;
  if (token.kind === 'personal') return zerobusError(401, 'UNAUTHENTICATED', 'Authentication failed: OAuth is required.');
  if (token.kind === 'plain') return refuseToken(switches.plainTokenStatus, 'the token was not made for this API');
  if (token.resource !== `api://databricks/workspaces/${workspaceId}/zerobusDirectWriteApi`) {
    return refuseToken(switches.wrongWorkspaceStatus, 'Invalid token audience');
  }
  const table = registry.findTable(fullName);
  if (table === undefined) {
    return switches.missingTableStatus === 404
      ? zerobusError(404, 'NOT_FOUND', `Table "${fullName}" cannot be found.`)
      : zerobusError(403, 'PERMISSION_DENIED', `Authorization token is not valid for the table ${fullName}. Error Code: 3`);
  }
  const tokenTableId = token.tables?.get(fullName.toLowerCase())?.tableId;
  if (switches.recreatedTableNeedsNewToken && tokenTableId !== undefined && tokenTableId !== table.facts.tableId) {
    return zerobusError(403, 'PERMISSION_DENIED', `Authorization token was made for another table ${fullName}. Error Code: 3`);
  }
  for (const [kind, length, privilege] of NEEDED) {
    const name = fullName.split('.').slice(0, length).join('.');
    const isInToken = token.details?.some(
      (detail) =>
        detail.object_type === kind &&
        detail.object_full_path.toLowerCase() === name.toLowerCase() &&
        detail.privileges.includes(privilege),
    );
    const { grants } = registry;
    const isGranted =
      !switches.revokedGrantsCountAtOnce ||
      (switches.inheritedGrantsSuffice
        ? grants.has(token.principal, kind, name, privilege)
        : grants.hasDirectly(token.principal, kind, name, privilege));
    if (isInToken !== true || !isGranted) {
      const message = `Authorization token is missing ${privilege} privilege for a ${kind.toLowerCase()} ${name}. Error Code: 3`;
      return zerobusError(403, 'PERMISSION_DENIED', message);
    }
  }
  return { table, token };
}

function refuseToken(status: 401 | 403, reason: string): Answer {
  return status === 401
    ? zerobusError(401, 'UNAUTHENTICATED', `Authentication failed: ${reason}.`)
    : zerobusError(403, 'PERMISSION_DENIED', `Permission denied: ${reason}.`);
}
