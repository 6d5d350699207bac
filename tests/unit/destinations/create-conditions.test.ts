import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { aCall, aDestination, CALLER, makeFixture, TOPIC, type Fixture } from '../../helpers/destination-fixture.ts';

let fixture: Fixture;
beforeEach(async () => {
  fixture = await makeFixture();
});
afterEach(() => fixture.stop());

const create = (resource: unknown = aDestination(), call = {}) => fixture.operations.create(aCall({ resource, ...call }));

describe('a create with a condition', () => {
  const conditional = (condition: string, id?: string) =>
    create(aDestination({}, id === undefined ? {} : { id }), { caller: { authorization: CALLER, 'if-none-exist': condition } });

  it('makes the destination once, and gives the existing one with 200 from then on', async () => {
    expect((await conditional('_id=patient-lake')).status).toBe(201);
    const again = await conditional('_id=patient-lake');
    expect(again).toMatchObject({ status: 200, body: { id: 'patient-lake' } });
    expect(JSON.stringify(again.body)).not.toContain('canary');
    expect((await conditional('/AidboxTopicDestination?kind=data-lakehouse-at-least-once&status=active', 'x')).status).toBe(200);
    expect(await create(aDestination(), { params: new URLSearchParams('_id=patient-lake') })).toMatchObject({ status: 200 });
    expect(fixture.aidbox.all('Basic')).toHaveLength(1);
  });

  it('answers 412 when several fit, and 400 for a condition that it cannot look at', async () => {
    await create();
    await create(aDestination({}, { id: 'second' }));
    expect((await conditional(`topic=${encodeURIComponent(TOPIC)}`, 'third')).status).toBe(412);
    await expect(conditional('gender=x', 'third')).rejects.toMatchObject({ code: 'OPERATION_INVALID' });
  });
});

describe('a create', () => {
  it('refuses what was not sent as JSON (S0.8), and takes what came without a content type', async () => {
    for (const type of ['application/xml', 'text/yaml', 'text/plain']) {
      const caller = { authorization: CALLER, 'content-type': type };
      await expect(create(aDestination(), { caller })).rejects.toMatchObject({ code: 'CONTENT_TYPE_UNSUPPORTED' });
    }
    const caller = { authorization: CALLER, 'content-type': 'application/fhir+json; charset=utf-8' };
    expect((await create(aDestination(), { caller })).status).toBe(201);
  });

  it('takes Aidbox format on its own route only', async () => {
    const parameter = (aDestination()['parameter'] as { name: string }[]).map(({ name, ...value }) => {
      const [[type, content]] = Object.entries(value) as [[string, unknown]];
      return { name, value: { [type === 'valueString' ? 'string' : 'unsignedInt']: content } };
    });
    expect((await create(aDestination({}, { parameter }))).status).toBe(422);
    const { status, body } = await create(aDestination({}, { parameter }), { isPlainRoute: true });
    expect(status).toBe(201);
    expect(body).toMatchObject({ parameter: expect.arrayContaining([{ name: 'batchSize', valueUnsignedInt: 50 }]) as unknown });
  });

  it('warns of parameters without effect, and keeps their secrets to itself', async () => {
    const { status, body } = await create(
      aDestination({ databricksClientSecret: { valueString: 'unused-canary' }, tableName: { valueString: 'a.b.c' } }),
    );
    expect(status).toBe(201);
    const stored = (await fixture.deps.repository.get('patient-lake'))!;
    expect(stored.warnings.filter((warning) => warning.includes('has no effect'))).toHaveLength(2);
    expect(stored.target).toMatchObject({ location: { secretAccessKey: 'canary/secret+key' } });
    expect(JSON.stringify([body, fixture.aidbox.all('Basic'), fixture.logLines])).not.toContain('unused-canary');
  });

  it.each([401, 403, 405])('warns when Aidbox answers %i to the history of the resources', async (status) => {
    fixture.aidbox.script = ({ path }) => (/^\/fhir\/Patient\/[^/]+\/_history$/.test(path) ? { status } : undefined);
    expect((await create()).status).toBe(201);
    expect((await fixture.deps.repository.get('patient-lake'))!.warnings.join('\n')).toContain(
      `Aidbox answered ${status} to GET /fhir/Patient/{id}/_history`,
    );
  });

  it('finds a topic by url and version', async () => {
    fixture.aidbox.put({ resourceType: 'AidboxSubscriptionTopic', id: 't2', url: 'urn:topic', version: '2', status: 'active' });
    expect((await create(aDestination({}, { topic: 'urn:topic|2' }))).status).toBe(201);
    expect(fixture.aidbox.all('AidboxTopicDestination')).toMatchObject([{ topic: 'urn:topic|2' }]);
    expect((await create(aDestination({}, { id: 'x', topic: 'urn:topic|3' }))).status).toBe(422);
  });
});
