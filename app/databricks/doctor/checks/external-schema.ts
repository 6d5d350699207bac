import { isAppError } from '../../../errors/app-error.ts';
import { quoteWord } from '../../setup/shell-quoting.ts';
import { missing, ok, skipped, type Check } from '../check.ts';
import { stagingSchemaOf, type DoctorTarget } from '../target.ts';

/**
 * A schema that must have a storage root of its own, so that EXTERNAL USE SCHEMA may be granted on it (S0.79, S0.81): that of the staging table,
 * or that of the table itself in external-direct.
 */
export function makeExternalSchemaCheck(which: 'staging' | 'target'): Check {
  const schemaOf = ({ mode, table, stagingTablePath }: DoctorTarget): readonly [string, string] | undefined => {
    if (table === undefined) return undefined;
    if (which === 'target') return mode === 'external-direct' ? [table[0], table[1]] : undefined;
    return mode !== 'external-direct' && stagingTablePath !== undefined ? stagingSchemaOf(table) : undefined;
  };
  return {
    id: which === 'staging' ? 'staging-schema' : 'external-schema',
    title: `${which} schema with a storage root`,
    needs: which === 'staging' ? ['staging-use-schema'] : ['use-schema'],
    async run(examination) {
      const schema = schemaOf(examination.target);
      const unity = examination.findUnity();
      if (schema === undefined || unity === undefined) return skipped('not used');
      const create = `databricks schemas create ${quoteWord(schema[1])} ${quoteWord(schema[0])} --storage-root s3://<bucket>/${which}/   # SQL has no form for it`;
      try {
        const { storageRoot } = await examination.getSchema(unity, schema.join('.'));
        return storageRoot === undefined
          ? missing(
              `${schema.join('.')} is a managed schema: EXTERNAL USE SCHEMA is not applicable to it`,
              'a schema with a storage root of its own',
              [`databricks schemas delete ${quoteWord(schema.join('.'))}   # when it is empty`, create],
            )
          : ok(`${schema.join('.')} at ${storageRoot}`);
      } catch (error) {
        if (!isAppError(error, 'UNITY_NOT_FOUND')) throw error;
        return missing(`there is no schema ${schema.join('.')}`, 'a schema with a storage root of its own', [create]);
      }
    },
  };
}
