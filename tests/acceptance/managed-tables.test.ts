import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { compileView } from '../../app/view/compile-view.ts';
import { describeType, tableColumnsForView } from '../../app/rows/table-schema.ts';
import { planChanges } from '../../scripts/generator/changes.ts';
import { eventually } from '../helpers/eventually.ts';
import { findDifference, NO_DIFFERENCE } from '../helpers/multiset-difference.ts';
import { playChanges } from '../helpers/play-changes.ts';
import { startServiceUnderTest, type ServiceUnderTest } from '../helpers/service-under-test.ts';
import { describeWith } from '../helpers/services/availability.ts';
import { findDeltaRs } from '../helpers/services/delta-rs.ts';
import {
  MANAGED_MODES,
  PRINCIPAL,
  startWorkspace,
  type ManagedMode,
  type WorkspaceUnderTest,
} from '../helpers/workspace-under-test.ts';
import type { JournalEntry, Service } from '../lab/databricks/journal.ts';
import type { ColumnText } from '../lab/databricks/registry/table.ts';
import { expectRows, type FlatView } from './oracle/flat-view.ts';
import { OBSERVATION_VALUES } from './oracle/observation.ts';
import { PATIENT_NAMES } from './oracle/patient.ts';

const CHANGES = 400;
/** Both delete patients and observations. */
const SEEDS = { 'managed-zerobus': 5, 'managed-sql': 11 };
const TIMEOUT_MS = 60_000;

describeWith(await findDeltaRs(), 'a managed table', (deltaRs) => {
  let workspace: WorkspaceUnderTest;
  let service: ServiceUnderTest;
  beforeAll(async () => {
    workspace = await startWorkspace();
    service = await startServiceUnderTest({ env: { ...workspace.env, VIEW_REFRESH_MS: '200', LEASE_MS: '20000' } });
  }, TIMEOUT_MS);
  afterAll(async () => {
    await service.close();
    await workspace.close();
  }, TIMEOUT_MS);

  /** The table as `npm run view -- ddl` would make it. */
  function columnsOf({ definition }: FlatView, ...more: ColumnText[]): ColumnText[] {
    const columns = tableColumnsForView(compileView({ resourceType: 'ViewDefinition', status: 'active', ...definition }));
    return [...columns.map(({ name, type }): ColumnText => [name, describeType(type)]), ...more];
  }

  async function createDestination(mode: ManagedMode, id: string, view: FlatView, more: ColumnText[] = []): Promise<string> {
    const tableName = workspace.createTable(id.replaceAll('-', '_'), columnsOf(view, ...more));
    await service.createDestination({
      id,
      view: view.definition,
      parameters: workspace.parameters(mode, tableName),
      batchSize: 60,
      sendIntervalMs: 50,
    });
    return tableName;
  }

  const callsSince = (mark: number, service: Service): readonly JournalEntry[] =>
    workspace.lab.journal.entries({ after: mark, service });
  const statementsSince = (count: number): readonly string[] =>
    workspace.lab.warehouse.statements.slice(count).map(({ text }) => text);

  describe.each(MANAGED_MODES)('by %s', (mode) => {
    const destinations = new Map<string, FlatView>([
      [`patients-${mode}`, PATIENT_NAMES],
      [`observations-${mode}`, OBSERVATION_VALUES],
    ]);
    const tables = new Map<string, string>();

    it(
      'holds each create, update and deletion as delta-rs reads it, at the price that the documents name (S0.19 to S0.21, S0.31, S0.32)',
      async () => {
        const mark = workspace.lab.journal.mark;
        const statements = workspace.lab.warehouse.statements.length;
        for (const [id, view] of destinations) tables.set(id, await createDestination(mode, id, view));
        await playChanges(service.lab, [...planChanges(SEEDS[mode], CHANGES)]);
        await service.waitForDelivery([...destinations.keys()]);
        for (const [id, view] of destinations) {
          const events = service.lab.events(id);
          expect(events.some(({ action }) => action === 'delete')).toBe(true);
          const rows = await deltaRs.readDeltaRows(await workspace.filesOf(tables.get(id)!));
          expect({ id, ...findDifference(rows, expectRows(view, events)) }).toEqual({ id, ...NO_DIFFERENCE });
          expect(await service.status(id)).toMatchObject({ state: 'running', messagesQuarantined: 0, rowsSentAgain: 0 });
        }

        expect(callsSince(mark, 'unity')).toEqual([]);
        const run = statementsSince(statements);
        const isBootstrap = (text: string): boolean => text.includes('information_schema');
        expect(run.filter(isBootstrap)).toHaveLength(destinations.size);
        const writes = run.filter((text) => !isBootstrap(text));
        if (mode === 'managed-zerobus') {
          expect(writes).toEqual([]);
          expect(callsSince(mark, 'zerobus').every(({ status, rows = 0 }) => status === 200 && rows > 0 && rows <= 60)).toBe(
            true,
          );
        } else {
          expect(callsSince(mark, 'zerobus')).toEqual([]);
          for (const text of writes)
            expect(text).toMatch(/^INSERT INTO `main`\.`fhir`\.`\w+` \(`id`, .*`is_deleted`\) VALUES \(/);
        }
        expect(callsSince(mark, 'token').length).toBeLessThanOrEqual(mode === 'managed-zerobus' ? 3 : 1);
      },
      TIMEOUT_MS,
    );

    it(
      'gets a column that its view gains while changes come, and keeps one that the view loses (S0.96, S0.98)',
      async () => {
        const id = `following-${mode}`;
        const tableName = await createDestination(mode, id, PATIENT_NAMES);
        tables.set(id, tableName);
        await createPatient(`${mode}-before`);
        await service.waitForDelivery([id]);

        const { definition } = PATIENT_NAMES;
        const [first, ...others] = definition['select'] as { column?: { name: string }[] }[];
        const gained = [
          { column: [{ name: 'language', path: 'language', type: 'code' }] },
          ...(definition['select'] as object[]),
        ];
        const statements = workspace.lab.warehouse.statements.length;
        await putView(definition, gained);
        await eventually(() =>
          expect(statementsSince(statements)).toContainEqual(expect.stringContaining('ADD COLUMNS (`language` STRING)')),
        );
        await createPatient(`${mode}-with`, { language: 'de' });
        await service.waitForDelivery([id]);

        const lost = first!.column!.at(-1)!.name;
        await putView(definition, [{ ...first!, column: first!.column!.slice(0, -1) }, ...others]);
        await eventually(async () => {
          expect(await service.status(id)).toMatchObject({
            warning: expect.stringMatching(new RegExp(`does not yield: .*\\b${lost}\\b`)),
          });
        });
        await createPatient(`${mode}-without`);
        await service.waitForDelivery([id]);

        const rows = await deltaRs.readDeltaRows(await workspace.filesOf(tableName));
        const named = (patient: string) => rows.filter((row) => row['id'] === patient);
        expect(named(`${mode}-before`)).toMatchObject([{ language: null }]);
        expect(named(`${mode}-with`)).toMatchObject([{ language: 'de' }]);
        expect(named(`${mode}-without`)).toMatchObject([{ language: null, [lost]: null }]);
        expect(statementsSince(statements).filter((text) => /DROP|RENAME/i.test(text))).toEqual([]);
        await putView(definition, definition['select'] as object[]);
      },
      TIMEOUT_MS,
    );

    it(
      'stays as it is when its destination is deleted (S0.106)',
      async () => {
        for (const [id, tableName] of tables) {
          const files = await workspace.filesOf(tableName);
          const rows = await deltaRs.readDeltaRows(files);
          await service.api.call('DELETE', `/fhir/AidboxTopicDestination/${id}`);
          await service.api.call('GET', `/fhir/AidboxTopicDestination/${id}`, { expected: [404, 410] });
          expect(await deltaRs.readDeltaRows(files)).toHaveLength(rows.length);
        }
      },
      TIMEOUT_MS,
    );
  });

  it('needs neither CREATE SCHEMA nor MANAGE nor any right on storage (S0.38)', () => {
    const { grants } = workspace.lab.registry;
    for (const privilege of ['CREATE SCHEMA', 'MANAGE', 'CREATE TABLE'] as const) {
      expect(grants.has(PRINCIPAL.clientId, 'SCHEMA', 'main.fhir', privilege)).toBe(false);
      expect(grants.has(PRINCIPAL.clientId, 'CATALOG', 'main', privilege)).toBe(false);
    }
  });

  async function createPatient(id: string, more: object = {}): Promise<void> {
    const body = {
      resourceType: 'Patient',
      id,
      name: [{ use: 'official', family: 'F', given: ['G'] }],
      birthDate: '1990-01-15',
      ...more,
    };
    await service.api.call('PUT', `/fhir/Patient/${id}`, { body });
  }

  async function putView(definition: FlatView['definition'], select: readonly object[]): Promise<void> {
    await service.api.call('PUT', `/fhir/ViewDefinition/${definition.name}`, {
      body: { resourceType: 'ViewDefinition', status: 'active', id: definition.name, ...definition, select },
    });
  }
});
