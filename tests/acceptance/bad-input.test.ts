import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ERRORS } from '../../app/errors/catalogue.ts';
import { NOTIFICATIONS } from './bad-input/notifications.ts';
import { startWatchedService, type WatchedService } from './bad-input/watched-service.ts';

let service: WatchedService;

beforeAll(async () => {
  service = await startWatchedService();
}, 60_000);
afterAll(async () => {
  await service.close();
}, 30_000);

describe('I2, I10: a notification that holds', () => {
  let destination = '';
  let destinations = 0;

  /** A destination that a former case did not leave with work: what stops it is shown once. */
  async function takeDestination(): Promise<string> {
    if (destination !== '' && (await service.waitingJobs(destination)) === 0) return destination;
    destination = `bad-${(destinations += 1)}`;
    await service.addDestination(destination);
    return destination;
  }

  it.each(NOTIFICATIONS)(
    '$what ends as it should and stops nothing',
    async ({ body, headers, committed = 0, noRow = 0, duplicates = 0, quarantined = [] }) => {
      const id = await takeDestination();
      const before = await service.settled(id);
      const entriesBefore = await service.quarantine(id);

      const { status } = await service.webhookOf(id).post(body(), headers);
      expect(status).toBe(200);
      await service.expectHealthy();
      const after = await service.settled(id);

      const codes = (await service.quarantine(id)).slice(entriesBefore.length).map(({ code }) => code);
      expect(codes).toEqual(quarantined.filter((code) => code !== 'again'));
      expect({
        committed: after.committed - before.committed,
        noRow: after.noRow - before.noRow,
        duplicates: after.duplicates - before.duplicates,
        quarantined: after.quarantined - before.quarantined,
      }).toEqual({ committed, noRow, duplicates, quarantined: quarantined.length });
      expect(after.accepted - before.accepted).toBe(committed + noRow + duplicates + quarantined.length);
    },
  );

  it('has a row with its id for each event that counts as committed', async () => {
    for (let n = 1; n <= destinations; n += 1) {
      const rows = await service.rows(`bad-${n}`);
      const { committed } = await service.counters(`bad-${n}`);
      expect(rows.filter(({ id }) => typeof id !== 'string' || id === '')).toEqual([]);
      expect(rows.length).toBe(committed);
    }
  });

  it('was never the end of a delivery loop', async () => {
    const crashes = (await service.logLines()).filter(({ event }) => event === 'owner.crashed');
    expect(crashes).toEqual([]);
  });
});
void ERRORS;
