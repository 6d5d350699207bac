import { isAppError } from '../../../errors/app-error.ts';
import { makeGrantStatement, requiredGrants } from '../../setup/required-grants.ts';
import { missing, ok, skipped, type Check } from '../check.ts';
import { findPrivilege } from './privilege.ts';

/** Catalog, schema and table are there. Their grants tell it also to those who may not read the table. */
export const tableExistsCheck: Check = {
  id: 'table',
  title: 'table exists',
  needs: ['use-schema'],
  async run(examination) {
    const { table, view, mode, clientId = '' } = examination.target;
    const unity = examination.findUnity();
    if (table === undefined || unity === undefined) return skipped('no table is given');
    const name = table.join('.');
    try {
      const held = await findPrivilege(examination, 'TABLE', table, 'SELECT');
      if (held === 'hidden') await examination.getTable(unity, name);
      return ok(name);
    } catch (error) {
      if (isAppError(error, 'UNITY_PRIVILEGE_MISSING'))
        return missing(
          `${error.code}: ${error.message}`,
          'a table that may be seen',
          requiredGrants(mode, { table }).map((grant) => makeGrantStatement(grant, clientId)),
        );
      if (!isAppError(error, 'UNITY_NOT_FOUND')) throw error;
      return missing(`there is no table ${name}, or it may not be seen`, 'a table with the columns of the view', [
        view === undefined ? `npm run view -- ddl VIEW_FILE --table ${name}   # prints the statement` : view.makeTable(table),
      ]);
    }
  },
};
