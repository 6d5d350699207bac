import { makeGrantStatement, makeWarehouseGrant, requiredGrants, type GrantObjects, type Mode } from './required-grants.ts';

export interface GrantsRequest extends GrantObjects {
  readonly mode: Mode;
  /** Application id (client id) of the service principal. */
  readonly principal: string;
  /** Not needed by external-direct. */
  readonly warehouseId?: string;
}

/** What an owner of the catalog runs to give the service principal what the mode needs: SQL, and lines of the CLI as comments in it. */
export function renderGrants(request: GrantsRequest): string {
  const { mode, principal, warehouseId } = request;
  const statements = requiredGrants(mode, request).map(
    (grant) => `-- to ${grant.purpose}\n${makeGrantStatement(grant, principal)}`,
  );
  const warehouse =
    mode === 'external-direct'
      ? []
      : [
          `-- CAN_USE on the SQL warehouse, in a shell (SQL has no statement for it):\n-- ${makeWarehouseGrant(warehouseId ?? '<warehouse id>', principal)}`,
        ];
  return `${[`-- ${mode}: run as owner of the catalog`, ...statements, ...warehouse].join('\n\n')}\n`;
}
