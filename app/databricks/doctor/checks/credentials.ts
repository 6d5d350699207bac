import { makeGrantStatement, requiredGrants } from '../../setup/required-grants.ts';
import { ok, skipped, type Check } from '../check.ts';

/** Unity Catalog gives credentials to write the table's files, which are thrown away (S0.112, S0.113, S0.81). */
export const credentialsCheck: Check = {
  id: 'credentials',
  title: 'credentials for the files of the table',
  needs: ['external-access', 'external-use-schema', 'table-kind'],
  async run(examination) {
    const { table, mode } = examination.target;
    const unity = examination.findUnity();
    if (table === undefined || unity === undefined || mode !== 'external-direct') return skipped('not used');
    const name = table.join('.');
    const { tableId } = await examination.getTable(unity, name);
    await unity.proveCredentials(tableId, `credentials of table ${name}`);
    return ok('given');
  },
  cure: ({ target: { mode, table, clientId = '' } }) =>
    table === undefined ? [] : requiredGrants(mode, { table }).map((grant) => makeGrantStatement(grant, clientId)),
};
