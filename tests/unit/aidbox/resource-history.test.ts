import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { makeAidboxClient, type AidboxClient } from '../../../app/aidbox/aidbox-client.ts';
import { readDeletedContent } from '../../../app/aidbox/resource-history.ts';
import { makeLastValues } from '../../../app/service/last-values.ts';
import { OWN } from '../../helpers/destination-fixture.ts';
import { ScriptedAidbox } from '../../helpers/scripted-aidbox.ts';

let aidbox: ScriptedAidbox;
let client: AidboxClient;
beforeEach(async () => {
  aidbox = new ScriptedAidbox();
  aidbox.admitted.add(OWN);
  const baseUrl = await aidbox.start();
  client = makeAidboxClient({ baseUrl, clientId: 'lakehouse-client', clientSecret: 'client-secret', timeoutMs: 5_000 });
});
afterEach(() => aidbox.stop());

const timeOf = (version: number): string => `2026-01-01T00:00:00.00000${version}Z`;
const written = (version: number): object => ({
  request: { method: 'PUT' },
  resource: {
    resourceType: 'Patient',
    id: 'p_1',
    gender: `g${version}`,
    meta: { versionId: String(version), lastUpdated: timeOf(version) },
  },
});
const deleted = (version: number, etag = String(version)): object => ({
  request: { method: 'DELETE' },
  response: { etag, lastModified: timeOf(version) },
});
/** Newest first, in pages of `size`. */
function giveHistory(entries: readonly object[], size = 100): void {
  aidbox.script = ({ path, params }) => {
    if (path !== '/fhir/Patient/p_1/_history') return undefined;
    const from = (Number(params.get('_page')) - 1) * size;
    return { status: 200, body: { resourceType: 'Bundle', type: 'history', entry: entries.slice(from, from + size) } };
  };
}
const read = (versionId?: string) => readDeletedContent(client, 'Patient', 'p_1', versionId);

describe('the content of a deleted resource', () => {
  it.each(['4', '"4"', 'W/"4"'])('is found by the version of the deletion, its etag written as %s', async (etag) => {
    giveHistory([deleted(6), written(5), deleted(4, etag), written(3)]);
    expect(await read('4')).toMatchObject({ gender: 'g3', meta: { lastUpdated: timeOf(4) } });
  });

  it('is found by the version of the state before, and without a version', async () => {
    giveHistory([deleted(6), written(5), deleted(4), written(3)]);
    expect(await read('3')).toMatchObject({ gender: 'g3', meta: { lastUpdated: timeOf(4) } });
    expect(await read()).toMatchObject({ gender: 'g5', meta: { lastUpdated: timeOf(6) } });
  });

  it('is that of the only deletion when the version is nowhere, and none when there are several', async () => {
    giveHistory([written(7), deleted(4), written(3)]);
    expect(await read('99')).toMatchObject({ gender: 'g3', meta: { lastUpdated: timeOf(4) } });
    giveHistory([deleted(6), written(5), deleted(4), written(3)]);
    expect(await read('99')).toBeUndefined();
    giveHistory([written(3)]);
    expect(await read('3')).toBeUndefined();
  });

  it('is found on later pages, however few entries Aidbox gives at a time, and the search for it ends', async () => {
    giveHistory([written(7), deleted(6), written(5), deleted(4), written(3)], 2);
    expect(await read('4')).toMatchObject({ gender: 'g3' });
    aidbox.script = () => ({ status: 200, body: { resourceType: 'Bundle', entry: [written(9)] } });
    expect(await read('4')).toBeUndefined();
  });
});

describe('a history that Aidbox does not give', () => {
  const source = () => makeLastValues(client, 'lake').read('Patient', 'p_1', '4');

  it.each([401, 403, 400, 405, 422])('costs the event alone when it answers %i to that and not to the app', async (status) => {
    aidbox.script = ({ path }) => (path.endsWith('/_history') ? { status } : undefined);
    await expect(source()).rejects.toMatchObject({
      code: 'HISTORY_NOT_READABLE',
      message: expect.stringContaining(`answered ${status} to GET /fhir/Patient/{id}/_history`) as unknown,
    });
  });

  it.each([401, 403])('stops the destination when the app is answered %i altogether', async (status) => {
    aidbox.script = () => ({ status });
    await expect(source()).rejects.toMatchObject({ code: 'AIDBOX_REFUSED' });
  });

  it('is waited for when Aidbox does not answer', async () => {
    aidbox.script = () => 'cut';
    await expect(source()).rejects.toMatchObject({ code: 'AIDBOX_UNAVAILABLE' });
  });
});
