import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../helpers/eventually.ts';
import { startAidboxLab, type AidboxLab } from '../../lab/aidbox/lab.ts';
import type { LabOptions } from '../../lab/aidbox/options.ts';
import { startRecorder, type Recorder, type RecorderAnswer } from '../../lab/aidbox/recorder.ts';
import { objectsOf, type Json, type JsonObject } from '../../lab/aidbox/resource.ts';

/** Topics, destinations and notifications of the stand-in; `§` are sections of the contract page. */

const PROFILE = 'http://health-samurai.io/fhir/core/StructureDefinition/aidboxtopicdestination-webhookAtLeastOnceProfile';
const TOPIC = { resourceType: 'AidboxSubscriptionTopic', id: 't', url: 'http://acme.test/t', status: 'active' };
const TRIGGER = { resource: 'Patient', supportedInteraction: ['create', 'update', 'delete'] };

let lab: AidboxLab;
let hook: Recorder;
let answer: (index: number) => RecorderAnswer | 'hang';

beforeEach(async () => {
  answer = () => ({ status: 204 });
  hook = await startRecorder((_request, index) => answer(index));
  await restartWith({});
});
afterEach(async () => {
  await lab.close();
  await hook.close();
});

async function restartWith(options: LabOptions): Promise<void> {
  await (lab as AidboxLab | undefined)?.close();
  lab = await startAidboxLab({ retryIntervalMs: 5, baseUrl: 'http://aidbox.test', ...options });
}

function destination(more: JsonObject = {}, parameters: JsonObject[] = []): JsonObject {
  return {
    resourceType: 'AidboxTopicDestination',
    id: 'd',
    meta: { profile: [PROFILE] },
    status: 'active',
    kind: 'webhook-at-least-once',
    topic: TOPIC.url,
    parameter: [{ name: 'endpoint', valueUrl: `${hook.url}/hooks/d` }, ...parameters],
    ...more,
  };
}

async function subscribe(more: JsonObject = {}, parameters: JsonObject[] = [], trigger: JsonObject = TRIGGER): Promise<void> {
  await lab.call('PUT', '/fhir/AidboxSubscriptionTopic/t', { body: { ...TOPIC, trigger: [trigger] } });
  const created = await lab.call('POST', '/fhir/AidboxTopicDestination', { body: destination(more, parameters) });
  expect(created.status).toBe(201);
}

function put(id: string, more: JsonObject = {}) {
  return lab.call('PUT', `/fhir/Patient/${id}`, { body: { resourceType: 'Patient', id, ...more } });
}

async function putMany(count: number): Promise<void> {
  for (let index = 0; index < count; index++) await put(`p${index}`);
}

/** `id versionId` of every event entry received, in order of arrival. */
function received(): string[] {
  return hook.received.flatMap((request) =>
    objectsOf(request.body['entry'])
      .slice(1)
      .map((entry) => entry['resource'] as { id: string; meta: { versionId: string } })
      .map((resource) => `${resource.id} ${resource.meta.versionId}`),
  );
}

function emitted(): string[] {
  return lab.events('d').map((event) => `${event.id} ${event.versionId}`);
}

const drained = () => eventually(() => expect(lab.eventsQueued('d')).toBe(0));

async function readStatus(): Promise<Record<string, Json | undefined>> {
  const { body } = await lab.call('GET', '/AidboxTopicDestination/d/$status');
  const parameters = objectsOf((body as JsonObject)['parameter']);
  return Object.fromEntries(parameters.map(({ name, ...value }) => [String(name as string), Object.values(value)[0]]));
}

describe('creating a destination (§3.1, §3.2)', () => {
  const rows: [what: string, more: JsonObject, status: number, switches?: LabOptions['switches']][] = [
    ['a webhook', {}, 201],
    ['no profile', { meta: {} }, 422],
    ['no profile, by switch', { meta: {} }, 201, { profileRequired: false }],
    [
      'the profile of before 2604',
      { meta: { profile: ['http://aidbox.app/StructureDefinition/aidboxtopicdestination-webhook-at-least-once'] } },
      201,
    ],
    ['a missing topic', { topic: 'http://acme.test/none' }, 422],
    ['no endpoint', { parameter: [] }, 422],
    ['an endpoint of another type', { parameter: [{ name: 'endpoint', valueString: 'http://h/' }] }, 422],
    ['an endpoint that is no URL', { parameter: [{ name: 'endpoint', valueUrl: 'nowhere' }] }, 422],
    [
      'an unknown parameter',
      {
        parameter: [
          { name: 'endpoint', valueUrl: 'http://h/' },
          { name: 'x', valueString: 'y' },
        ],
      },
      422,
    ],
    ['an unknown element', { table: 'x' }, 422],
    ['an unknown kind', { kind: 'pigeon' }, 422],
    ['the lakehouse kind without its module', { kind: 'data-lakehouse-at-least-once' }, 422],
    ['the lakehouse kind, by switch', { kind: 'data-lakehouse-at-least-once' }, 201, { lakehouseModule: 'store' }],
  ];
  it.each(rows)('with %s', async (_what, more, status, switches = {}) => {
    lab.setSwitches(switches);
    await lab.call('PUT', '/fhir/AidboxSubscriptionTopic/t', { body: { ...TOPIC, trigger: [TRIGGER] } });
    expect((await lab.call('POST', '/fhir/AidboxTopicDestination', { body: destination(more) })).status).toBe(status);
  });

  it('is final: PUT and PATCH are 405, in bundles too, with a body by switch', async () => {
    await subscribe();
    const change = { body: destination({ content: 'empty' }) };
    expect((await lab.call('PUT', '/fhir/AidboxTopicDestination/d', change)).status).toBe(405);
    lab.setSwitches({ bodyOf405: false });
    expect(await lab.call('PATCH', '/fhir/AidboxTopicDestination/d', change)).toMatchObject({ status: 405, body: undefined });
    const entry = [{ request: { method: 'PUT', url: 'AidboxTopicDestination/d' }, resource: change.body }];
    expect((await lab.call('POST', '/fhir', { body: { resourceType: 'Bundle', type: 'transaction', entry } })).status).toBe(405);
  });

  it('gives parameter values back in clear, also in the Aidbox format', async () => {
    await subscribe({}, [{ name: 'header', valueString: 'Authorization: Bearer x' }]);
    const { body } = await lab.call('GET', '/AidboxTopicDestination/d');
    expect((body as JsonObject)['parameter']).toEqual([
      { name: 'endpoint', value: { url: `${hook.url}/hooks/d` } },
      { name: 'header', value: { string: 'Authorization: Bearer x' } },
    ]);
  });

  it('has no sender when its topic is missing or has bad criteria: $status is 500 (§3.7)', async () => {
    lab.setSwitches({ missingTopic: 'no-sender' });
    await lab.call('POST', '/fhir/AidboxTopicDestination', { body: destination() });
    expect((await lab.call('GET', '/fhir/AidboxTopicDestination/d/$status')).status).toBe(500);
    await lab.call('PUT', '/fhir/AidboxSubscriptionTopic/t', {
      body: { ...TOPIC, trigger: [{ ...TRIGGER, fhirPathCriteria: '((' }] },
    });
    const refused = await lab.call('GET', '/fhir/AidboxTopicDestination/d/$status');
    expect(JSON.stringify(refused.body)).toContain('has no sender associated with it');
    await lab.call('PUT', '/fhir/AidboxSubscriptionTopic/t', { body: { ...TOPIC, trigger: [TRIGGER] } });
    expect((await lab.call('GET', '/fhir/AidboxTopicDestination/d/$status')).status).toBe(200);
    expect((await lab.call('GET', '/fhir/AidboxTopicDestination/x/$status')).status).toBe(404);
  });
});

describe('triggers (§2)', () => {
  const count = () => lab.events('d').length;

  it.each<[criteria: string, patient: JsonObject, fires: boolean]>([
    ['name.exists()', { name: [{ family: 'A' }] }, true],
    ['name.exists()', {}, false],
    ["gender = 'male'", { gender: 'male' }, true],
    ["gender = 'male'", {}, false],
    ['%current.active and %previous.active.empty()', { active: true }, true],
    ['%nothing.such', { active: true }, false],
  ])('criteria %s on %j', async (fhirPathCriteria, patient, fires) => {
    await subscribe({}, [], { ...TRIGGER, fhirPathCriteria });
    await put('p', patient);
    expect(count()).toBe(fires ? 1 : 0);
  });

  it('see the version before in %previous and, on a delete, the last content', async () => {
    await subscribe({}, [], { ...TRIGGER, fhirPathCriteria: '%current.active != %previous.active or name.exists()' });
    await put('p', { active: true });
    await put('p', { active: false });
    await put('p', { active: false, gender: 'other' });
    expect(lab.events('d').map(({ versionId }) => versionId)).toEqual(['4']);
    await put('p', { name: [{ text: 'X' }] });
    await lab.call('DELETE', '/fhir/Patient/p');
    expect(lab.events('d').map(({ action }) => action)).toEqual(['update', 'update', 'delete']);
    lab.setSwitches({ deleteCriteriaFocus: 'nothing' });
    await put('q', { name: [{ text: 'X' }] });
    await lab.call('DELETE', '/fhir/Patient/q');
    expect(lab.events('d').map(({ action }) => action)).toEqual(['update', 'update', 'delete', 'create']);
  });

  it('hear the interactions they list, of their type', async () => {
    await subscribe({}, [], { resource: 'Patient', supportedInteraction: ['update'] });
    await put('p');
    await put('p', { active: true });
    await lab.call('DELETE', '/fhir/Patient/p');
    await lab.call('POST', '/fhir/Group', { body: { resourceType: 'Group', type: 'person', actual: true } });
    expect(lab.events('d').map(({ action }) => action)).toEqual(['update']);
  });

  it('do not fire for a PATCH that changes nothing, and for such a PUT by switch (contract unknown 7)', async () => {
    await subscribe();
    await put('p', { active: true });
    expect((await lab.call('PATCH', '/fhir/Patient/p', { body: { active: true } })).status).toBe(200);
    expect(count()).toBe(1);
    await put('p', { active: true });
    expect(count()).toBe(2);
    lab.setSwitches({ noopPut: 'silent' });
    await put('p', { active: true });
    expect(count()).toBe(2);
  });

  it('keep no event of a transaction that fails', async () => {
    await subscribe();
    const entry = ['Patient', 'Group'].map((resourceType) => ({
      request: { method: 'PUT', url: `Patient/${resourceType}` },
      resource: { resourceType },
    }));
    expect((await lab.call('POST', '/fhir', { body: { resourceType: 'Bundle', type: 'transaction', entry } })).status).toBe(422);
    expect(count()).toBe(0);
  });
});

describe('the notification (§3.4, §3.5)', () => {
  it('is a history Bundle: a status, then one entry per event', async () => {
    await subscribe({ includeEntryAction: true, includeVersionId: true }, [
      { name: 'header', valueString: 'Authorization: Bearer t' },
    ]);
    await lab.call('POST', '/fhir/Patient', {
      body: { resourceType: 'Patient', id: 'p' },
      headers: { 'X-Topic-Correlation-Id': 'job-1' },
    });
    await drained();
    const [request] = hook.received;
    expect(request).toMatchObject({ method: 'POST', path: '/hooks/d' });
    expect(request?.headers).toMatchObject({ authorization: 'Bearer t', 'content-type': 'application/json' });
    expect(request?.body).toEqual({
      resourceType: 'Bundle',
      type: 'history',
      timestamp: expect.stringMatching(/T\d\d:\d\d:\d\dZ$/),
      entry: [
        {
          resource: {
            resourceType: 'AidboxSubscriptionStatus',
            id: expect.any(String),
            status: 'active',
            type: 'event-notification',
            notificationEvent: [{ eventNumber: 1, focus: { reference: 'Patient/p' }, correlationId: 'job-1' }],
            topic: TOPIC.url,
            'topic-destination': { reference: 'AidboxTopicDestination/d' },
          },
        },
        {
          fullUrl: 'http://aidbox.test/fhir/Patient/p',
          request: { method: 'POST', url: '/fhir/Patient' },
          resource: lab.resource('Patient', 'p'),
          extension: [
            { url: 'http://health-samurai.io/fhir/core/StructureDefinition/bundle-entryActionCode', valueCode: 'create' },
            { url: 'http://health-samurai.io/fhir/core/StructureDefinition/bundle-entryVersionId', valueId: '3' },
          ],
        },
      ],
    });
  });

  it.each<[switches: LabOptions['switches'], request: JsonObject, hasResource: boolean]>([
    [{}, { method: 'DELETE', url: '/fhir/Patient' }, true],
    [{ deleteEntryRequest: 'DELETE-id' }, { method: 'DELETE', url: '/fhir/Patient/p' }, true],
    [{ deleteEntryRequest: 'POST' }, { method: 'POST', url: '/fhir/Patient' }, true],
    [{ deleteEntryHasResource: false }, { method: 'DELETE', url: '/fhir/Patient' }, false],
  ])('of a delete with %j', async (switches, request, hasResource) => {
    lab.setSwitches(switches ?? {});
    await subscribe({ includeEntryAction: true }, [{ name: 'maxMessagesInBatch', valueUnsignedInt: 1 }]);
    await put('p', { active: true });
    await lab.call('DELETE', '/fhir/Patient/p');
    await drained();
    const entry = objectsOf(hook.received[1]?.body['entry'])[1];
    expect(entry?.['request']).toEqual(request);
    expect(entry?.['extension']).toMatchObject([{ valueCode: 'delete' }]);
    if (hasResource) expect(entry?.['resource']).toMatchObject({ active: true, meta: { versionId: '4' } });
    else expect(entry).not.toHaveProperty('resource');
  });

  it('leaves out what `content` says, and the shape of the status follows the switches', async () => {
    lab.setSwitches({
      statusId: 'absent',
      notificationEvents: 'reversed',
      eventNumber: 'per-destination',
      webhookContentType: 'application/fhir+json',
    });
    lab.setFaults({ pauseSenders: true });
    await subscribe({ content: 'id-only', includeVersionIdInFocusReference: true });
    await putMany(2);
    lab.clearFaults();
    await drained();
    const [status, ...entries] = objectsOf(hook.received[0]?.body['entry']);
    expect(entries.map((entry) => Object.keys(entry))).toEqual([
      ['fullUrl', 'request'],
      ['fullUrl', 'request'],
    ]);
    expect((status?.['resource'] as JsonObject)['notificationEvent']).toEqual([
      { eventNumber: 2, focus: { reference: 'Patient/p1/_history/4' } },
      { eventNumber: 1, focus: { reference: 'Patient/p0/_history/3' } },
    ]);
    expect(status?.['resource']).not.toHaveProperty('id');
    expect(hook.received[0]?.headers['content-type']).toBe('application/fhir+json');
  });

  it('sends the vault secret a header refers to, which a read never shows (§7.3)', async () => {
    await restartWith({ secrets: { hook: 'X-Key: canary' } });
    const extension = [
      { url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'masked' },
      { url: 'http://health-samurai.io/fhir/secret-reference', valueString: 'hook' },
    ];
    await subscribe({}, [{ name: 'header', _valueString: { extension } }]);
    await put('p');
    await drained();
    expect(hook.received[0]?.headers['x-key']).toBe('canary');
    expect(JSON.stringify(lab.resource('AidboxTopicDestination', 'd'))).not.toContain('canary');
  });
});

describe('delivery (§3.6, §3.7)', () => {
  it('sends batches of at most maxMessagesInBatch (20 by default)', async () => {
    lab.setFaults({ pauseSenders: true });
    await subscribe();
    await putMany(45);
    lab.clearFaults();
    await drained();
    expect(hook.received.map((request) => objectsOf(request.body['entry']).length - 1)).toEqual([20, 20, 5]);
    expect(received()).toEqual(emitted());
  });

  it.each([400, 404, 500, 302])('repeats after %i until 2xx and counts only failed attempts in $status', async (status) => {
    answer = (index) => ({ status: index < 3 ? status : 200, headers: { location: '/elsewhere' } });
    await subscribe();
    await put('p');
    await drained();
    expect(received()).toEqual(['p 3', 'p 3', 'p 3', 'p 3']);
    expect(await readStatus()).toMatchObject({
      messageBatchesDelivered: 1,
      messageBatchesDeliveryAttempts: 3,
      messagesDelivered: 1,
      messagesDeliveryAttempts: 3,
      messagesInProcess: 0,
      messagesQueued: 0,
      startTimestamp: expect.any(String),
      status: 'active',
      lastErrorDetail: [
        { name: 'message', valueString: `the endpoint answered ${status}` },
        { name: 'timestamp', valueDateTime: expect.any(String) },
      ],
    });
  });

  it('follows redirects, or takes them for success, by switch (contract unknown 2)', async () => {
    answer = (index) => ({ status: index === 0 ? 307 : 200, headers: { location: '/moved' } });
    lab.setSwitches({ redirects: 'follow' });
    await subscribe();
    await put('p');
    await drained();
    expect(hook.received.map(({ path }) => path)).toEqual(['/hooks/d', '/moved']);
    answer = () => ({ status: 302 });
    lab.setSwitches({ redirects: 'success' });
    await put('q');
    await drained();
    expect(hook.received).toHaveLength(3);
  });

  it('gives up a try after `timeout` seconds', async () => {
    answer = (index) => (index === 0 ? 'hang' : { status: 200 });
    await subscribe({}, [{ name: 'timeout', valueUnsignedInt: 1 }]);
    await put('p');
    await drained();
    expect(received()).toEqual(['p 3', 'p 3']);
  });

  it('keeps undelivered events over a restart and drops them with the destination', async () => {
    answer = () => ({ status: 503 });
    await subscribe();
    await putMany(3);
    await lab.restart();
    expect(lab.eventsQueued('d')).toBe(3);
    answer = () => ({ status: 200 });
    await drained();
    expect(await readStatus()).toMatchObject({ messagesDelivered: 3 });
    answer = () => ({ status: 503 });
    await putMany(2);
    await lab.call('DELETE', '/fhir/AidboxTopicDestination/d');
    expect(lab.eventsQueued()).toBe(0);
  });

  it('keeps the queue and what was delivered in its folder', async () => {
    const stateDir = mkdtempSync(join(tmpdir(), 'aidbox-lab-'));
    await restartWith({ stateDir });
    await subscribe();
    await putMany(2);
    await drained();
    lab.setFaults({ pauseSenders: true });
    await put('later');
    await restartWith({ stateDir, faults: { pauseSenders: true } });
    expect(lab.events('d').map(({ id, isDelivered }) => `${id} ${isDelivered}`)).toEqual(['p0 true', 'p1 true', 'later false']);
    lab.clearFaults();
    await drained();
    rmSync(stateDir, { recursive: true });
  });
});

describe('faults', () => {
  const twice = (list: string[]) => list.filter((item, index) => list.indexOf(item) !== index);

  it.each<[what: string, faults: LabOptions['faults']]>([
    ['lost answers', { lost2xx: 0.5 }],
    ['doubled posts at once', { doubledPost: 0.5 }],
    ['doubled posts in turn', { doubledPost: 0.5, doubledConcurrently: false }],
    ['lost answers cut anew', { lost2xx: 0.5, recut: true }],
  ])('%s: every event arrives, some more than once', async (_what, faults) => {
    await subscribe({}, [{ name: 'maxMessagesInBatch', valueUnsignedInt: 3 }]);
    lab.setFaults({ ...faults, pauseSenders: true });
    await putMany(40);
    lab.setFaults({ pauseSenders: false });
    await drained();
    expect([...new Set(received())].sort()).toEqual(emitted().sort());
    expect(twice(received()).length).toBeGreaterThan(0);
  });

  it('bodies that break off: every event arrives once', async () => {
    await subscribe({}, [{ name: 'maxMessagesInBatch', valueUnsignedInt: 3 }]);
    lab.setFaults({ cutBody: 0.5 });
    await putMany(30);
    await drained();
    expect(received()).toEqual(emitted());
    expect(lab.stats().batchAttempts).toBeGreaterThan(0);
  });

  it('reordering and parallel sends: every event arrives once, not in order', async () => {
    await subscribe({}, [{ name: 'maxMessagesInBatch', valueUnsignedInt: 2 }]);
    lab.setFaults({ reorder: 0.7, parallelSends: 4, maxDelayMs: 3, pauseSenders: true });
    await putMany(40);
    lab.setFaults({ pauseSenders: false });
    await drained();
    expect(received()).not.toEqual(emitted());
    expect(received().sort()).toEqual(emitted().sort());
  });

  it('a batch that is cut anew is not the batch that failed', async () => {
    answer = (index) => ({ status: index === 0 ? 500 : 200 });
    await subscribe();
    lab.setFaults({ recut: true, pauseSenders: true });
    await putMany(10);
    lab.setFaults({ pauseSenders: false });
    await drained();
    const sizes = hook.received.map((request) => objectsOf(request.body['entry']).length - 1);
    expect(sizes[0]).toBe(10);
    expect(sizes.slice(1).reduce((sum, size) => sum + size, 0)).toBe(10);
    expect(received().slice(10)).not.toEqual(received().slice(0, 10));
  });

  it('delivers chosen events again', async () => {
    await subscribe();
    await putMany(3);
    await drained();
    const ids = lab.events('d').map(({ eventId }) => eventId);
    expect(lab.redeliver('d', ids.slice(1, 2))).toBe(1);
    await drained();
    expect(lab.redeliver('d', 'all')).toBe(3);
    await drained();
    const all = ['p0 3', 'p1 4', 'p2 5'];
    expect(received()).toEqual([...all, 'p1 4', ...all]);
  });

  it('a clock that is off shows in lastUpdated', async () => {
    const hourMs = 3_600_000;
    await put('p');
    lab.setFaults({ clockOffsetMs: -hourMs });
    await put('p');
    const [first, second] = lab.history('Patient', 'p').map(({ lastUpdated }) => Date.parse(lastUpdated));
    expect(Math.round(((first ?? 0) - (second ?? 0)) / hourMs)).toBe(1);
  });

  it('a late sender leaves $status without one for a while', async () => {
    lab.setFaults({ senderStartDelayMs: 30 });
    await subscribe();
    expect((await lab.call('GET', '/fhir/AidboxTopicDestination/d/$status')).status).toBe(500);
    await put('p');
    await drained();
    expect(received()).toEqual(['p 3']);
  });
});
