import type { LabRequest } from '../http/server.ts';
import type { Registry } from '../registry/registry.ts';
import type { Tokens } from '../workspace/tokens.ts';
import type { Warehouse, Warehouses } from '../workspace/warehouses.ts';
import { HttpRefusal } from './http-refusal.ts';

/** Who calls, and which warehouse. */
export interface Caller {
  readonly principal: string;
  readonly warehouse: Warehouse;
  readonly token: number;
  readonly tokenKind: 'plain' | 'zerobus' | 'personal';
}

export interface CallerParts {
  readonly registry: Registry;
  readonly tokens: Tokens;
  readonly warehouses: Warehouses;
  readonly scopedTokenServes: () => boolean;
}

/** Paths of warehouses (3.2). */
export const WAREHOUSE_PATH = /^\/sql\/(?:1\.0\/(?:warehouses|endpoints)|protocolv1\/o\/\d+)\/([^/]+)$/;

/** @throws HttpRefusal 401 without a good token, 404 without the warehouse, 403 without CAN USE (7.3) */
export function authenticate({ registry, tokens, warehouses, scopedTokenServes }: CallerParts, request: LabRequest): Caller {
  const check = tokens.check(request.headers.authorization);
  if ('problem' in check) throw new HttpRefusal(401, 'UNAUTHENTICATED', `The access token is ${check.problem}.`);
  const { principal, number, kind } = check.token;
  if (kind === 'zerobus' && !scopedTokenServes())
    throw new HttpRefusal(401, 'UNAUTHENTICATED', 'The access token is for another API.');
  const id = WAREHOUSE_PATH.exec(request.path)?.[1] ?? '';
  const warehouse = warehouses.get(id);
  if (warehouse === undefined || warehouse.state === 'DELETED') {
    throw new HttpRefusal(404, 'ENDPOINT_NOT_FOUND', `The SQL warehouse ${id} does not exist.`);
  }
  if (!registry.grants.has(principal, 'WAREHOUSE', id, 'CAN USE')) {
    throw new HttpRefusal(403, 'PERMISSION_DENIED', `You do not have CAN USE permission on the SQL warehouse ${id}.`);
  }
  return { principal, warehouse, token: number, tokenKind: kind };
}
