import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../helpers/eventually.ts';
import { startAidboxLab, type AidboxLab } from '../../lab/aidbox/lab.ts';
import type { LabSwitches } from '../../lab/aidbox/options.ts';
import { startRecorder, type Recorder } from '../../lab/aidbox/recorder.ts';
import { objectsOf, type JsonObject } from '../../lab/aidbox/resource.ts';

/** Switches of the stand-in for deletions, searches, histories and routes; `§` are sections of the contract page. */

const PATIENT = '/fhir/Patient/p';
let lab: AidboxLab;
let receiver: Recorder;
beforeEach(async () => {
  receiver = await startRecorder(() => ({ status: 200 }));
  lab = await startAidboxLab({ retryIntervalMs: 5 });
});
afterEach(async () => {
  await lab.close();
  await receiver.close();
});

const get = async (path: string): Promise<{ status: number; body: JsonObject }> => {
  const { status, body } = await lab.call('GET', path);
  return { status, body: body as JsonObject };
};

async function subscribe(): Promise<void> {
  const trigger = [{ resource: 'Patient', supportedInteraction: ['delete'] }];
  const topic = { resourceType: 'AidboxSubscriptionTopic', id: 't', url: 'urn:t', status: 'active', trigger };
  await lab.call('PUT', '/fhir/AidboxSubscriptionTopic/t', { body: topic });
  const profile = 'http://health-samurai.io/fhir/core/StructureDefinition/aidboxtopicdestination-webhookAtLeastOnceProfile';
  const destination = {
    resourceType: 'AidboxTopicDestination',
    id: 'd',
    meta: { profile: [profile] },
    kind: 'webhook-at-least-once',
    topic: 'urn:t',
    includeVersionId: true,
    parameter: [{ name: 'endpoint', valueUrl: receiver.url }],
  };
  expect((await lab.call('POST', '/fhir/AidboxTopicDestination', { body: destination })).status).toBe(201);
}

async function writeAndDelete(): Promise<void> {
  await lab.call('PUT', PATIENT, { body: { resourceType: 'Patient', id: 'p' } });
  await lab.call('DELETE', PATIENT);
}

it.each([
  ['deletion', 'deletion'],
  ['before', 'deletion'],
  ['before', 'before'],
  ['deletion', 'before'],
] as const)('a deletion carries the meta of the %s and names the version of the %s (§3.5)', async (meta, version) => {
  lab.setSwitches({ deleteEntryMeta: meta, deleteEntryVersion: version });
  await subscribe();
  await writeAndDelete();
  await eventually(() => expect(receiver.received).toHaveLength(1));
  const [, entry] = objectsOf(receiver.received[0]!.body['entry']);
  const [before, deletion] = lab.history('Patient', 'p');
  const versionOf = { before: before!.versionId, deletion: deletion!.versionId };
  expect((entry!['resource'] as { meta: JsonObject }).meta).toMatchObject({ versionId: versionOf[meta] });
  expect(objectsOf(entry!['extension']).map((each) => each['valueId'])).toEqual([versionOf[version]]);
});

describe('a search', () => {
  it('refuses the parameters that are named, for their type alone, and hides its total (§10)', async () => {
    lab.setSwitches({ refusedSearchParameters: ['Basic.code'], searchTotal: false });
    expect((await get('/fhir/Basic?code=a')).status).toBe(400);
    expect((await get('/fhir/Observation?code=a')).status).toBe(200);
    expect((await get('/fhir/Basic')).body['total']).toBeUndefined();
  });
});

describe('a history', () => {
  const deletionIn = async (switches: Partial<LabSwitches>): Promise<JsonObject | undefined> => {
    lab.setSwitches(switches);
    return objectsOf((await get(`${PATIENT}/_history`)).body['entry'])[0];
  };

  it('writes etags as the switch says, with or without the last content of a deletion (§1.11, §3.5)', async () => {
    await writeAndDelete();
    const { versionId } = lab.history('Patient', 'p')[1]!;
    const shown = { bare: versionId, quoted: `"${versionId}"`, weak: `W/"${versionId}"` };
    for (const historyEtag of ['bare', 'quoted', 'weak'] as const)
      expect(await deletionIn({ historyEtag })).toMatchObject({ response: { etag: shown[historyEtag] } });
    expect(await deletionIn({})).toHaveProperty('resource');
    expect(await deletionIn({ historyDeleteHasResource: false })).not.toHaveProperty('resource');
  });

  it('of a type that keeps none shows the current version alone (§6)', async () => {
    await writeAndDelete();
    expect(await deletionIn({ typesWithoutHistory: ['Patient'] })).toBeUndefined();
    await lab.call('PUT', PATIENT, { body: { resourceType: 'Patient', id: 'p' } });
    expect(await deletionIn({})).toMatchObject({ request: { method: 'POST' } });
  });
});

it('explicit Operations override built-in routes only by switch (contract unknown 3)', async () => {
  const endpoint = { type: 'http-rpc', url: receiver.url, secret: 's' };
  await lab.call('PUT', '/App/a', { body: { resourceType: 'App', id: 'a', apiVersion: 1, type: 'app', endpoint } });
  const operation = { action: 'proto.app/endpoint', app: { resourceType: 'App', id: 'a' }, module: 'a' };
  for (const [id, request] of [
    ['built-in', ['get', 'fhir', 'Patient', { name: 'id' }]],
    ['custom', ['get', 'own', { name: 'id' }]],
  ] as const)
    await lab.call('PUT', `/Operation/${id}`, { body: { resourceType: 'Operation', id, request: [...request], ...operation } });
  expect([(await get(PATIENT)).status, (await get('/own/x')).status]).toEqual([200, 200]);
  lab.setSwitches({ operationsOverrideBuiltIns: false });
  expect([(await get(PATIENT)).status, (await get('/own/x')).status]).toEqual([404, 200]);
});
