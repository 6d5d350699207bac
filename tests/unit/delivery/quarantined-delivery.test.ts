import { describe, expect, it } from '@jest/globals';
import { gzipSync } from 'node:zlib';
import { reduceDeliveries } from '../../../app/delivery/quarantined-delivery.ts';
import { parseNotification } from '../../../app/fhir/notification.ts';
import { makeNotificationReducer } from '../../../app/fhir/reduce-notification.ts';

const FILLER = 'x'.repeat(100_000);
const patient = (id: string): object => ({ resource: { resourceType: 'Patient', id, text: FILLER } });
const bytes = (value: object): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const keep = (body: Uint8Array, ...places: readonly number[]) =>
  reduceDeliveries(
    places.map((place) => ({ place, body })),
    async (whole, wanted) => wanted.map(makeNotificationReducer(whole)),
  );
const status = (...references: string[]): object => ({
  resource: {
    resourceType: 'AidboxSubscriptionStatus',
    notificationEvent: references.map((reference) => ({ focus: { reference } })),
  },
});

describe('what quarantine keeps of a large notification', () => {
  it('is the one entry, which still has its place and the resource that the status entry gives to that place', async () => {
    const body = bytes({
      resourceType: 'Bundle',
      entry: [patient('a'), status('Patient/a', 'Patient/b', 'Patient/c'), { request: { method: 'DELETE' } }, patient('c')],
    });
    const [kept] = await keep(body, 1);
    expect(kept!.body.byteLength).toBeLessThan(1_000);
    const { events } = parseNotification(kept!.body);
    expect(events[kept!.place!]).toMatchObject({ kind: 'event', event: { action: 'delete', id: 'b' } });
    expect(events.filter(({ kind }) => kind === 'event')).toHaveLength(1);
  });

  it('is the same for each of its entries, resources named like a status entry included', async () => {
    const body = bytes({
      resourceType: 'Bundle',
      entry: [status(), { resource: { resourceType: 'MySubscriptionStatus', id: 's' } }, patient('a'), patient('b')],
    });
    const kept = await keep(body, 0, 1, 2);
    const ids = kept.map((each, place) => {
      const event = parseNotification(each.body).events[place];
      return event?.kind === 'event' ? event.event.id : undefined;
    });
    expect(ids).toEqual(['s', 'a', 'b']);
  });

  it.each([
    [
      'that is compressed',
      gzipSync(bytes({ resourceType: 'Bundle', entry: [{ x: Array.from({ length: 100_000 }, () => Math.random()) }] })),
    ],
    [
      'that is nested too deeply to be written anew',
      Buffer.from(`{"resourceType":"Bundle","entry":[{"x":${'['.repeat(100_000)}1${']'.repeat(100_000)}}]}`),
    ],
    ['that is small', bytes({ resourceType: 'Bundle', entry: [{}] })],
  ])('%s is all of it', async (_what, body) => {
    expect(await keep(body, 0)).toEqual([{ place: 0, body }]);
  });
});
