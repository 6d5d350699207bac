import { afterEach, expect, it } from '@jest/globals';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { LabSetup } from '../../../lab/databricks/setup.ts';
import { send, type Answered } from './client.ts';

/** The stand-in as a process of its own, over HTTPS, set up and watched through `/_lab/…`. */

const folder = mkdtempSync(join(tmpdir(), 'databricks-lab-'));
let child: ChildProcess | undefined;

afterEach(() => {
  child?.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

interface Addresses {
  readonly workspaceUrl: string;
  readonly zerobusUrl: string;
  readonly workspaceId: string;
  readonly pid: number;
  readonly certificate: string;
}

async function startProcess(...extra: string[]): Promise<Addresses> {
  const main = join(import.meta.dirname, '../../../lab/databricks/main.ts');
  child = spawn(process.execPath, ['--import', 'tsx', main, ...extra], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: child.stdout as NodeJS.ReadableStream }), 'line')) as [string];
  return JSON.parse(line) as Addresses;
}

it('prints its addresses, is set up from a file, takes faults and rows, tells its journal, and brings all rows into the tables before it ends', async () => {
  const setup: LabSetup = {
    principals: [{ clientId: 'sp', secret: 's' }],
    catalogs: [{ name: 'main', storageRoot: 's3://bucket/managed' }],
    schemas: [{ name: 'main.fhir' }],
    tables: [{ name: 'main.fhir.t', columns: [['id', 'STRING']] }],
    warehouses: [{ id: 'w1', state: 'STOPPED' }],
    zerobusGrants: [{ principal: 'sp', table: 'main.fhir.t' }],
  };
  const file = join(folder, 'setup.json');
  writeFileSync(file, JSON.stringify(setup));
  const switches = JSON.stringify({ visibilityDelayMs: 600_000 });
  const lab = await startProcess(
    '--tls',
    '--setup',
    file,
    '--data-folder',
    folder,
    '--workspace-id',
    '77',
    '--switches',
    switches,
  );
  expect(lab.workspaceId).toBe('77');
  const ca = lab.certificate;
  const control = (method: string, path: string, body?: unknown): Promise<Answered> =>
    send(`${lab.workspaceUrl}/_lab/${path}`, { method, ca, ...(body !== undefined && { body: JSON.stringify(body) }) });
  const details = [
    ['CATALOG', 'main', 'USE CATALOG'],
    ['SCHEMA', 'main.fhir', 'USE SCHEMA'],
    ['TABLE', 'main.fhir.t', 'SELECT', 'MODIFY'],
  ].map(([object_type, object_full_path, ...privileges]) => ({
    type: 'unity_catalog_privileges',
    ...{ object_type, object_full_path, privileges },
  }));
  const minted = await send(`${lab.workspaceUrl}/oidc/v1/token`, {
    method: 'POST',
    ca,
    headers: { authorization: `Basic ${btoa('sp:s')}`, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      scope: 'all-apis',
      resource: 'api://databricks/workspaces/77/zerobusDirectWriteApi',
      authorization_details: JSON.stringify(details),
    }).toString(),
  });
  const post = (): Promise<Answered> =>
    send(`${lab.zerobusUrl}/zerobus/v1/tables/main.fhir.t/insert`, {
      method: 'POST',
      ca,
      headers: { authorization: `Bearer ${minted.json['access_token'] as string}`, 'content-type': 'application/json' },
      body: '[{"id":"a"}]',
    });
  expect((await control('POST', 'faults', { service: 'zerobus', error: '503' })).json).toEqual({ id: 1 });
  expect([(await post()).status, (await post()).status]).toEqual([503, 200]);
  expect((await control('GET', 'totals')).json).toMatchObject({
    requests: { token: 1, zerobus: 2 },
    accepted: { 'main.fhir.t': 1 },
    tokens: 1,
    stuck: [],
  });
  expect((await control('GET', 'journal?service=zerobus&after=2')).json).toMatchObject([
    { status: 200, rows: 1, principal: 'sp' },
  ]);
  expect((await control('PATCH', 'switches', { noSuch: 1 })).json['message']).toContain('there is no switch noSuch');
  expect((await control('POST', 'expire-tokens')).status).toBe(200);
  expect((await post()).status).toBe(401);

  const stopped = once(child as ChildProcess, 'exit');
  process.kill(lab.pid, 'SIGTERM');
  expect(await stopped).toEqual([0, null]);
  const [tableId = ''] = readdirSync(join(folder, 'managed'));
  expect(readdirSync(join(folder, 'managed', tableId)).filter((name) => name.endsWith('.parquet'))).toHaveLength(1);
});
