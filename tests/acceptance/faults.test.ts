import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { openLocalObjectStore } from '../../app/storage/local-object-store.ts';
import { planChanges, type Change } from '../../scripts/generator/changes.ts';
import { findDifference, NO_DIFFERENCE } from '../helpers/multiset-difference.ts';
import { playChanges } from '../helpers/play-changes.ts';
import { startServiceUnderTest, type ServiceUnderTest } from '../helpers/service-under-test.ts';
import { describeWith } from '../helpers/services/availability.ts';
import { findDeltaRs } from '../helpers/services/delta-rs.ts';
import { readTableContents } from '../helpers/table-contents.ts';
import type { AidboxLab } from '../lab/aidbox/lab.ts';
import { DEFAULT_SWITCHES, type LabFaults, type LabSwitches } from '../lab/aidbox/options.ts';
import { expectRows, type FlatView } from './oracle/flat-view.ts';
import { OBSERVATION_VALUES } from './oracle/observation.ts';
import { PATIENT_NAMES } from './oracle/patient.ts';

const CHANGES = 500;
const TIMEOUT_MS = 90_000;

interface Trouble {
  readonly faults?: Partial<LabFaults>;
  readonly switches?: Partial<LabSwitches>;
  /** Whether Aidbox still sends the versions of a resource one after the other. */
  readonly inOrder: boolean;
  /** Whether events must have come more than once. */
  readonly repeats?: boolean;
}

const TROUBLES: readonly (readonly [string, Trouble])[] = [
  ['loses our answers', { faults: { lost2xx: 0.4 }, inOrder: true, repeats: true }],
  ['breaks off in the middle of notifications', { faults: { cutBody: 0.4 }, inOrder: true }],
  ['posts notifications twice at once', { faults: { doubledPost: 0.6 }, inOrder: true, repeats: true }],
  [
    'posts notifications twice in a row',
    { faults: { doubledPost: 0.6, doubledConcurrently: false }, inOrder: true, repeats: true },
  ],
  ['cuts repeated notifications anew', { faults: { recut: true, lost2xx: 0.4 }, inOrder: false, repeats: true }],
  [
    'sends several notifications at once and out of order',
    { faults: { reorder: 0.6, parallelSends: 4, maxDelayMs: 30 }, inOrder: false },
  ],
  [
    'answers slowly, and deletions come without their resource',
    { faults: { slowAnswerMs: 100 }, switches: { deleteEntryHasResource: false }, inOrder: true },
  ],
  [
    'sends deletions as POST without their resource',
    { switches: { deleteEntryHasResource: false, deleteEntryRequest: 'POST' }, inOrder: true },
  ],
  [
    'sends deletions of the instance, without focuses',
    { switches: { deleteEntryHasResource: false, deleteEntryRequest: 'DELETE-id', notificationEvents: 'absent' }, inOrder: true },
  ],
  [
    'lists the focuses in reverse, without an id of the status',
    { switches: { notificationEvents: 'reversed', statusId: 'absent', eventNumber: 'always-1' }, inOrder: true },
  ],
  ['names another content type', { switches: { webhookContentType: 'application/fhir+json; charset=utf-8' }, inOrder: true }],
  [
    'does all of that',
    {
      faults: {
        lost2xx: 0.2,
        cutBody: 0.1,
        doubledPost: 0.3,
        reorder: 0.3,
        parallelSends: 3,
        recut: true,
        maxDelayMs: 10,
        slowAnswerMs: 10,
      },
      switches: { deleteEntryHasResource: false, eventNumber: 'per-destination' },
      inOrder: false,
      repeats: true,
    },
  ],
];

describeWith(await findDeltaRs(), 'when Aidbox', (deltaRs) => {
  let service: ServiceUnderTest;
  let lab: AidboxLab;
  let cases = 0;
  /** Views by the destinations of the test that runs. */
  let destinations: ReadonlyMap<string, FlatView>;

  const start = async (): Promise<void> => {
    service = await startServiceUnderTest({ lab: { retryIntervalMs: 20 } });
    lab = service.lab;
  };

  /** Destinations of its own for each test, and changes that no other test has. */
  async function createDestinations(): Promise<Change[]> {
    cases += 1;
    destinations = new Map([
      [`patients-${cases}`, PATIENT_NAMES],
      [`observations_${cases}`, OBSERVATION_VALUES],
    ]);
    for (const [id, { definition }] of destinations) {
      await service.createDestination({
        id,
        view: definition,
        table: service.localTable(id),
        batchSize: 60,
        sendIntervalMs: 100,
      });
    }
    return withPatientDeletions([...planChanges(1_000 + cases, CHANGES)]);
  }

  async function expectTables({ inOrder }: Pick<Trouble, 'inOrder'>): Promise<void> {
    await service.waitForDelivery([...destinations.keys()]);
    for (const [id, view] of destinations) {
      const location = service.localTable(id);
      const events = lab.events(id);
      expect(events.some(({ action }) => action === 'delete')).toBe(true);
      const rows = await deltaRs.readDeltaRows(location);
      expect({ id, ...findDifference(rows, expectRows(view, events)) }).toEqual({ id, ...NO_DIFFERENCE });
      if (inOrder) expect(await findVersionsOutOfOrder(location.tablePath)).toEqual([]);
      expect(await service.status(id)).toMatchObject({ messagesDelivered: expect.any(Number), messagesQuarantined: 0 });
    }
  }

  const removeDestinations = async (): Promise<void> => {
    lab.clearFaults();
    lab.setSwitches(DEFAULT_SWITCHES);
    for (const id of destinations.keys()) await service.api.call('DELETE', `/fhir/AidboxTopicDestination/${id}`);
  };

  describe('misbehaves', () => {
    beforeAll(start, 60_000);
    afterEach(removeDestinations, 30_000);
    afterAll(() => service.close(), 30_000);

    it.each(TROUBLES)(
      '%s, every version is in the table once',
      async (_what, { faults = {}, switches = {}, inOrder, repeats = false }) => {
        const changes = await createDestinations();
        lab.setSwitches(switches);
        lab.setFaults(faults);
        await playChanges(lab, changes);
        await expectTables({ inOrder });
        if (!repeats) return;
        const repeated = await Promise.all(
          [...destinations.keys()].map(async (id) => Number((await service.status(id))['messagesFoundInTable'])),
        );
        expect(repeated.reduce((total, count) => total + count, 0)).toBeGreaterThan(0);
      },
      TIMEOUT_MS,
    );

    it(
      'restarts several times in the middle, every version is in the table once',
      async () => {
        const changes = await createDestinations();
        for (let at = 0; at < changes.length; at += 100) {
          await playChanges(lab, changes.slice(at, at + 100));
          await lab.restart();
        }
        await expectTables({ inOrder: true });
      },
      TIMEOUT_MS,
    );

    it(
      'sets its clock back by an hour, every version is in the table once, also when all come again',
      async () => {
        const changes = await createDestinations();
        await playChanges(lab, changes.slice(0, CHANGES / 2));
        lab.setFaults({ clockOffsetMs: -3_600_000 });
        await playChanges(lab, changes.slice(CHANGES / 2));
        await expectTables({ inOrder: false });
        for (const id of destinations.keys()) lab.redeliver(id, 'all');
        await expectTables({ inOrder: false });
      },
      TIMEOUT_MS,
    );

    it(
      'gives resources of one transaction the same version and time, each is in the table',
      async () => {
        const changes = (await createDestinations()).filter(
          ({ interaction, method }) => interaction === 'create' && method === 'POST',
        );
        for (let at = 0; at < changes.length; at += 25) {
          const entry = changes.slice(at, at + 25).map(({ type, id, body }) => ({
            request: { method: 'PUT', url: `${type}/${id}` },
            resource: JSON.parse(body ?? '') as { [element: string]: string },
          }));
          const { status } = await lab.call('POST', '/fhir', { body: { resourceType: 'Bundle', type: 'transaction', entry } });
          expect(status).toBe(200);
        }
        const [observations = ''] = [...destinations.keys()].slice(-1);
        const versions = lab.events(observations).map(({ versionId }) => versionId);
        expect(new Set(versions).size).toBeLessThan(versions.length);
        for (const { path, id } of changes.slice(0, 40)) await lab.call('DELETE', `${path}/${id}`);
        await expectTables({ inOrder: true });
      },
      TIMEOUT_MS,
    );

    it(
      'tells of two deletions of one resource late and without it, each row has the content and the time of its own',
      async () => {
        await createDestinations();
        lab.setSwitches({ deleteEntryHasResource: false });
        lab.setFaults({ pauseSenders: true });
        await writeTwoLives(lab);
        lab.clearFaults();
        await expectTables({ inOrder: true });
      },
      TIMEOUT_MS,
    );
  });

  describe.each([
    ['and names the version of the deletion beside it', 'deletion'],
    ['and names that version', 'before'],
  ] as const)('sends deletions with the meta of the state before %s', (_name, deleteEntryVersion) => {
    beforeAll(start, 60_000);
    beforeEach(() => lab.setSwitches({ deleteEntryMeta: 'before', deleteEntryVersion }));
    afterEach(removeDestinations, 30_000);
    afterAll(() => service.close(), 30_000);

    it(
      'their rows have the time of the deletion',
      async () => {
        const changes = await createDestinations();
        for (const change of changes) {
          if (change.interaction === 'delete') await service.waitForDelivery([...destinations.keys()]);
          await playChanges(lab, [change]);
        }
        await expectTables({ inOrder: true });
      },
      TIMEOUT_MS,
    );

    it(
      'their rows have it also when write and deletion are in one batch',
      async () => {
        const changes = await createDestinations();
        lab.setFaults({ pauseSenders: true });
        await playChanges(lab, changes);
        lab.clearFaults();
        await expectTables({ inOrder: true });
      },
      TIMEOUT_MS,
    );

    it(
      'a resource that was deleted twice has two rows, each with the content and the time of its own',
      async () => {
        await createDestinations();
        await writeTwoLives(lab);
        await expectTables({ inOrder: true });
      },
      TIMEOUT_MS,
    );
  });
});

/** The generator deletes patients rarely: five of those that live go at the end. */
function withPatientDeletions(changes: readonly Change[]): Change[] {
  const newest = new Map(changes.filter(({ type }) => type === 'Patient').map((change) => [change.id, change]));
  const living = [...newest.values()].filter(({ interaction }) => interaction !== 'delete').slice(0, 5);
  const deletions = living.map(({ type, id }, at): Change => {
    const path = `/fhir/${type}/${id}`;
    return {
      index: changes.length + at,
      interaction: 'delete',
      method: 'DELETE',
      path,
      type,
      id,
      body: undefined,
      contentType: undefined,
    };
  });
  return [...changes, ...deletions];
}

/** A patient and an observation are made, deleted, made again otherwise, and deleted. */
async function writeTwoLives(lab: AidboxLab): Promise<void> {
  const patient = { resourceType: 'Patient', id: 'twice' };
  const observation = {
    resourceType: 'Observation',
    id: 'twice',
    status: 'final',
    code: { text: 'height' },
    subject: { reference: 'Patient/twice' },
  };
  for (const [family, value] of [['First', 1] as const, ['Second', 2] as const]) {
    await lab.call('PUT', '/fhir/Patient/twice', { body: { ...patient, name: [{ family }] } });
    await lab.call('PUT', '/fhir/Observation/twice', { body: { ...observation, valueQuantity: { value } } });
    await lab.call('DELETE', '/fhir/Patient/twice');
    await lab.call('DELETE', '/fhir/Observation/twice');
  }
}

/** Rows, in the order of the table's commits, with a version of a resource that comes after a later one (I5). */
async function findVersionsOutOfOrder(tablePath: string): Promise<string[]> {
  const { rows } = await readTableContents(await openLocalObjectStore(tablePath.replace('file://', ''), tablePath));
  const newest = new Map<unknown, number>();
  return rows.flatMap(({ id, version_id: version }) => {
    const before = newest.get(id) ?? 0;
    newest.set(id, Math.max(before, Number(version)));
    return Number(version) < before ? [`${String(id)}: ${Number(version)} after ${before}`] : [];
  });
}
