import { afterEach, describe, expect, it } from '@jest/globals';
import { decodeQuarantined } from '../../app/delivery/quarantined-delivery.ts';
import { makeSlowLane, type SlowLane } from '../../app/slow-lane/slow-lane.ts';
import { eventually } from '../helpers/eventually.ts';
import { startLaneDestination, type LaneDestination } from '../helpers/lane-destination.ts';

type Patient = Readonly<Record<string, unknown>> & { readonly id: string };

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function aLane(limitMs: number): SlowLane {
  const lane = makeSlowLane(limitMs);
  closers.push(() => lane.close());
  return lane;
}
async function aDestination(id: string, lane: SlowLane, select: object): Promise<LaneDestination> {
  const view = { resourceType: 'ViewDefinition', name: id, status: 'active', resource: 'Patient' };
  const destination = await startLaneDestination(
    id,
    { ...view, select: [{ column: [{ name: 'id', path: 'id' }] }, select] },
    lane,
  );
  closers.push(() => destination.stop());
  return destination;
}
function aPatient(id: string, names = 1, rest: object = {}): Patient {
  const name = Array.from({ length: names }, (_, n) => ({ use: 'official', family: `Family${n}`, given: [`Given${n}`] }));
  return { resourceType: 'Patient', id, name, ...rest };
}
/** Sends one patient with so many levels of extensions, which JSON.stringify cannot write. */
function sendNested(destination: LaneDestination, id: string, levels: number): Promise<void> {
  const extension = `${'{"url":"urn:x","extension":['.repeat(levels)}{"url":"urn:x"}${']}'.repeat(levels)}`;
  const body = `{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Patient","id":"${id}","meta":{"versionId":"1"},"extension":[${extension}]}}]}`;
  return destination.sendBody(new TextEncoder().encode(body));
}

const names = { forEach: 'name', column: [{ name: 'family', path: 'family' }] };
const fallback = { forEach: 'name', column: [{ name: 'family', path: "family.replace('Family', 'F')" }] };
/** Compares 4,999 names with each other 4,999 times: an hour. */
const ENDLESS = 'name.select(%resource.name.family.distinct().count()).count()';
const column = (path: string): object => ({ column: [{ name: 'x', path }] });

describe('a hostile resource', () => {
  it.each<[string, object, Patient, number | string]>([
    ['of 5 MB, 100,000 rows', names, aPatient('big', 99_999), 99_999],
    ['of 5 MB, 100,000 rows by fhirpath.js', fallback, aPatient('big', 99_999), 99_999],
    [
      'of 5 MB, 100,000 rows by fhirpath.js, which break an assumption',
      fallback,
      { ...aPatient('big', 99_998), gender: ['x'] },
      99_998,
    ],
    ['with one row too many', names, aPatient('big', 100_001), 'VIEW_EVALUATION_FAILED'],
    [
      'small, with rows that multiply',
      { select: [names, { forEach: 'name', column: [{ name: 'g', path: 'given.first()' }] }] },
      aPatient('product', 300),
      90_000,
    ],
    ['whose items are all compared with each other', column('name.family.distinct().count()'), aPatient('pairs', 2_000), 1],
    [
      'with more of these than anybody can wait for',
      column('name.family.distinct().count()'),
      aPatient('pairs', 10_001),
      'VIEW_EVALUATION_FAILED',
    ],
    [
      'made for a regular expression to run for hours',
      column("name.first().family.matches('^a*b$')"),
      { ...aPatient('a'), name: [{ family: 'a'.repeat(9_999) }] },
      1,
    ],
  ])(
    '%s: rows or a named error, and the next event is written',
    async (title, select, resource, expected) => {
      const destination = await aDestination('d', aLane(60_000), select);
      const beganAtMs = performance.now();
      await destination.send(resource);
      await destination.send(aPatient('next'));
      await eventually(() => expect(destination.queue.jobs).toHaveLength(0), { timeoutMs: 60_000 });
      process.stdout.write(`  ${title}: ${Math.round(performance.now() - beganAtMs)} ms, start of a thread included\n`);
      const rows = await destination.rows();
      expect(rows.filter(({ id }) => id === 'next')).toHaveLength(1);
      expect(rows.filter(({ id }) => id === resource.id)).toHaveLength(typeof expected === 'number' ? expected : 0);
      expect([...destination.queue.quarantine.values()].map(({ code }) => code)).toEqual(
        typeof expected === 'number' ? [] : [expected],
      );
    },
    90_000,
  );

  it.each([1_000, 10_000, 100_000])(
    'with %i levels gives its row, and the next event is written',
    async (levels) => {
      const destination = await aDestination('d', aLane(60_000), column("extension.extension('urn:x').url"));
      const beganAtMs = performance.now();
      await sendNested(destination, 'deep', levels);
      await destination.send(aPatient('next'));
      await eventually(() => expect(destination.queue.jobs).toHaveLength(0), { timeoutMs: 60_000 });
      process.stdout.write(`  with ${levels} levels: ${Math.round(performance.now() - beganAtMs)} ms\n`);
      expect((await destination.rows()).map(({ id, x }) => [id, x])).toEqual([
        ['deep', 'urn:x'],
        ['next', null],
      ]);
    },
    90_000,
  );

  it('keeps no event of another destination waiting, and its own destination in order', async () => {
    const lane = aLane(10_000);
    const hostile = await aDestination('hostile', lane, column(ENDLESS));
    const other = await aDestination('other', lane, names);
    await hostile.send(aPatient('before'), aPatient('never', 4_999), aPatient('after'));
    await hostile.send(aPatient('last'));
    const ids = Array.from({ length: 50 }, (_, n) => `p${n}`);
    for (const id of ids) {
      await other.send(aPatient(id));
      await eventually(() => expect(other.queue.jobs).toHaveLength(0));
    }
    expect(hostile.queue.jobs).toHaveLength(2); // all went through, one after the other, while this one was worked at
    expect((await other.rows()).map(({ id }) => id)).toEqual(ids);
    await eventually(() => expect(hostile.queue.jobs).toHaveLength(0), { timeoutMs: 30_000 });
    expect((await hostile.rows()).map(({ id }) => id)).toEqual(['before', 'after', 'last']);
    expect([...hostile.queue.quarantine.values()]).toMatchObject([
      { code: 'VIEW_EVALUATION_FAILED', reason: 'view hostile: one resource took more than 10000 ms (FLATTEN_TIMEOUT_MS)' },
    ]);
  }, 60_000);

  it('of 5 MB is in quarantine as it came, and without its neighbours', async () => {
    const destination = await aDestination('d', aLane(60_000), column('name.family')); // several values for one column
    const bad = aPatient('bad', 70_000);
    await destination.send(aPatient('x', 20_000), bad);
    await eventually(() => expect(destination.queue.jobs).toHaveLength(0), { timeoutMs: 30_000 });
    const kept = [...destination.queue.quarantine.values()].map(({ event }) => decodeQuarantined(event));
    expect(kept.map(({ place }) => place)).toEqual([0, 1]);
    const bundles = kept.map(
      ({ body }) => JSON.parse(new TextDecoder().decode(body)) as { entry: ({ resource: Patient } | null)[] },
    );
    expect(bundles.map(({ entry }) => entry.map((each) => each?.resource.id))).toEqual([
      ['x', undefined],
      [undefined, 'bad'],
    ]);
    expect(bundles[1]?.entry[1]?.resource['name']).toEqual(bad['name']);
  }, 60_000);

  it('that is worked at does not hold up a stop, and is delivered by the next owner', async () => {
    const lane = aLane(600_000);
    const destination = await aDestination('d', lane, column(ENDLESS));
    await destination.send(aPatient('slow', 4_999));
    await eventually(() => expect(destination.queue.jobs).toHaveLength(1));
    await destination.stop();
    expect([destination.queue.jobs.length, destination.queue.quarantine.size]).toEqual([1, 0]);
  }, 30_000);
});
