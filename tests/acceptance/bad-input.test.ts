import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { eventually } from '../helpers/eventually.ts';
import { countEvents, mutate, mutationsOf } from './bad-input/mutations.ts';
import { BAD_BODIES } from './bad-input/bodies.ts';
import { BAD_ENTRIES } from './bad-input/entries.ts';
import { aBundle, aNotification, anEntry, aPatient } from './bad-input/patients.ts';
import { startWatchedService, type Ends, type WatchedService } from './bad-input/watched-service.ts';

const MiB = 1024 * 1024;

let service: WatchedService;
let destination = '';
const destinations: string[] = [];

beforeAll(async () => {
  service = await startWatchedService();
}, 60_000);
afterAll(async () => {
  await service.close();
}, 30_000);

/** A destination that no former case left with work: what stops one is shown once. */
async function takeDestination(): Promise<string> {
  if (destination !== '' && (await service.waitingJobs(destination)) === 0) return destination;
  destination = `bad-${destinations.length}`;
  destinations.push(destination);
  await service.addDestination(destination);
  return destination;
}

function difference(after: Ends, before: Ends): Ends {
  return Object.fromEntries(
    Object.entries(after).map(([name, count]) => [name, count - before[name as keyof Ends]]),
  ) as unknown as Ends;
}

const sumOf = ({ committed, quarantined, noRow, duplicates }: Ends): number => committed + quarantined + noRow + duplicates;

describe('I2, I10: a notification that holds', () => {
  it.each([...BAD_BODIES, ...BAD_ENTRIES])(
    '$what ends as it should and stops nothing',
    async ({ body, headers, committed = 0, noRow = 0, duplicates = 0, quarantined = [] }) => {
      const id = await takeDestination();
      const before = await service.settled(id);
      const entriesBefore = await service.quarantine(id);

      const { status } = await service.webhookOf(id).post(body(), headers);
      expect(status).toBe(200);
      await service.expectHealthy();
      const ends = difference(await service.settled(id), before);

      const entries = (await service.quarantine(id)).slice(entriesBefore.length);
      expect(entries.map(({ code }) => code)).toEqual(quarantined.filter((code) => code !== 'again'));
      expect(entries.filter(({ reason }) => reason === '')).toEqual([]);
      expect(ends).toEqual({ accepted: sumOf(ends), committed, noRow, duplicates, quarantined: quarantined.length });
    },
  );

  it('any change of its members has every event end once', async () => {
    const seed = Date.now() % 2 ** 31;
    const original = aBundle(
      [anEntry('create', aPatient()), anEntry('update', aPatient()), anEntry('delete', aPatient())],
      ['Patient/p1', 'Patient/p2', 'Patient/p3'],
    );
    const property = fc.asyncProperty(mutationsOf(original), async (mutations) => {
      const notification = mutate(original, mutations);
      const id = await takeDestination();
      const before = await service.settled(id);
      const { status } = await service.webhookOf(id).post(notification === undefined ? '' : JSON.stringify(notification));
      expect(status).toBe(200);
      const ends = difference(await service.settled(id), before);
      expect(ends.accepted).toBe(countEvents(notification));
      expect(sumOf(ends)).toBe(ends.accepted);
    });
    await fc.assert(property, { seed, numRuns: 60, interruptAfterTimeLimit: 60_000, markInterruptAsFailure: false });
    await service.expectHealthy();
  }, 120_000);

  it('1,000 bad events among 1,000 good ones leaves the good ones in the table', async () => {
    const id = await takeDestination();
    const before = await service.settled(id);
    const filler = 'x'.repeat(5_000);
    const entries = Array.from({ length: 2_000 }, (_, n) =>
      anEntry('create', aPatient({ text: filler, ...(n % 2 === 0 ? {} : { birthDate: 'x' }) })),
    );
    await service.webhookOf(id).post(aNotification(...entries));
    await service.expectHealthy();
    expect(difference(await service.settled(id), before)).toEqual({
      accepted: 2_000,
      committed: 1_000,
      quarantined: 1_000,
      noRow: 0,
      duplicates: 0,
    });
  });
});

describe('I2, I9: a body that is too large', () => {
  const spool = (): Promise<string[]> => readdir(join(service.dir, 'spool'));

  it('of 50 MB is kept whole outside the queue and counted as one quarantined event', async () => {
    const id = await takeDestination();
    const before = await service.settled(id);
    const { status } = await service
      .webhookOf(id)
      .post(aNotification(anEntry('create', aPatient({ text: 'x'.repeat(50 * MiB) }))));
    expect(status).toBe(200);
    await service.expectHealthy();
    expect(difference(await service.settled(id), before)).toEqual({
      accepted: 1,
      committed: 0,
      quarantined: 1,
      noRow: 0,
      duplicates: 0,
    });
    expect((await service.quarantine(id)).at(-1)).toMatchObject({ code: 'NOTIFICATION_TOO_LARGE' });
    expect(await spool()).toHaveLength(1);
  });

  it('but whose sender goes away leaves nothing behind', async () => {
    const id = await takeDestination();
    const { url, bearerToken } = service.webhookOf(id);
    const before = await spool();
    const { hostname, port, pathname } = new URL(url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => undefined);
    socket.write(
      `POST ${pathname} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${bearerToken}\r\nContent-Length: ${100 * MiB}\r\n\r\n`,
    );
    await new Promise<void>((resolve) => void socket.write(Buffer.alloc(40 * MiB, 0x20), () => resolve()));
    await eventually(async () => expect((await spool()).length).toBe(before.length + 1));
    socket.destroy();
    await service.expectHealthy();
    await eventually(async () => expect(await spool()).toEqual(before), { timeoutMs: 3_000 });
  });

  it.each([
    [
      'once it is unpacked',
      () => gzipSync(aNotification(anEntry('create', aPatient({ text: 'x'.repeat(50 * MiB) }))), { level: 1 }),
    ],
    ['by the number of its entries', () => aNotification(...new Array<number>(100_000).fill(0))],
  ])('%s is one quarantined event, not many in memory', async (_what, body) => {
    const id = await takeDestination();
    const before = await service.settled(id);
    const { status } = await service.webhookOf(id).post(body());
    expect(status).toBe(200);
    await service.expectHealthy();
    expect(difference(await service.settled(id), before)).toEqual({
      accepted: 1,
      committed: 0,
      quarantined: 1,
      noRow: 0,
      duplicates: 0,
    });
    expect((await service.quarantine(id)).at(-1)).toMatchObject({ code: 'NOTIFICATION_TOO_LARGE' });
  });
});

describe('I2, I3: after all this', () => {
  it('the tables have a row with its id for each event that counts as committed, and for no other', async () => {
    for (const id of destinations) {
      const rows = await service.rows(id);
      const { committed, rows: counted } = await service.counters(id);
      expect(rows.filter((row) => typeof row['id'] !== 'string' || row['id'] === '')).toEqual([]);
      expect([rows.length, counted]).toEqual([committed, committed]);
    }
  });

  it('$status tells what became of every event', async () => {
    for (const id of destinations) {
      const { committed, noRow, duplicates } = await service.settled(id);
      const entries = await service.quarantine(id);
      expect(await service.status(id)).toMatchObject({
        messagesDelivered: committed + noRow + duplicates,
        messagesCommitted: committed,
        messagesWithoutRow: noRow,
        messagesFoundInTable: duplicates,
        messagesQuarantined: entries.length,
        messagesQueued: 0,
        queuedNotifications: 0,
      });
    }
  });

  it('no delivery loop has crashed', async () => {
    const crashes = (await service.logLines()).filter(({ event }) => event === 'owner.crashed');
    expect(crashes).toEqual([]);
  });
});
