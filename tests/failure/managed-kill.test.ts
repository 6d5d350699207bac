import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { seededRandom } from '../helpers/seeded-random.ts';
import { startServiceUnderTest, type ServiceUnderTest } from '../helpers/service-under-test.ts';
import { describeWith } from '../helpers/services/availability.ts';
import { findDeltaRs } from '../helpers/services/delta-rs.ts';
import { startWorkspace, type ManagedMode, type WorkspaceUnderTest } from '../helpers/workspace-under-test.ts';
import type { ColumnText } from '../lab/databricks/registry/table.ts';

/** Patients for each mode; and kills while they are written. `npm run test:endurance` sets ten times as much. */
const PATIENTS = Number(process.env['KILL_EVENTS'] ?? 5_000) / 10;
const KILLS = 2 + Number(process.env['KILL_HITS'] ?? 1);
const SEED = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
const BATCH_SIZE = 20;
const TIMEOUT_MS = 600_000;

const VIEW = {
  name: 'patient_killed',
  resource: 'Patient',
  select: [{ column: [{ name: 'id', path: 'getResourceKey()', type: 'id' }] }],
};
const PLAIN: readonly ColumnText[] = [
  ['id', 'STRING'],
  ['is_deleted', 'INT'],
];
const WITH_EVENT_ID: readonly ColumnText[] = [...PLAIN, ['_event_id', 'STRING'], ['_row_no', 'INT']];

describeWith(await findDeltaRs(), `a service that writes to managed tables and is killed (SEED=${SEED})`, (deltaRs) => {
  let workspace: WorkspaceUnderTest;
  let service: ServiceUnderTest;
  beforeAll(async () => {
    workspace = await startWorkspace({ switches: { zerobusLatencyMs: 20 } });
    service = await startServiceUnderTest({ runAs: 'process', env: { ...workspace.env, LEASE_MS: '1000' } });
  }, TIMEOUT_MS);
  afterAll(async () => {
    await service.close();
    await workspace.close();
  }, TIMEOUT_MS);

  it.each<[string, ManagedMode, readonly ColumnText[], 'some' | 'none']>([
    ['by Zerobus', 'managed-zerobus', PLAIN, 'some'],
    ['by statements', 'managed-sql', PLAIN, 'some'],
    ['by statements, with _event_id in the table', 'managed-sql', WITH_EVENT_ID, 'none'],
  ])(
    'loses no event %s, and doubles at most what was on the way',
    async (what, mode, columns, doubles) => {
      const random = seededRandom(SEED);
      const id = `killed-${what.replaceAll(/\W+/g, '-')}`;
      const tableName = workspace.createTable(id.replaceAll('-', '_'), columns);
      await service.createDestination({
        id,
        view: VIEW,
        parameters: workspace.parameters(mode, tableName),
        batchSize: BATCH_SIZE,
        sendIntervalMs: 20,
      });
      const ids = Array.from({ length: PATIENTS }, (_, index) => `${id}-${index}`);
      const killAt = new Set(
        Array.from({ length: KILLS }, (_, kill) => Math.floor(((kill + 0.2 + 0.6 * random()) * PATIENTS) / KILLS)),
      );
      for (const [index, patient] of ids.entries()) {
        const { status } = await service.lab.call('PUT', `/fhir/Patient/${patient}`, {
          body: { resourceType: 'Patient', id: patient },
        });
        expect(status).toBeLessThan(300);
        if (!killAt.has(index)) continue;
        await pause(20 + 200 * random()); // batches are on the way
        if (random() < 0.5)
          workspace.lab.faults.add({
            service: mode === 'managed-sql' ? 'warehouse' : 'zerobus',
            cut: 'after',
            ...(mode === 'managed-sql' ? { path: 'ExecuteStatement' } : {}),
          });
        await service.killService();
        await service.startService();
      }
      await service.waitForDelivery([id], TIMEOUT_MS);

      const counts = new Map<string, number>();
      for (const row of await deltaRs.readDeltaRows(await workspace.filesOf(tableName))) {
        const patient = row['id'] as string;
        counts.set(patient, (counts.get(patient) ?? 0) + 1);
      }
      const lost = ids.filter((patient) => !counts.has(patient));
      const doubled = [...counts.values()].filter((count) => count > 1).length;
      const { rowsSentAgain } = await service.status(id);
      process.stderr.write(
        `kill -9 ${what}, SEED=${SEED}: ${PATIENTS} events, ${killAt.size} kills, ${lost.length} lost, ${doubled} doubled, ${String(rowsSentAgain)} rows sent again after a lost answer\n`,
      );
      expect(lost).toEqual([]);
      expect(counts.size).toBe(PATIENTS);
      // Each kill and each lost answer can double what one write had on the way.
      const most = doubles === 'none' ? 0 : 2 * killAt.size * (mode === 'managed-zerobus' ? 16 : 1) * BATCH_SIZE;
      expect(doubled).toBeLessThanOrEqual(most);
      await service.api.call('DELETE', `/fhir/AidboxTopicDestination/${id}`); // it would take the changes of the next test too
    },
    TIMEOUT_MS,
  );

  it(
    'has, when only an answer is lost, doubles within that one batch, and none with _event_id',
    async () => {
      for (const [name, mode, columns] of [
        ['lost_zerobus', 'managed-zerobus', PLAIN],
        ['lost_sql', 'managed-sql', PLAIN],
        ['lost_sql_keyed', 'managed-sql', WITH_EVENT_ID],
      ] as const) {
        const tableName = workspace.createTable(name, columns);
        await service.createDestination({
          id: name.replaceAll('_', '-'),
          view: VIEW,
          parameters: workspace.parameters(mode, tableName),
          batchSize: 10,
          sendIntervalMs: 300,
        });
        const write = async (from: number, count: number): Promise<void> => {
          for (let index = from; index < from + count; index++) {
            const patient = `${name.replaceAll('_', '-')}-${index}`;
            await service.lab.call('PUT', `/fhir/Patient/${patient}`, { body: { resourceType: 'Patient', id: patient } });
          }
          await service.waitForDelivery([name.replaceAll('_', '-')]);
        };
        await write(0, 7);
        if (mode === 'managed-zerobus') workspace.lab.faults.add({ service: 'zerobus', cut: 'after' });
        else workspace.lab.faults.add({ service: 'warehouse', path: 'ExecuteStatement', cut: 'after' });
        await write(7, 5);
        workspace.lab.faults.clear();
        await write(12, 7);
        const ids = (await deltaRs.readDeltaRows(await workspace.filesOf(tableName))).map((row) => row['id'] as string);
        const doubled = [...new Set(ids)].filter((id) => ids.filter((other) => other === id).length > 1);
        const numbers = doubled.map((id) => Number(id.split('-').at(-1)));
        expect({ name, distinct: new Set(ids).size }).toEqual({ name, distinct: 19 });
        if (columns === WITH_EVENT_ID) expect(doubled).toEqual([]);
        else {
          expect(numbers.length).toBeGreaterThan(0);
          expect(numbers.every((number) => number >= 7 && number < 12)).toBe(true);
        }
        expect(Number((await service.status(name.replaceAll('_', '-')))['rowsSentAgain'])).toBeGreaterThanOrEqual(
          columns === WITH_EVENT_ID ? 0 : numbers.length,
        );
        await service.api.call('DELETE', `/fhir/AidboxTopicDestination/${name.replaceAll('_', '-')}`);
      }
    },
    TIMEOUT_MS,
  );
});
