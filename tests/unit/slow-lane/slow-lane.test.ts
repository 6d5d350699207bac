import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from '@jest/globals';
import { makeRowEncoder } from '../../../app/rows/row-encoder.ts';
import { tableColumnsForView } from '../../../app/rows/table-schema.ts';
import type { FlattenJob } from '../../../app/slow-lane/protocol.ts';
import { makeSlowLane, type SlowLane } from '../../../app/slow-lane/slow-lane.ts';
import { compileView } from '../../../app/view/compile-view.ts';
import { aView } from '../../helpers/views.ts';

/** Each name is compared with each other: 10,000 take some seconds, whatever the machine. */
const QUADRATIC = 'name.family.distinct().count()';
const CONTEXT = { eventKey: 'k', versionId: '1', action: 'create', receivedAtMs: 0, correlationId: undefined } as const;
const go = (): AbortSignal => new AbortController().signal;

const lanes: SlowLane[] = [];
afterEach(async () => {
  for (const lane of lanes.splice(0)) await lane.close();
});
function aLane(limitMs = 60_000): SlowLane {
  const lane = makeSlowLane(limitMs);
  lanes.push(lane);
  return lane;
}

function aJob(column: string, rest: object = {}): FlattenJob {
  const viewDefinition = aView({ column: [{ name: 'id', path: 'id' }] }, { ...rest });
  (viewDefinition as { select: object[] }).select.push({ column: [{ name: 'x', path: column }] });
  return { viewDefinition, createdAtUrl: undefined, columns: tableColumnsForView(compileView(viewDefinition)) };
}
const aPatient = (id: string, names: number): object => ({
  resourceType: 'Patient',
  id,
  meta: { lastUpdated: '2026-01-01T00:00:00Z' },
  name: Array.from({ length: names }, (_, index) => ({ family: `${id}-${index}` })),
});
function aBody(...resources: readonly object[]): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ resourceType: 'Bundle', entry: resources.map((resource) => ({ resource })) }));
}
const event = (place: number, lastUpdated?: string) => ({ kind: 'event', place, lastUpdated }) as const;

describe('the slow lane', () => {
  it('gives the rows that the same view and table give here, over several messages', async () => {
    const job = aJob('name.family.first()');
    const forEach = {
      ...job,
      viewDefinition: aView({
        column: [{ name: 'id', path: 'id' }],
        select: [{ forEach: 'name', column: [{ name: 'x', path: 'family.lower() | family', collection: true }] }],
      }),
    };
    const view = compileView(forEach.viewDefinition);
    const columns = tableColumnsForView(view);
    const resource = aPatient('P', 15_000);
    const open = await aLane().open({ ...forEach, columns }, aBody(aPatient('other', 1), resource), false, go());
    const rows = await open.flatten(event(1), CONTEXT);
    expect(rows).toHaveLength(15_000);
    expect(rows).toEqual(makeRowEncoder(view, columns).encode(view.evaluate(resource as never), CONTEXT));
  });

  it('says of events what it read, with stubs for the resources', async () => {
    const open = await aLane().open(aJob('gender'), aBody(aPatient('a', 3)), false, go());
    expect(open.notification.events).toMatchObject([
      { kind: 'event', event: { id: 'a', lastUpdated: '2026-01-01T00:00:00Z', resource: { resourceType: 'Patient', id: 'a' } } },
    ]);
    const [entry] = open.notification.events;
    expect(entry?.kind === 'event' && Object.keys(entry.event.resource ?? {})).toEqual(['resourceType', 'id', 'meta']);
  });

  it('puts another time into a deletion, and flattens content that came from elsewhere', async () => {
    const open = await aLane().open(aJob('meta.lastUpdated'), aBody(aPatient('a', 1)), false, go());
    const text = JSON.stringify({ resourceType: 'Patient', id: 'b', meta: { lastUpdated: '2026-03-03T00:00:00Z' } });
    expect([
      await open.flatten(event(0), CONTEXT),
      await open.flatten(event(0, '2026-02-02T00:00:00Z'), CONTEXT),
      await open.flatten({ kind: 'text', json: text }, CONTEXT),
    ]).toMatchObject(
      ['2026-01-01', '2026-02-02', '2026-03-03'].map((day, n) => [['ab'[n >> 1], BigInt(Date.parse(day)) * 1000n, 0]]),
    );
  });

  it('ends a resource that takes too long with an error that says so, and goes on with the next one', async () => {
    const open = await aLane(1_000).open(aJob(QUADRATIC), aBody(aPatient('bad', 9_999), aPatient('good', 3)), false, go());
    await expect(open.flatten(event(0), CONTEXT)).rejects.toMatchObject({
      code: 'VIEW_EVALUATION_FAILED',
      message: 'view test_view: one resource took more than 1000 ms (FLATTEN_TIMEOUT_MS)',
    });
    expect(await open.flatten(event(1), CONTEXT)).toMatchObject([['good', 3, 0]]);
  });

  it('serves one notification while a resource of another is worked at', async () => {
    const lane = aLane();
    const stop = new AbortController();
    const bad = await lane.open(aJob(QUADRATIC), aBody(aPatient('bad', 9_999)), false, stop.signal);
    let isOver = false;
    const slow = bad.flatten(event(0), CONTEXT).then(
      () => (isOver = true),
      (error: unknown) => error,
    );
    const good = await lane.open(aJob('gender'), aBody(aPatient('good', 1)), false, go());
    expect(await good.flatten(event(0), CONTEXT)).toMatchObject([['good', null, 0]]);
    expect(isOver).toBe(false);
    stop.abort();
    expect(await slow).toMatchObject({ code: 'LEASE_LOST' });
  });

  it('lets each have a thread in turn when there are more than it may start', async () => {
    const lane = aLane();
    const ids = Array.from({ length: 12 }, (_, n) => `p${n}`);
    const rows = await Promise.all(
      ids.map(async (id) => (await lane.open(aJob('gender'), aBody(aPatient(id, 1)), false, go())).flatten(event(0), CONTEXT)),
    );
    expect(rows.map(([row]) => row?.[0])).toEqual(ids);
  });

  it('refuses what is no notification, as it is refused here', async () => {
    const lane = aLane();
    const read = (body: Uint8Array) => lane.open(aJob('gender'), body, false, go());
    await expect(read(Buffer.from('[]'))).rejects.toMatchObject({ code: 'NOTIFICATION_INVALID' });
    await expect(read(gzipSync(Buffer.alloc(40 << 20)))).rejects.toMatchObject({ code: 'NOTIFICATION_TOO_LARGE' });
  });

  it('cuts a notification down to single entries; what cannot be written anew is left out', async () => {
    const lane = aLane();
    const [first, second] = await lane.reduce(aBody(aPatient('a', 1), aPatient('b', 1)), [1, 0], go());
    expect([first, second].map((part) => Buffer.from(part ?? []).includes('b-0'))).toEqual([true, false]);
    const deep = Buffer.from(`{"resourceType":"Bundle","entry":[{"x":${'['.repeat(200_000)}${']'.repeat(200_000)}}]}`);
    expect(await lane.reduce(deep, [0], go())).toEqual([undefined]);
  });
});
