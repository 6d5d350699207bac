import { describe, expect, it } from '@jest/globals';
import type { Mode } from '../../../../app/databricks/setup/required-grants.ts';
import type { DatabricksLab } from '../../../lab/databricks/lab.ts';
import type { ObjectKind, Privilege } from '../../../lab/databricks/registry/grants.ts';
import { CLIENT, cureOf, examine, MANAGED, missingIn, MODES, NAME, obey, start } from './ready-workspace.ts';

interface Lack {
  readonly check: string;
  readonly modes: readonly Mode[];
  readonly take: (lab: DatabricksLab) => void;
  /** The cure holds it. */
  readonly cure: string;
}

const revoke =
  (kind: ObjectKind, name: string, privilege: Privilege) =>
  ({ registry: { grants } }: DatabricksLab): void =>
    grants.revoke(CLIENT.clientId, kind, name, privilege);

const GRANTS: readonly Lack[] = [
  {
    check: 'warehouse',
    modes: MANAGED,
    take: revoke('WAREHOUSE', 'abc123', 'CAN USE'),
    cure: 'databricks warehouses update-permissions abc123 --json',
  },
  {
    check: 'use-catalog',
    modes: MODES,
    take: revoke('CATALOG', 'main', 'USE CATALOG'),
    cure: `GRANT USE CATALOG ON CATALOG \`main\` TO \`${CLIENT.clientId}\`;`,
  },
  {
    check: 'use-schema',
    modes: MODES,
    take: revoke('SCHEMA', 'main.fhir', 'USE SCHEMA'),
    cure: `GRANT USE SCHEMA ON SCHEMA \`main\`.\`fhir\` TO \`${CLIENT.clientId}\`;`,
  },
  {
    check: 'select',
    modes: MODES,
    take: revoke('TABLE', NAME, 'SELECT'),
    cure: `GRANT SELECT ON TABLE \`main\`.\`fhir\`.\`patients\` TO \`${CLIENT.clientId}\`;`,
  },
  {
    check: 'modify',
    modes: MODES,
    take: revoke('TABLE', NAME, 'MODIFY'),
    cure: `GRANT MODIFY ON TABLE \`main\`.\`fhir\`.\`patients\` TO \`${CLIENT.clientId}\`;`,
  },
  {
    check: 'staging-use-schema',
    modes: MANAGED,
    take: revoke('SCHEMA', 'main.fhir_staging', 'USE SCHEMA'),
    cure: `GRANT USE SCHEMA ON SCHEMA \`main\`.\`fhir_staging\` TO \`${CLIENT.clientId}\`;`,
  },
  {
    check: 'staging-external-use-schema',
    modes: MANAGED,
    take: revoke('SCHEMA', 'main.fhir_staging', 'EXTERNAL USE SCHEMA'),
    cure: `GRANT EXTERNAL USE SCHEMA ON SCHEMA \`main\`.\`fhir_staging\` TO \`${CLIENT.clientId}\`;`,
  },
  {
    check: 'staging-create-table',
    modes: MANAGED,
    take: revoke('SCHEMA', 'main.fhir_staging', 'CREATE TABLE'),
    cure: `GRANT CREATE TABLE ON SCHEMA \`main\`.\`fhir_staging\` TO \`${CLIENT.clientId}\`;`,
  },
  {
    check: 'external-use-schema',
    modes: ['external-direct'],
    take: revoke('SCHEMA', 'main.fhir', 'EXTERNAL USE SCHEMA'),
    cure: `GRANT EXTERNAL USE SCHEMA ON SCHEMA \`main\`.\`fhir\` TO \`${CLIENT.clientId}\`;`,
  },
  ...(['READ FILES', 'WRITE FILES', 'CREATE EXTERNAL TABLE'] as const).map((privilege) => ({
    check: 'location-grants',
    modes: MODES,
    take: revoke('EXTERNAL LOCATION', 'loc', privilege),
    cure: `GRANT ${privilege} ON EXTERNAL LOCATION \`loc\` TO \`${CLIENT.clientId}\`;`,
  })),
];

const rows = (lacks: readonly Lack[]): [string, Mode, Lack][] =>
  lacks.flatMap((lack) => lack.modes.map((mode): [string, Mode, Lack] => [lack.check, mode, lack]));

describe('a grant that is missing', () => {
  it.each(rows(GRANTS))('is the first thing named (%s, %s), and its cure cures it', async (check, mode, lack) => {
    const { lab, target } = await start(mode);
    lack.take(lab);
    const results = await examine(target);
    expect(missingIn(results)).toEqual([check]);
    expect(results.at(-1)?.id).toBe(check);
    expect(cureOf(results, check)).toContain(lack.cure);
    expect(obey(lab, cureOf(results, check))).toBe(1);
    expect(missingIn(await examine(target, true))).toEqual([]);
  });
});
