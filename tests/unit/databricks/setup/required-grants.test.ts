import { describe, expect, it } from '@jest/globals';
import { makeGrantStatement, makeWarehouseGrant, requiredGrants } from '../../../../app/databricks/setup/required-grants.ts';
import { renderGrants } from '../../../../app/databricks/setup/render-grants.ts';

const PRINCIPAL = '11111111-2222-3333-4444-555555555555';
const OBJECTS = {
  table: ['main', 'fhir', 'patients'],
  stagingSchema: ['main', 'fhir_staging'],
  externalLocation: 'loc',
} as const;

/** S0.80: the set of both managed modes. */
const MANAGED = [
  `GRANT USE CATALOG ON CATALOG \`main\` TO \`${PRINCIPAL}\`;`,
  `GRANT USE SCHEMA ON SCHEMA \`main\`.\`fhir\` TO \`${PRINCIPAL}\`;`,
  `GRANT SELECT, MODIFY ON TABLE \`main\`.\`fhir\`.\`patients\` TO \`${PRINCIPAL}\`;`,
  `GRANT USE SCHEMA, EXTERNAL USE SCHEMA, CREATE TABLE ON SCHEMA \`main\`.\`fhir_staging\` TO \`${PRINCIPAL}\`;`,
  `GRANT READ FILES, WRITE FILES, CREATE EXTERNAL TABLE ON EXTERNAL LOCATION \`loc\` TO \`${PRINCIPAL}\`;`,
];
const EXTERNAL = [
  `GRANT USE CATALOG ON CATALOG \`main\` TO \`${PRINCIPAL}\`;`,
  `GRANT USE SCHEMA, EXTERNAL USE SCHEMA ON SCHEMA \`main\`.\`fhir\` TO \`${PRINCIPAL}\`;`,
  `GRANT SELECT, MODIFY ON TABLE \`main\`.\`fhir\`.\`patients\` TO \`${PRINCIPAL}\`;`,
  `GRANT READ FILES, WRITE FILES, CREATE EXTERNAL TABLE ON EXTERNAL LOCATION \`loc\` TO \`${PRINCIPAL}\`;`,
];

const statementsIn = (text: string): string[] => text.split('\n').filter((line) => line.startsWith('GRANT '));

describe('the grants of a mode', () => {
  it.each([
    ['managed-zerobus', MANAGED],
    ['managed-sql', MANAGED],
    ['external-direct', EXTERNAL],
  ] as const)('of %s are exactly its set', (mode, expected) => {
    expect(requiredGrants(mode, OBJECTS).map((grant) => makeGrantStatement(grant, PRINCIPAL))).toEqual(expected);
    expect(statementsIn(renderGrants({ mode, principal: PRINCIPAL, ...OBJECTS }))).toEqual(expected);
  });

  it('leave out what only the initial export needs when there is none', () => {
    const { table, externalLocation } = OBJECTS;
    const grants = requiredGrants('managed-sql', { table, externalLocation });
    expect(grants.map((grant) => makeGrantStatement(grant, PRINCIPAL))).toEqual(MANAGED.slice(0, 3));
  });

  it('never hold a right to make or to manage more than a staging table', () => {
    const privileges = (['managed-zerobus', 'managed-sql', 'external-direct'] as const).flatMap((mode) =>
      requiredGrants(mode, OBJECTS).flatMap((grant) => grant.privileges),
    );
    expect(privileges).not.toContain('CREATE SCHEMA');
    expect(privileges).not.toContain('CREATE MANAGED STORAGE');
    expect(privileges).not.toContain('MANAGE');
    expect(privileges).not.toContain('ALL PRIVILEGES');
  });

  it('quote names so that none can end its quotes', () => {
    const statement = makeGrantStatement({ privileges: ['SELECT'], kind: 'TABLE', object: ['a', 'b', 'c`; DROP'] }, 'p`q');
    expect(statement).toBe('GRANT SELECT ON TABLE `a`.`b`.`c``; DROP` TO `p``q`;');
  });

  it('come with the line of the CLI for the warehouse, but not for external-direct', () => {
    const line = makeWarehouseGrant('abc', PRINCIPAL);
    expect(line).toBe(
      `databricks warehouses update-permissions abc --json '{"access_control_list":[{"service_principal_name":"${PRINCIPAL}","permission_level":"CAN_USE"}]}'`,
    );
    const request = { principal: PRINCIPAL, ...OBJECTS, warehouseId: 'abc' };
    expect(renderGrants({ mode: 'managed-sql', ...request })).toContain(line);
    expect(renderGrants({ mode: 'external-direct', ...request })).not.toContain('warehouse');
  });
});
