import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { scopeOf, type Destination } from '../../../app/destinations/destination.ts';
import { ABANDONED_AFTER_MS, repairDestinations } from '../../../app/destinations/repair.ts';
import { AppError } from '../../../app/errors/app-error.ts';
import { hashSecret } from '../../../app/lib/same-secret.ts';
import { aCall, aDestination, CALLER, makeFixture, PUBLIC_URL, type Fixture } from '../../helpers/destination-fixture.ts';

type Json = Record<string, unknown>;
let fixture: Fixture;
let destination: Destination;
beforeEach(async () => {
  fixture = await makeFixture();
  await fixture.operations.create(aCall({ resource: aDestination() }));
  destination = (await fixture.deps.repository.get('patient-lake'))!;
  fixture.aidbox.calls.length = 0;
});
afterEach(() => fixture.stop());

it('repair: names a destination of our kind that a bundle stored past this app, and leaves it', async () => {
  fixture.aidbox.put({ resourceType: 'AidboxTopicDestination', id: 'stray', kind: 'data-lakehouse-at-least-once' });
  expect(await repairDestinations(fixture.deps)).toMatchObject({ attention: 1, orphans: 0 });
  expect(fixture.logLines.join('')).toMatch(/"destination.not-served".*DESTINATION_NOT_SERVED.*AidboxTopicDestination\/stray/);
  expect(fixture.aidbox.all('AidboxTopicDestination')).toHaveLength(2);
});

const remove = (id: string, query = '') => fixture.operations.remove(aCall({ id, params: new URLSearchParams(query) }));
const nothingLeft = (): void => {
  expect(fixture.aidbox.all('Basic')).toEqual([]);
  expect(fixture.aidbox.all('AidboxTopicDestination')).toEqual([]);
};

describe('delete', () => {
  it('stops delivery, drops what waits, removes the configuration and answers with the resource', async () => {
    const { status, body } = await remove('patient-lake');
    expect(status).toBe(200);
    expect(body).toMatchObject({ id: 'patient-lake', kind: 'data-lakehouse-at-least-once' });
    expect(JSON.stringify(body)).not.toContain('canary');
    expect(fixture.dropped).toEqual([scopeOf(destination)]);
    nothingLeft();
    expect(
      fixture.aidbox.calls
        .filter(({ method }) => method !== 'GET')
        .map(({ method, path }) => `${method} ${path.replace(/lakehouse-.*/, '{id}')}`),
    ).toEqual(['PUT /fhir/Basic/{id}', 'DELETE /AidboxTopicDestination/patient-lake', 'DELETE /fhir/Basic/{id}']);
  });

  it('answers a second time as Aidbox does', async () => {
    await remove('patient-lake');
    expect((await remove('patient-lake')).status).toBe(204);
  });

  it('answers 204 with _no-content', async () => {
    expect(await remove('patient-lake', '_no-content=true')).toEqual({ status: 204 });
  });

  it.each([/Basic/, /AidboxTopicDestination/])(
    'can be repeated, and is finished by the repair, when %s fails on the way',
    async (path) => {
      fixture.aidbox.script = (call) => (call.method === 'DELETE' && path.test(call.path) ? { status: 503 } : undefined);
      await expect(remove('patient-lake')).rejects.toMatchObject({ code: 'AIDBOX_UNAVAILABLE' });
      expect((await fixture.deps.repository.get('patient-lake'))!.phase).toBe('deleting');
      fixture.aidbox.script = () => undefined;
      expect(await repairDestinations(fixture.deps)).toMatchObject({ finished: 1 });
      nothingLeft();
    },
  );

  it('leaves a destination that somebody put under the same id', async () => {
    fixture.aidbox.put({
      resourceType: 'AidboxTopicDestination',
      id: 'patient-lake',
      kind: 'kafka-at-least-once',
      parameter: [],
    });
    await remove('patient-lake');
    expect(fixture.aidbox.all('AidboxTopicDestination')).toMatchObject([{ kind: 'kafka-at-least-once' }]);
  });

  it('waits with drain=true until nothing waits in Aidbox nor here', async () => {
    let waiting = 3;
    let inAidbox = 2;
    fixture.aidbox.script = ({ path }) =>
      path.endsWith('$status')
        ? { status: 200, body: { parameter: [{ name: 'messagesQueued', value: { decimal: inAidbox-- > 0 ? 1 : 0 } }] } }
        : undefined;
    fixture.deps.queues = { ...fixture.deps.queues, waitingJobs: async () => Math.max(0, waiting--) };
    expect((await remove('patient-lake', 'drain=true')).status).toBe(200);
    expect(waiting).toBeLessThan(0);
    expect(inAidbox).toBeLessThan(0);
  });

  it('deletes nothing when the time to drain is over', async () => {
    fixture.deps.queues = { ...fixture.deps.queues, waitingJobs: async () => 4 };
    await expect(remove('patient-lake', 'drain=true')).rejects.toMatchObject({ code: 'DESTINATION_NOT_DRAINED' });
    expect(await fixture.deps.repository.get('patient-lake')).toMatchObject({ phase: 'active' });
    expect(fixture.dropped).toEqual([]);
  });

  it('passes other kinds through with the authority of the user', async () => {
    fixture.aidbox.put({ resourceType: 'AidboxTopicDestination', id: 'k1', kind: 'kafka-at-least-once' });
    expect((await remove('k1', '_no-content=true')).status).toBe(200);
    const [call] = fixture.aidbox.calls.filter(({ method }) => method === 'DELETE');
    expect(call).toMatchObject({ path: '/AidboxTopicDestination/k1', headers: { authorization: CALLER } });
    expect(call!.params.get('_no-content')).toBe('true');
  });
});

describe('$status', () => {
  const status = async (id = 'patient-lake'): Promise<Json[]> =>
    ((await fixture.operations.status(aCall({ id }))).body as { parameter: Json[] }).parameter;

  it('begins with exactly the parameters and value types of S0.101, in its order', async () => {
    expect((await status()).slice(0, 7)).toEqual([
      { name: 'status', valueString: 'active' },
      { name: 'messagesDelivered', valueDecimal: 100 },
      { name: 'messagesQueued', valueDecimal: 10 },
      { name: 'messagesInProcess', valueDecimal: 2 },
      { name: 'messagesDeliveryAttempts', valueDecimal: 104 },
      { name: 'initialExportStatus', valueString: 'not_started' },
      { name: 'initialExportProgress_rowsSent', valueDecimal: 0 },
    ]);
  });

  it('adds state, warnings, what waits in Aidbox, and further figures', async () => {
    const more = (await status()).slice(7);
    expect(more).toContainEqual({ name: 'state', valueString: 'running' });
    expect(more).toContainEqual({ name: 'warning', valueString: expect.stringContaining('initial export') as unknown });
    expect(more).toContainEqual({ name: 'messagesQueuedInAidbox', valueDecimal: 7 });
    expect(more).toContainEqual({ name: 'rows', valueDecimal: 120 });
  });

  it('says when Aidbox has no sender for it', async () => {
    fixture.aidbox.script = ({ path }) => (path.endsWith('$status') ? { status: 500 } : undefined);
    const parameters = await status();
    expect(parameters).toContainEqual({ name: 'messagesQueued', valueDecimal: 3 });
    expect(parameters.find((parameter) => parameter['name'] === 'aidboxSender')).toBeDefined();
  });

  it('says why a destination does not run', async () => {
    await fixture.deps.repository.put({ ...destination, installation: 'http://other' });
    const parameters = await status();
    expect(parameters).toContainEqual({ name: 'state', valueString: 'suspended' });
    expect(parameters.find((parameter) => parameter['name'] === 'problem')!['valueString']).toMatch(/^DESTINATION_SUSPENDED: /);
  });

  it('passes other kinds through in FHIR format', async () => {
    fixture.aidbox.put({ resourceType: 'AidboxTopicDestination', id: 'k1', kind: 'kafka-at-least-once' });
    expect(await status('k1')).toEqual([
      { name: 'status', valueString: 'active' },
      { name: 'messagesQueued', valueDecimal: 7 },
    ]);
  });
});

describe('repair', () => {
  it('finds nothing to do when all is well', async () => {
    expect(await repairDestinations(fixture.deps)).toEqual({
      abandoned: 0,
      finished: 0,
      recreated: 0,
      adopted: 0,
      orphans: 0,
      attention: 0,
    });
    expect(fixture.aidbox.calls.every((call) => call.method === 'GET')).toBe(true);
  });

  it('takes back a create that nobody ends any more, but not one under way', async () => {
    await fixture.deps.repository.put({ ...destination, phase: 'creating' });
    expect(await repairDestinations(fixture.deps)).toMatchObject({ abandoned: 0 });
    fixture.clock.nowMs += ABANDONED_AFTER_MS;
    expect(await repairDestinations(fixture.deps)).toMatchObject({ abandoned: 1 });
    nothingLeft();
  });

  it('creates a missing webhook destination again, with a new token that is stored', async () => {
    fixture.aidbox.store.get('AidboxTopicDestination')!.clear();
    expect(await repairDestinations(fixture.deps)).toMatchObject({ recreated: 1 });
    const after = (await fixture.deps.repository.get('patient-lake'))!;
    expect(after.incarnation).toBe(destination.incarnation);
    expect(after.webhookSecretHash).not.toBe(destination.webhookSecretHash);
    expect(fixture.aidbox.all('AidboxTopicDestination')).toHaveLength(1);
    expect(await repairDestinations(fixture.deps)).toMatchObject({ recreated: 0 });
  });

  const tokenHashInAidbox = (): string => {
    const [webhook] = fixture.aidbox.all('AidboxTopicDestination') as { parameter: { value: Json }[] }[];
    return hashSecret(String(webhook!.parameter[1]!.value['string']).split(' ').pop()!);
  };

  it('ends with one token in both places when two replicas repair at once', async () => {
    fixture.aidbox.store.get('AidboxTopicDestination')!.clear();
    await Promise.all([repairDestinations(fixture.deps), repairDestinations(fixture.deps)]);
    expect((await fixture.deps.repository.get('patient-lake'))!.webhookSecretHash).toBe(tokenHashInAidbox());
  });

  it('does so too when one begins between the two steps of the other', async () => {
    fixture.aidbox.store.get('AidboxTopicDestination')!.clear();
    const { webhooks } = fixture.deps;
    let isFirst = true;
    const interrupted = async (...args: Parameters<typeof webhooks.create>): ReturnType<typeof webhooks.create> => {
      if (isFirst) {
        isFirst = false;
        await repairDestinations(fixture.deps);
      }
      return webhooks.create(...args);
    };
    fixture.deps.webhooks = { ...webhooks, create: interrupted };
    await repairDestinations(fixture.deps);
    expect((await fixture.deps.repository.get('patient-lake'))!.webhookSecretHash).toBe(tokenHashInAidbox());
  });

  it('takes over the token that Aidbox sends when another one is stored', async () => {
    await fixture.deps.repository.put({ ...destination, webhookSecretHash: 'other' });
    expect(await repairDestinations(fixture.deps)).toMatchObject({ adopted: 1 });
    expect((await fixture.deps.repository.get('patient-lake'))!.webhookSecretHash).toBe(tokenHashInAidbox());
  });

  it('deletes a webhook destination of this app without a configuration, and no other', async () => {
    const webhook = (id: string, url: string): Json =>
      fixture.aidbox.put({
        resourceType: 'AidboxTopicDestination',
        id,
        kind: 'webhook-at-least-once',
        parameter: [{ name: 'endpoint', value: { url } }],
      });
    webhook('orphan', `${PUBLIC_URL}/webhooks/orphan/1-2`);
    webhook('stranger', 'http://lakehouse:70701/webhooks/stranger/1-2');
    expect(await repairDestinations(fixture.deps)).toMatchObject({ orphans: 1 });
    expect(fixture.aidbox.all('AidboxTopicDestination').map((each) => each['id'])).toEqual(['patient-lake', 'stranger']);
    expect(fixture.logLines.join('')).toContain('destination.orphan-deleted');
  });

  it('never takes a destination for an orphan whose configuration it cannot read', async () => {
    (fixture.aidbox.all('Basic')[0] as { extension: { valueString: string }[] }).extension[0]!.valueString = 'not json';
    expect(await repairDestinations(fixture.deps)).toMatchObject({ orphans: 0 });
    expect(fixture.aidbox.all('AidboxTopicDestination')).toHaveLength(1);
  });

  it('leaves to a person what belongs to another installation or delivers elsewhere', async () => {
    await fixture.deps.repository.put({ ...destination, installation: 'http://other', phase: 'deleting' });
    expect(await repairDestinations(fixture.deps)).toMatchObject({ attention: 1, finished: 0 });
    const current = (await fixture.deps.repository.get('patient-lake'))!;
    await fixture.deps.repository.put({
      ...current,
      installation: fixture.deps.installation,
      phase: 'active',
      incarnation: 'other-1',
    });
    expect(await repairDestinations(fixture.deps)).toMatchObject({ attention: 1, recreated: 0 });
    expect(fixture.logLines.join('')).toContain('destination.webhook-differs');
  });

  it('stops at a fault of the queue store and goes on the next time', async () => {
    await fixture.deps.repository.put({ ...destination, phase: 'deleting' });
    const good = fixture.deps.queues;
    fixture.deps.queues = { ...good, drop: () => Promise.reject(new AppError('AIDBOX_UNAVAILABLE', 'queue down')) };
    await expect(repairDestinations(fixture.deps)).rejects.toMatchObject({ code: 'AIDBOX_UNAVAILABLE' });
    fixture.deps.queues = good;
    expect(await repairDestinations(fixture.deps)).toMatchObject({ finished: 1 });
  });
});
