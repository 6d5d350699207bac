import { afterEach, expect, it } from '@jest/globals';
import { makeRandom } from '../../scripts/generator/random.ts';
import { systemClock, type Clock } from '../../app/lib/clock.ts';
import { startWatchedService, type WatchedService } from './bad-input/watched-service.ts';

const HOUR_MS = 3_600_000;
const ID = 'healthy';

let service: WatchedService | undefined;
afterEach(async () => {
  await service?.close();
  service = undefined;
}, 30_000);

/** Changes of ten Patients through Aidbox's public API: creates, updates and deletes, which come back to life. */
async function changePatients({ api }: WatchedService, changes: number, seed: number): Promise<void> {
  const random = makeRandom(seed);
  for (let n = 0; n < changes; n += 1) {
    const path = `/fhir/Patient/clock-${random.between(0, 9)}`;
    const isDelete = random.chance(0.2);
    const body = {
      resourceType: 'Patient',
      id: path.split('/').pop(),
      birthDate: '1980-01-01',
      name: [{ family: `Change ${n}` }],
    };
    await api.call(isDelete ? 'DELETE' : 'PUT', path, { ...(isDelete ? {} : { body }), expected: [200, 201, 204] });
  }
}

/** The rows are the events, each once, deletions by the version of the deletion. */
async function expectExactlyOnce(watched: WatchedService): Promise<void> {
  const expected = watched.lab.events(ID).map(({ id, versionId, action }) => `${id} ${versionId} ${action === 'delete' ? 1 : 0}`);
  const found = (await watched.rows(ID)).map(
    (row) => `${String(row['id'])} ${String(row['version_id'])} ${String(row['is_deleted'])}`,
  );
  expect(found.sort()).toEqual(expected.sort());
}

it.each([
  ['the service is an hour ahead, then an hour behind', [HOUR_MS, -HOUR_MS], [0, 0]],
  ['the service is an hour behind, then an hour ahead', [-HOUR_MS, HOUR_MS], [0, 0]],
  ['Aidbox is an hour ahead, then an hour behind', [0, 0], [HOUR_MS, -HOUR_MS]],
  ['Aidbox is an hour behind, then an hour ahead', [0, 0], [-HOUR_MS, HOUR_MS]],
])(
  'I3: when the clock of %s, every change is in the table exactly once',
  async (_what, serviceOffsets, aidboxOffsets) => {
    let offsetMs = serviceOffsets[0]!;
    const clock: Clock = { ...systemClock, now: () => systemClock.now() + offsetMs };
    service = await startWatchedService({
      parts: { clock },
      lab: {
        strictlyIncreasingTime: false,
        retryIntervalMs: 20,
        faults: { clockOffsetMs: aidboxOffsets[0]!, lost2xx: 0.3, doubledPost: 0.3 },
      },
    });
    await changePatients(service, 60, 1);

    await service.stopService(); // another replica goes on, with another clock
    offsetMs = serviceOffsets[1]!;
    service.lab.setFaults({ clockOffsetMs: aidboxOffsets[1]! });
    await service.startService();
    await changePatients(service, 60, 2);
    await service.waitForDelivery([ID]);
    await expectExactlyOnce(service);

    service.lab.redeliver(ID, 'all');
    await service.waitForDelivery([ID]);
    await expectExactlyOnce(service);
    const { queueStoreLosses } = (await service.status(ID)) as { queueStoreLosses: number };
    expect(queueStoreLosses).toBe(0);
  },
  90_000,
);
