import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { openLocalObjectStore } from '../app/storage/local-object-store.ts';
import { startAidboxLab, type AidboxLab } from '../tests/lab/aidbox/lab.ts';
import { readTableContents } from '../tests/helpers/table-contents.ts';
import { freePort, startAppProcess } from './demo/app-process.ts';
import { DESTINATION_ID, makeDestination, TOPIC, VIEW } from './demo/definitions.ts';
import { makeFhirApi, type FhirApi } from './demo/fhir-api.ts';
import { makeProgressBar } from './demo/progress-bar.ts';
import { DEMO_MODES, prepareTable } from './demo/table.ts';
import { formatRows, latestState } from './demo/table-report.ts';
import { planChanges, type Change } from './generator/changes.ts';

const USAGE = `usage: npm run demo -- [options]
Streams changes of patients from Aidbox into a Delta table and shows the table. Without AIDBOX_URL a stand-in of Aidbox is used;
with it (and AIDBOX_CLIENT_ID, AIDBOX_CLIENT_SECRET of a client that may do everything, PUBLIC_URL) a real one.
  --changes N   how many changes to play (default 1000)
  --seed N      another N, other changes (default 1)
  --mode MODE   external-direct (default), managed-zerobus or managed-sql; the managed ones write to a stand-in of Databricks
  --dir DIR     where the data go (default data/demo-<time>)
  --keep        stay up afterwards and print the addresses
  --json        print the result as one JSON line, last`;

const { values } = parseArgs({
  options: {
    changes: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    mode: { type: 'string', default: 'external-direct' },
    dir: { type: 'string' },
    keep: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const count = Number(values.changes);
const mode = DEMO_MODES.find((each) => each === values.mode);
if (values.help || mode === undefined || !Number.isInteger(count) || count < 1 || !Number.isInteger(Number(values.seed))) {
  process.stdout.write(`${USAGE}\n`);
  process.exit(values.help ? 0 : 2);
}

const say = (text: string): void => void process.stderr.write(`${text}\n`);
const startedAtMs = performance.now();
const dir = resolve(values.dir ?? join('data', `demo-${new Date().toISOString().replace(/[:.]/g, '-')}`));
await mkdir(dir, { recursive: true });
const closers: (() => Promise<void>)[] = [];
const closeAll = async (): Promise<void> => {
  for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
};

try {
  const aidbox = await findAidbox();
  const table = await prepareTable(mode, dir);
  closers.push(() => table.close());
  const port = await freePort();
  say(`Aidbox        ${aidbox.url}${aidbox.lab === undefined ? '' : ' (stand-in)'}`);
  const app = await startAppProcess({
    logFile: join(dir, 'service.log'),
    env: { ...appEnvironment(aidbox, port), ...table.env },
  });
  closers.push(() => app.stop());
  say(`Service       ${app.url} (log: ${join(dir, 'service.log')})`);

  const api = makeFhirApi(aidbox.url, aidbox.user, aidbox.password);
  await createDefinitions(api, table.parameters);
  say(`Destination   AidboxTopicDestination/${DESTINATION_ID} (${mode}) → ${table.address}`);

  const changes = pickPatientChanges(Number(values.seed), count);
  await playChanges(api, changes);
  await waitForDelivery(api, changes.length);
  await table.settle();
  const { directory } = table;
  const rows = await report(directory, changes.length);
  const seconds = Number(((performance.now() - startedAtMs) / 1000).toFixed(1));
  say(
    `\nDone in ${seconds} s. Read the table with any Delta engine, for example:\n  python3 -c "from deltalake import DeltaTable; print(DeltaTable('${directory}').to_pandas())"`,
  );
  if (values.json)
    process.stdout.write(`${JSON.stringify({ changes: changes.length, rows, mode, table: directory, seconds })}\n`);
  if (values.keep) await stayUp(aidbox, app.url);
} finally {
  await closeAll();
}

interface AidboxAddress {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly lab: AidboxLab | undefined;
}

async function findAidbox(): Promise<AidboxAddress> {
  const { AIDBOX_URL, AIDBOX_CLIENT_ID = '', AIDBOX_CLIENT_SECRET = '' } = process.env;
  if (AIDBOX_URL !== undefined)
    return { url: AIDBOX_URL.replace(/\/+$/, ''), user: AIDBOX_CLIENT_ID, password: AIDBOX_CLIENT_SECRET, lab: undefined };
  const lab = await startAidboxLab({ rootClient: { id: 'root', secret: randomBytes(16).toString('hex') } });
  closers.push(() => lab.close());
  return { url: lab.url, user: lab.rootClient.id, password: lab.rootClient.secret, lab };
}

function appEnvironment(aidbox: AidboxAddress, port: number): Record<string, string> {
  return {
    PORT: String(port),
    HOST: aidbox.lab === undefined ? '0.0.0.0' : '127.0.0.1',
    PUBLIC_URL: process.env['PUBLIC_URL'] ?? `http://${aidbox.lab === undefined ? 'host.docker.internal' : '127.0.0.1'}:${port}`,
    AIDBOX_URL: aidbox.url,
    AIDBOX_CLIENT_ID: aidbox.user,
    AIDBOX_CLIENT_SECRET: aidbox.password,
    APP_SECRET: randomBytes(24).toString('hex'),
    DATA_DIR: dir,
    ...Object.fromEntries(
      ['REDIS_URL', 'DATABASE_URL', 'LOG_LEVEL'].flatMap((name) =>
        process.env[name] === undefined ? [] : [[name, process.env[name]]],
      ),
    ),
  };
}

async function createDefinitions(api: FhirApi, parameters: readonly object[]): Promise<void> {
  await api.call('DELETE', `/fhir/AidboxTopicDestination/${DESTINATION_ID}`, { expected: [200, 204, 404, 410] });
  await api.call('PUT', `/fhir/AidboxSubscriptionTopic/${TOPIC.id}`, { body: TOPIC });
  await api.call('PUT', `/fhir/ViewDefinition/${VIEW.id}`, { body: VIEW });
  await api.call('POST', '/fhir/AidboxTopicDestination', { body: makeDestination(parameters) });
}

/** The generator plans changes of several types; those of patients depend on no other. */
function pickPatientChanges(seed: number, wanted: number): Change[] {
  const changes: Change[] = [];
  for (const change of planChanges(seed, wanted * 50)) {
    if (change.type === 'Patient') changes.push(change);
    if (changes.length === wanted) break;
  }
  return changes;
}

async function playChanges(api: FhirApi, changes: readonly Change[]): Promise<void> {
  const bar = makeProgressBar('changes', changes.length);
  for (const [index, { method, path, body, contentType }] of changes.entries()) {
    await api.call(method, path, {
      ...(body === undefined ? {} : { body }),
      ...(contentType === undefined ? {} : { contentType }),
      expected: [200, 201, 204],
    });
    bar.update(index + 1);
  }
  bar.end();
}

async function waitForDelivery(api: FhirApi, expected: number): Promise<void> {
  const bar = makeProgressBar('delivered', expected);
  for (const deadline = performance.now() + 120_000; performance.now() < deadline; await pause(200)) {
    const { body } = await api.call('GET', `/fhir/AidboxTopicDestination/${DESTINATION_ID}/$status`);
    const parameters = (body as { parameter: { name: string; valueDecimal?: number }[] }).parameter;
    const delivered = parameters.find(({ name }) => name === 'messagesDelivered')?.valueDecimal ?? 0;
    bar.update(Math.min(expected, delivered));
    if (delivered >= expected) return bar.end();
  }
  throw new Error(`not everything was delivered within two minutes; see ${join(dir, 'service.log')}`);
}

async function report(table: string, sent: number): Promise<number> {
  const { rows, versions } = await readTableContents(await openLocalObjectStore(table, `file://${table}`));
  const living = latestState(rows);
  say(`\nTable         ${rows.length} rows in ${versions.length} versions; ${sent} changes were sent`);
  say(`Latest state  ${living.length} patients\n\n${formatRows(living)}`);
  if (rows.length !== sent) throw new Error(`the table holds ${rows.length} rows, expected ${sent}`);
  return rows.length;
}

async function stayUp({ url: aidboxUrl, user, password, lab }: AidboxAddress, appUrl: string): Promise<void> {
  const login = lab === undefined ? '' : ` (client ${user}, secret ${password})`;
  say(
    `\nStill up (Ctrl+C ends it):\n  Aidbox   ${aidboxUrl}${login}\n  Status   ${aidboxUrl}/fhir/AidboxTopicDestination/${DESTINATION_ID}/$status\n  Health   ${appUrl}/health\n  Metrics  ${appUrl}/metrics`,
  );
  await new Promise((stop) => ['SIGINT', 'SIGTERM'].forEach((signal) => process.once(signal, stop)));
}
