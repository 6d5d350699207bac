import { makeGrantStatement, requiredGrants } from '../../setup/required-grants.ts';
import { ok, skipped, type Check } from '../check.ts';

/** Zerobus' token for this very table, which proves the direct grants (contract §1.3). */
export const zerobusTokenCheck: Check = {
  id: 'zerobus-token',
  title: 'token of Zerobus for the table',
  needs: ['secret', 'workspace-id', 'use-catalog', 'use-schema', 'table', 'select', 'modify'],
  async run(examination) {
    const tokens = examination.target.mode === 'managed-zerobus' ? examination.findTokens(true) : undefined;
    if (tokens === undefined) return skipped('not used');
    await tokens.get();
    return ok('given: the direct grants on catalog, schema and table are there');
  },
  cure: ({ target: { mode, table, clientId = '' } }) =>
    table === undefined ? [] : requiredGrants(mode, { table }).map((grant) => makeGrantStatement(grant, clientId)),
};
