import { makeGrantStatement } from '../../setup/required-grants.ts';
import { missing, ok, skipped, unknown, type Check } from '../check.ts';
import { isWithin } from '../locations.ts';
import { findPrivilege } from './privilege.ts';

const PRIVILEGES = ['READ FILES', 'WRITE FILES', 'CREATE EXTERNAL TABLE'] as const;

/** The grants on the external location that holds the staging path, or the table of external-direct. */
export const locationGrantsCheck: Check = {
  id: 'location-grants',
  title: 'grants on the external location',
  needs: ['staging-path', 'external-schema', 'table-kind'],
  async run(examination) {
    const { table, mode, stagingTablePath, clientId = '' } = examination.target;
    const unity = examination.findUnity();
    if (table === undefined || unity === undefined) return skipped('not used');
    const path =
      mode === 'external-direct' ? (await examination.getTable(unity, table.join('.'))).storageLocation : stagingTablePath;
    if (path === undefined) return skipped('no initial export through a staging table');
    const locations = await examination.listLocations(unity);
    const holder = locations.find(({ url }) => isWithin(url, path));
    if (holder === undefined) return unknown(`no external location that the service principal may see holds ${path}`);
    const held = await Promise.all(
      PRIVILEGES.map(async (privilege) => ({
        privilege,
        state: await findPrivilege(examination, 'EXTERNAL LOCATION', [holder.name], privilege),
      })),
    );
    const absent = held.filter(({ state }) => state === 'none').map(({ privilege }) => privilege);
    const cure = (privileges: readonly string[]): string[] => [
      makeGrantStatement({ privileges, kind: 'EXTERNAL LOCATION', object: [holder.name] }, clientId),
    ];
    if (absent.length > 0)
      return missing(`${absent.join(', ')} not granted on ${holder.name}`, PRIVILEGES.join(', '), cure(absent));
    if (held.some(({ state }) => state === 'hidden'))
      return unknown(`the grants on ${holder.name} are not told to the service principal`, cure(PRIVILEGES));
    return ok(`${PRIVILEGES.join(', ')} on ${holder.name}`);
  },
};
