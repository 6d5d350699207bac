import { isAppError } from '../../../errors/app-error.ts';
import { quoteWord } from '../../setup/shell-quoting.ts';
import { missing, ok, skipped, type Check } from '../check.ts';
import { stagingSchemaOf } from '../target.ts';
import { findPrivilege } from './privilege.ts';

/** The sibling schema for the staging table of the initial export is there (S0.79). */
export const stagingExistsCheck: Check = {
  id: 'staging-exists',
  title: 'staging schema exists',
  needs: ['use-catalog'],
  async run(examination) {
    const { table, mode, stagingTablePath } = examination.target;
    const unity = examination.findUnity();
    if (table === undefined || unity === undefined || mode === 'external-direct' || stagingTablePath === undefined)
      return skipped('no initial export through a staging table');
    const schema = stagingSchemaOf(table);
    try {
      const held = await findPrivilege(examination, 'SCHEMA', schema, 'USE SCHEMA');
      if (held === 'hidden') await examination.getSchema(unity, schema.join('.'));
      return ok(schema.join('.'));
    } catch (error) {
      if (!isAppError(error, 'UNITY_NOT_FOUND')) throw error;
      return missing(`there is no schema ${schema.join('.')}`, 'a sibling of the schema of the table, with a storage root', [
        `databricks schemas create ${quoteWord(schema[1])} ${quoteWord(schema[0])} --storage-root s3://<bucket>/staging/   # SQL has no form for it`,
      ]);
    }
  },
};
