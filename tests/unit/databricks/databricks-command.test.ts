import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setupCommand } from '../../../app/cli/databricks/setup-command.ts';
import { WrongWords } from '../../../app/cli/words.ts';
import { startDatabricksLab, type DatabricksLab } from '../../lab/databricks/lab.ts';
import { grantForZerobus } from '../../lab/databricks/setup.ts';

const PROGRAM = fileURLToPath(new URL('../../../app/cli/databricks.ts', import.meta.url));
const CLIENT = { id: '11111111-2222-3333-4444-555555555555', secret: 'the secret of the principal' };
const TABLE = 'main.fhir.patients';
const directory = mkdtempSync(join(tmpdir(), 'databricks-command-'));

function file(name: string, content: unknown): string {
  const path = join(directory, name);
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

const view = file('view.json', {
  resourceType: 'ViewDefinition',
  name: 'patient_flat',
  resource: 'Patient',
  select: [{ column: [{ name: 'id', path: 'id' }] }],
});

async function run(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number | null; out: string; err: string }> {
  const child = spawn(process.execPath, ['--import', 'tsx', PROGRAM, ...args], {
    stdio: 'pipe',
    env: { ...process.env, ...env },
  });
  const output = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output.out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output.err += text));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...output };
}

let lab: DatabricksLab;
let caFile: string;
beforeAll(async () => {
  lab = await startDatabricksLab({ tls: true, sink: 'count' });
  caFile = file('ca.pem', lab.certificate!.cert);
  lab.principals.add(CLIENT.id, CLIENT.secret);
  lab.registry.createCatalog('main', { storageRoot: 's3://bucket/managed/' });
  lab.registry.createSchema('main.fhir');
  lab.registry.createTable(TABLE, {
    columns: [
      ['id', 'STRING'],
      ['is_deleted', 'INT'],
    ],
    storageLocation: 's3://bucket/managed/t',
  });
  grantForZerobus(lab, CLIENT.id, TABLE);
});
afterAll(async () => {
  await lab.close();
  rmSync(directory, { recursive: true });
});

function destination(name: string, changes: Readonly<Record<string, unknown>> = {}): string {
  const values: Readonly<Record<string, unknown>> = {
    writeMode: 'managed-zerobus',
    databricksWorkspaceUrl: lab.workspaceUrl,
    databricksWorkspaceId: lab.workspaceId,
    databricksRegion: 'us-east-1',
    zerobusEndpoint: lab.zerobusUrl,
    databricksClientId: CLIENT.id,
    databricksClientSecret: CLIENT.secret,
    tableName: TABLE,
    databricksWarehouseId: 'abc123',
    viewDefinition: 'patient_flat',
    batchSize: 50,
    sendIntervalMs: 5000,
    skipInitialExport: true,
    ...changes,
  };
  const parameter = Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) =>
      typeof value === 'string'
        ? { name: key, valueString: value }
        : typeof value === 'number'
          ? { name: key, valueUnsignedInt: value }
          : { name: key, valueBoolean: value },
    );
  return file(name, {
    resourceType: 'AidboxTopicDestination',
    id: 'd',
    topic: 'http://example.org/t',
    kind: 'data-lakehouse-at-least-once',
    parameter,
  });
}

describe('doctor', () => {
  it('finds a workspace ready, waits for a warehouse that starts, and ends with 0', async () => {
    lab.warehouses.add('abc123', { state: 'STOPPED', startMs: 50 });
    lab.registry.grants.grant(CLIENT.id, 'WAREHOUSE', 'abc123', 'CAN USE');
    const { code, out, err } = await run(['doctor', destination('ready.json'), '--view', view, '--all'], { CA_FILE: caFile });
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^ok {6}SQL warehouse: abc123 was STOPPED and ran a statement after \d+\.\d s$/m);
    expect(out).toMatch(/^\d+ ok, 0 missing, 0 unknown, \d+ skipped$/m);
    expect(out).not.toContain(CLIENT.secret);
    expect(lab.journal.entries({ service: 'zerobus' }).filter(({ method }) => method !== 'GET')).toEqual([]);
  });

  it('tries a warehouse by a statement where the workspace does not tell its state', async () => {
    lab.warehouses.add('abc123');
    lab.switches.absentRoutes = 'surroundings';
    const ready = await run(['doctor', destination('quiet.json'), '--all'], { CA_FILE: caFile });
    lab.registry.grants.revoke(CLIENT.id, 'WAREHOUSE', 'abc123', 'CAN USE');
    const refused = await run(['doctor', destination('quiet.json')], { CA_FILE: caFile });
    lab.registry.grants.grant(CLIENT.id, 'WAREHOUSE', 'abc123', 'CAN USE');
    lab.switches.absentRoutes = 'none';
    expect(ready.out).toMatch(
      /^ok {6}SQL warehouse: abc123 was in a state that is not told and ran a statement after \d+\.\d s$/m,
    );
    expect(ready.code).toBe(0);
    expect(refused.code).toBe(1);
    expect(refused.out).toMatch(/^MISSING SQL warehouse: WAREHOUSE_/m);
  });

  it('stops at the first thing missing, says the cure, and ends with 1', async () => {
    lab.registry.grants.revoke(CLIENT.id, 'TABLE', TABLE, 'MODIFY');
    const path = destination('modify.json');
    const { code, out } = await run(['doctor', path, '--without-warehouse'], { CA_FILE: caFile });
    const asJson = await run(['doctor', path, '--without-warehouse', '--json'], { CA_FILE: caFile });
    lab.registry.grants.grant(CLIENT.id, 'TABLE', TABLE, 'MODIFY');
    expect(code).toBe(1);
    expect(out).toContain(
      `MISSING MODIFY on the table: not granted on ${TABLE}\n        expected: MODIFY on TABLE ${TABLE}\n        cure:\n          GRANT MODIFY ON TABLE \`main\`.\`fhir\`.\`patients\` TO \`${CLIENT.id}\`;\n`,
    );
    expect(out).not.toContain('kind of the table');
    const { ready, checks } = JSON.parse(asJson.out) as { ready: boolean; checks: { id: string; status: string }[] };
    expect({ code: asJson.code, ready, last: checks.at(-1) }).toMatchObject({
      code: 1,
      ready: false,
      last: { id: 'modify', status: 'missing' },
    });
  });

  it('takes the secret from the environment, or from a mounted file', async () => {
    const reference = {
      extension: [
        { url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'masked' },
        { url: 'http://health-samurai.io/fhir/secret-reference', valueString: 'mounted' },
      ],
    };
    const without = destination('without.json', { databricksClientId: undefined, databricksClientSecret: undefined });
    const common = { CA_FILE: caFile };
    const args = ['--without-warehouse', '--json'];
    const principal = { DATABRICKS_CLIENT_ID: CLIENT.id, DATABRICKS_CLIENT_SECRET: CLIENT.secret };
    expect((await run(['doctor', without, ...args], { ...common, ...principal })).code).toBe(0);
    const json = JSON.parse(readFileSync(destination('r.json', { databricksClientSecret: undefined }), 'utf8')) as {
      parameter: unknown[];
    };
    json.parameter.push({ name: 'databricksClientSecret', _valueString: reference });
    const referring = file('referring.json', json);
    file('mounted', CLIENT.secret);
    expect((await run(['doctor', referring, ...args], { ...common, SECRETS_DIR: directory })).code).toBe(0);
    const nowhere = await run(['doctor', referring, ...args], common);
    expect(nowhere.code).toBe(1);
    expect(nowhere.out).toContain('no secrets directory is configured');
  });

  it('names what is wrong with the parameters first', async () => {
    const { code, out } = await run(['doctor', destination('bad.json', { databricksRegion: 'US EAST', batchSize: 0 })], {
      CA_FILE: caFile,
    });
    expect(code).toBe(1);
    expect(out).toMatch(/^MISSING parameters of the destination: 2 problems$/m);
    expect(out).toContain('databricksRegion: found');
  });

  it.each([[['doctor', 'absent.json']], [['cure']]])('ends with 2 for %j', async (args) => {
    const { code, err } = await run(args);
    expect(code).toBe(2);
    expect(err).toContain('usage: npm run doctor');
  });
});

describe('grants and setup', () => {
  it('print what was asked for', async () => {
    const grants = await run([
      'grants',
      '--mode',
      'managed-sql',
      '--table',
      TABLE,
      '--principal',
      CLIENT.id,
      '--warehouse',
      'abc123',
      '--external-location',
      'loc',
    ]);
    expect(grants.code).toBe(0);
    expect(grants.out).toContain('ON SCHEMA `main`.`fhir_staging`');
    expect(grants.out).toContain('databricks warehouses update-permissions abc123');
    const words = [
      '--mode',
      'managed-sql',
      '--table',
      TABLE,
      '--view',
      view,
      '--bucket',
      'my-bucket',
      '--region',
      'us-east-1',
      '--aws-account',
      '123456789012',
      '--principal',
      CLIENT.id,
      '--warehouse',
      'abc123',
      '--workspace-url',
      'https://w.cloud.databricks.com',
    ];
    const setup = await run(['setup', '--print', ...words, '--system-columns']);
    expect({ code: setup.code, err: setup.err }).toEqual({ code: 0, err: '' });
    expect(setup.out).toContain('`_event_id` STRING');
    const withoutPrint = await run(['setup', ...words]);
    expect(withoutPrint).toMatchObject({ code: 2, out: '' });
  });

  it.each([
    [['--principal', "x'; rm -rf /"], '--principal'],
    [['--region', 'us-gov-west-1'], 'GovCloud'],
    [['--bucket', '$(id)'], '--bucket'],
    [['--role', 'a b'], '--role'],
    [['--aws-account', '12'], '--aws-account'],
  ])('refuse %j', async (changed, named) => {
    const words = new Map([
      ['--mode', 'managed-sql'],
      ['--table', TABLE],
      ['--view', view],
      ['--bucket', 'my-bucket'],
      ['--region', 'us-east-1'],
      ['--aws-account', '123456789012'],
      ['--principal', CLIENT.id],
      ['--warehouse', 'abc123'],
      ['--workspace-url', 'https://w.cloud.databricks.com'],
    ]);
    words.set(changed[0]!, changed[1]!);
    const nothing = (text: string): never => {
      throw new Error(`nothing is to be printed: ${text}`);
    };
    const refusal = setupCommand(['--print', ...[...words].flat()], nothing, nothing);
    await expect(refusal).rejects.toThrow(WrongWords);
    await expect(refusal).rejects.toThrow(named);
  });
});
