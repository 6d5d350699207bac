import { missing, ok, skipped, unknown, type Check } from '../check.ts';

/** The metastore lets outsiders ask for credentials (S0.113): for the initial export and for external-direct. */
export const externalAccessCheck: Check = {
  id: 'external-access',
  title: 'external data access of the metastore',
  needs: ['secret'],
  async run(examination) {
    const unity = examination.findUnity();
    const { mode, stagingTablePath } = examination.target;
    if (unity === undefined || (mode !== 'external-direct' && stagingTablePath === undefined)) return skipped('not used');
    const { allowsExternalAccess } = await examination.getMetastore(unity);
    if (allowsExternalAccess === undefined) return unknown('the metastore does not tell');
    return allowsExternalAccess
      ? ok('enabled')
      : missing('disabled (EXTERNAL_ACCESS_DISABLED_ON_METASTORE)', 'enabled', [
          'A metastore admin: Catalog Explorer → Metastore → External data access, or',
          'databricks metastores update "$(databricks metastores summary -o json | jq -r .metastore_id)" --json \'{"external_access_enabled": true}\'',
        ]);
  },
};
