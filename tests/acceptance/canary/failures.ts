import { expect } from '@jest/globals';
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually } from '../../helpers/eventually.ts';
import { commitName } from '../bad-input/tables.ts';
import { aNotification, anEntry } from '../bad-input/patients.ts';
import { aCanary, ID, MAX_NOTIFICATION_BYTES, NAME, SECRETS, type Stage } from './stage.ts';

/** Something that goes wrong while canaries are under way; `provoke` makes sure that it did. */
export interface Failure {
  readonly what: string;
  readonly provoke: (stage: Stage) => Promise<void>;
}

const tableOf = (stage: Stage, id: string): string => fileURLToPath(stage.service.localTable(id).tablePath);
const basic = (password: string): Record<string, string> => ({
  authorization: `Basic ${Buffer.from(`data-lakehouse:${password}`).toString('base64')}`,
  'content-type': 'application/json',
});

async function latestVersion(directory: string): Promise<number> {
  const names = (await readdir(join(directory, '_delta_log'))).filter((name) => name.endsWith('.json'));
  return Math.max(...names.map((name) => Number.parseInt(name, 10)));
}

/** Sends a canary and expects its quarantine. */
const quarantine =
  (send: (stage: Stage) => Promise<number>) =>
  async (stage: Stage): Promise<void> => {
    const before = await quarantined(stage);
    expect(await send(stage)).toBe(200);
    await stage.waitForStatus('good', 'messagesQuarantined', before + 1);
  };

async function quarantined(stage: Stage): Promise<number> {
  return Number((await stage.service.status('good'))['messagesQuarantined']);
}

/** Bad events, bad calls, wrong secrets. */
export const REFUSALS: readonly Failure[] = [
  {
    what: 'a view that cannot be evaluated',
    provoke: quarantine((stage) => stage.send('good', { name: [{ family: NAME }, { family: NAME }] })),
  },
  { what: 'a value that does not fit its column', provoke: quarantine((stage) => stage.send('good', { birthDate: NAME })) },
  { what: 'half a surrogate pair', provoke: quarantine((stage) => stage.send('good', { name: [{ family: `${NAME}\ud800` }] })) },
  {
    what: 'a malformed notification',
    provoke: quarantine((stage) => stage.post('good', aNotification(anEntry('create', aCanary(901))).slice(0, -15))),
  },
  {
    what: 'an entry that names no resource',
    provoke: quarantine((stage) => stage.post('good', aNotification({ resource: { name: NAME } }))),
  },
  {
    what: 'an update without its resource',
    provoke: quarantine((stage) =>
      stage.post('good', aNotification({ fullUrl: `Patient/${ID}-902`, request: { method: 'PUT', url: `/${NAME}` } })),
    ),
  },
  {
    what: 'a delete without content',
    provoke: quarantine((stage) =>
      stage.post('good', aNotification({ fullUrl: `Patient/${ID}-903`, request: { method: 'DELETE' } })),
    ),
  },
  {
    what: 'a notification that is too large',
    provoke: quarantine((stage) => stage.send('good', { text: { div: NAME.repeat(1 + MAX_NOTIFICATION_BYTES / NAME.length) } })),
  },
  {
    what: 'notifications with wrong secrets',
    async provoke(stage) {
      for (const secret of [SECRETS.app, SECRETS.misplaced, `${stage.webhook('good').bearerToken}x`]) {
        expect(
          await stage.post('good', aNotification(anEntry('create', aCanary(904))), { authorization: `Bearer ${secret}` }),
        ).toBe(401);
      }
    },
  },
  {
    what: 'a notification for a destination that does not exist',
    provoke: async (stage) =>
      expect(
        await stage.direct(`/webhooks/${ID}/${ID}`, {
          method: 'POST',
          body: NAME,
          headers: { authorization: `Bearer ${stage.webhook('good').bearerToken}` },
        }),
      ).toBe(404),
  },
  {
    what: 'calls of the App with wrong secrets and bad bodies',
    async provoke(stage) {
      const call = (password: string, body: string): Promise<number> =>
        stage.direct('/aidbox', { method: 'POST', headers: basic(password), body });
      expect(await call(SECRETS.misplaced, `{"operation":{"id":"${ID}"}}`)).toBe(401);
      expect(await call(SECRETS.app, `{"operation":{"id":"${NAME}`)).toBe(400);
      expect(
        await call(
          SECRETS.app,
          JSON.stringify({ operation: { id: 'lakehouse-read' }, request: { 'route-params': { id: NAME } } }),
        ),
      ).toBe(400);
      expect(
        await call(SECRETS.app, JSON.stringify({ operation: { id: 'lakehouse-create' }, request: { body: `{"x":"${NAME}` } })),
      ).toBe(400);
      expect(
        await call(SECRETS.app, JSON.stringify({ operation: { id: 'lakehouse-create' }, request: { resource: NAME } })),
      ).toBe(400);
    },
  },
  {
    what: 'creates with secrets in wrong places',
    async provoke(stage) {
      const { misplaced, misplacedToo } = SECRETS;
      const parameters: object[] = [
        { name: 'awsSecretAccesKey', valueString: misplaced },
        { name: 'awsSecretAccessKey', valueUrl: misplaced },
        { name: 'awsAccessKeyId', valueString: [misplaced] },
        { name: 'databricksClientSecret', valueString: misplaced },
        { name: 'tablePath', valueString: `s3://key:${misplaced}@bucket/table` },
        { name: 's3Endpoint', valueString: `http://key:${misplaced}@127.0.0.1:9` },
      ];
      const addresses = [
        `s3://key:${misplacedToo}@bucket/table?x`,
        `https://key:${misplacedToo}@bucket/table`,
        `s3://key:${misplacedToo}@bucket/table`,
        `http://key:80/${misplacedToo}@host`,
      ];
      const requests = [
        parameters,
        ...addresses.map((valueString) => [{ name: 'tablePath', valueString }]),
        ...addresses.map((valueString) => [{ name: 's3Endpoint', valueString }]),
        [{ name: 'databricksWorkspaceUrl', valueString: `https://key:${misplacedToo}@host` }],
      ];
      for (const parameter of requests) {
        await stage.call('POST', '/fhir/AidboxTopicDestination', makeRequest('refused', parameter), 422);
      }
    },
  },
  {
    what: 'a create with a secret that is not mounted',
    provoke: async (stage) =>
      expect(
        await stage.call(
          'POST',
          '/fhir/AidboxTopicDestination',
          makeRequest('refused', [
            ...S3_TABLE,
            { name: 'awsAccessKeyId', valueString: SECRETS.misplaced },
            reference('awsSecretAccessKey', 'absent'),
          ]),
          422,
        ),
      ).toContain('SECRET_NOT_AVAILABLE'),
  },
];

export const reference = (name: string, secret: string): object => ({
  name,
  _valueString: {
    extension: [
      { url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'masked' },
      { url: 'http://health-samurai.io/fhir/secret-reference', valueString: secret },
    ],
  },
});
const S3_TABLE = [
  { name: 'tablePath', valueString: 's3://bucket/table' },
  { name: 's3Endpoint', valueString: 'http://127.0.0.1:9' },
];

/** A create with these parameters beside the ones that need no secret. */
export function makeRequest(id: string, parameter: readonly object[]): object {
  const common = [
    { name: 'writeMode', valueString: 'external-direct' },
    { name: 'viewDefinition', valueString: 'canary_patients' },
    { name: 'batchSize', valueUnsignedInt: 50 },
    { name: 'sendIntervalMs', valueUnsignedInt: 100 },
    { name: 'createTable', valueBoolean: true },
    { name: 'skipInitialExport', valueBoolean: true },
  ];
  return {
    resourceType: 'AidboxTopicDestination',
    id,
    topic: 'http://example.org/subscriptions/good',
    kind: 'data-lakehouse-at-least-once',
    meta: {
      profile: ['http://health-samurai.io/fhir/core/StructureDefinition/aidboxtopicdestination-dataLakehouseAtLeastOnceProfile'],
    },
    parameter: [...common, ...parameter],
  };
}

/** Trouble around the service. */
export const OUTAGES: readonly Failure[] = [
  {
    what: 'Aidbox that is down when a delete needs its history, and when a stranger posts',
    async provoke(stage) {
      const from = await stage.logLength();
      const { url, bearerToken } = stage.webhook('good');
      await stage.service.lab.stop();
      try {
        const headers = { authorization: `Bearer ${bearerToken}` };
        const body = aNotification(
          { fullUrl: `Patient/${ID}-910`, request: { method: 'DELETE' } },
          anEntry('create', aCanary(911)),
        );
        expect((await fetch(url, { method: 'POST', headers, body })).status).toBe(200);
        await stage.waitForLog({ event: 'delivery.failed', code: 'AIDBOX_UNAVAILABLE' }, from);
        const stranger = await fetch(url.replace('/good/', `/${ID}-unknown/`), { method: 'POST', headers, body });
        stage.answers.push({ what: 'the answer to a stranger', content: Buffer.from(await stranger.text()) });
        expect(stranger.status).toBe(503);
      } finally {
        await stage.service.lab.start();
      }
    },
  },
  {
    what: 'a queue store that dies while notifications come',
    async provoke(stage) {
      await stage.queue.kill();
      await eventually(async () => expect(await stage.send('good')).toBe(503), { timeoutMs: 20_000 });
      await stage.direct('/health');
      await stage.direct('/metrics');
      await stage.queue.revive();
      await eventually(async () => expect(await stage.send('good')).toBe(200), { timeoutMs: 20_000, everyMs: 100 });
    },
  },
  {
    what: 'leases that are lost',
    async provoke(stage) {
      const from = await stage.logLength();
      await stage.queue.takeLeases();
      await stage.send('good');
      await stage.waitForLog({ event: 'owner.started', destination: 'good' }, from);
    },
  },
  {
    what: 'a table that went back',
    async provoke(stage) {
      await stage.addDestination('went-back');
      await stage.send('went-back');
      await stage.waitForStatus('went-back', 'messagesCommitted', 1);
      const table = tableOf(stage, 'went-back');
      await rm(join(table, commitName(await latestVersion(table))));
      await stage.send('went-back');
      await stage.waitForLog({ event: 'delivery.blocked', destination: 'went-back', code: 'TABLE_WENT_BACK' });
    },
  },
  {
    what: 'a log that another writer left half-written',
    async provoke(stage) {
      await stage.addDestination('half-log');
      const table = tableOf(stage, 'half-log');
      await writeFile(join(table, commitName((await latestVersion(table)) + 1)), '{"commitInfo":{"timestamp":1');
      await stage.send('half-log');
      await stage.waitForLog({ event: 'delivery.blocked', destination: 'half-log', code: 'DELTA_LOG_BROKEN' });
    },
  },
  {
    what: 'a column that another writer removed',
    async provoke(stage) {
      await stage.addDestination('other-schema');
      const table = tableOf(stage, 'other-schema');
      const first = (await readFile(join(table, commitName(0)), 'utf8')).split('\n').filter((line) => line !== '');
      const actions = first.map((line) => JSON.parse(line) as { metaData?: { schemaString: string } });
      const metaData = actions.find((action) => action.metaData !== undefined)!.metaData!;
      const schema = JSON.parse(metaData.schemaString) as { fields: { name: string }[] };
      schema.fields = schema.fields.filter(({ name }) => name !== 'family');
      const change = { metaData: { ...metaData, schemaString: JSON.stringify(schema) } };
      await writeFile(
        join(table, commitName((await latestVersion(table)) + 1)),
        `${JSON.stringify({ commitInfo: { operation: 'DROP COLUMNS' } })}\n${JSON.stringify(change)}\n`,
      );
      await stage.send('other-schema');
      await stage.waitForLog({ destination: 'other-schema', code: 'TABLE_COLUMNS_MISSING' });
    },
  },
];

/** Where a table is in the bucket, behind the proxy. */
export const s3Table = (stage: Stage, path: string): readonly object[] => [
  { name: 'tablePath', valueString: `s3://${stage.bucket}/${path}` },
  { name: 's3Endpoint', valueString: stage.s3!.endpoint },
  { name: 'awsAccessKeyId', valueString: stage.minio!.accessKeyId },
];

/** Trouble of the object store; the destination `on-s3` has its secret from a mounted file, `inline` in its parameters. */
export const STORE_OUTAGES: readonly Failure[] = [
  {
    what: 'a create with a wrong secret key',
    async provoke(stage) {
      const parameter = [...s3Table(stage, 'wrong'), { name: 'awsSecretAccessKey', valueString: SECRETS.wrongAws }];
      expect(await stage.call('POST', '/fhir/AidboxTopicDestination', makeRequest('refused', parameter), 422)).toContain(
        'STORAGE_FORBIDDEN',
      );
    },
  },
  {
    what: 'a store that withdraws the right to write',
    async provoke(stage) {
      stage.s3!.forbid('PUT');
      await stage.send('on-s3');
      await stage.waitForLog({ event: 'delivery.blocked', destination: 'on-s3', code: 'STORAGE_FORBIDDEN' });
      stage.s3!.forbid();
    },
  },
  {
    what: 'a store that is not reachable',
    async provoke(stage) {
      await stage.s3!.close();
      await stage.send('inline');
      await stage.waitForLog({ event: 'delivery.failed', destination: 'inline', code: 'STORAGE_UNAVAILABLE' });
    },
  },
];
