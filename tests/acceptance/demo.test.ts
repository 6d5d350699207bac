import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Patient } from '@medplum/fhirtypes';
import { planChanges, type Change } from '../../scripts/generator/changes.ts';
import { removeEmbedded } from '../helpers/postgres.ts';
import { describeWith } from '../helpers/services/availability.ts';
import { findDeltaRs } from '../helpers/services/delta-rs.ts';
import type { DeltaRow } from '../helpers/services/delta-reader.ts';
import { dateOf } from './oracle/values.ts';

const CHECKOUT = fileURLToPath(new URL('../..', import.meta.url));
const CHANGES = 500;
const SEED = 77;
const TIMEOUT_MS = 180_000;

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** What `npm run demo` runs once the packages are there, on the embedded queue and the stand-in of Aidbox. */
function runDemo(...args: string[]): Promise<Ended> {
  const env = { ...process.env, AIDBOX_URL: undefined, REDIS_URL: undefined, DATABASE_URL: undefined };
  const child = spawn(process.execPath, ['--import', 'tsx', 'scripts/demo.ts', ...args], {
    cwd: CHECKOUT,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const killNow = (): void => void child.kill('SIGKILL');
  process.once('exit', killNow);
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  return new Promise((resolve, reject) => {
    child.once('error', reject).once('close', (status) => {
      process.removeListener('exit', killNow);
      resolve({ status, stdout, stderr });
    });
  });
}

/** The changes that the demo plays: of all that the generator plans, those of patients. */
function patientChanges(): Change[] {
  const changes: Change[] = [];
  for (const change of planChanges(SEED, CHANGES * 50)) {
    if (change.type === 'Patient' && changes.length < CHANGES) changes.push(change);
  }
  return changes;
}

/** The row of each change, from its contents alone: what the demo's view means, said in plain JavaScript. */
function expectRows(changes: readonly Change[]): DeltaRow[] {
  const patients = new Map<string, Patient>();
  return changes.map(({ interaction, id, body }) => {
    const content = JSON.parse(body ?? '{}') as Partial<Patient>;
    const before = patients.get(id);
    const patient = interaction === 'create' || interaction === 'update' ? (content as Patient) : withPatch(before!, content);
    patients.set(id, patient);
    const official = patient.name?.find(({ use }) => use === 'official');
    return {
      id,
      gender: patient.gender ?? null,
      birth_date: dateOf(patient.birthDate),
      active: patient.active ?? null,
      city: patient.address?.[0]?.city ?? null,
      family_name: official?.family ?? null,
      given_name: official?.given?.join(' ') ?? null,
      is_deleted: interaction === 'delete' ? 1 : 0,
    };
  });
}

/** The generator's patches of patients replace whole elements; null takes one away. */
function withPatch(patient: Patient, patch: object): Patient {
  return Object.fromEntries(Object.entries({ ...patient, ...patch }).filter(([, value]) => value !== null)) as unknown as Patient;
}

describeWith(await findDeltaRs(), 'npm run demo', (deltaRs) => {
  let dir: string;
  let ended: Ended;
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'demo-'));
    ended = await runDemo('--changes', String(CHANGES), '--seed', String(SEED), '--json', '--dir', dir);
  }, TIMEOUT_MS);
  afterAll(async () => {
    await removeEmbedded(join(dir, 'queue'));
    await rm(dir, { recursive: true, force: true });
  });

  const result = (): Record<string, unknown> =>
    JSON.parse(ended.stdout.trimEnd().split('\n').at(-1) ?? '') as Record<string, unknown>;

  it('ends by itself with status 0 and says what it did in one JSON line, last', () => {
    expect({ status: ended.status, stderr: ended.status === 0 ? '' : ended.stderr }).toEqual({ status: 0, stderr: '' });
    expect(result()).toEqual({
      mode: 'external-direct',
      changes: CHANGES,
      rows: CHANGES,
      table: join(dir, 'tables', 'patients'),
      seconds: expect.any(Number),
    });
  });

  it('leaves a table in which delta-rs finds each change, in order, with its key and values', async () => {
    const changes = patientChanges();
    expect(new Set(changes.map(({ interaction }) => interaction))).toEqual(new Set(['create', 'update', 'patch', 'delete']));

    const rows = await deltaRs.readDeltaRows({ tablePath: `file://${String(result()['table'])}` });
    // The stand-in numbers all writes through, and the demo writes one after the other.
    const inOrder = rows.toSorted((a, b) => Number(a['version_id']) - Number(b['version_id']));
    expect(inOrder.map(({ ts: _ts, version_id: _versionId, ...values }) => values)).toEqual(expectRows(changes));

    const versions = inOrder.map((row) => Number(row['version_id']));
    expect(new Set(versions).size).toBe(CHANGES);
    const times = inOrder.map((row) => row['ts'] as string);
    expect(times).toEqual(times.toSorted());
    expect(new Set(times).size).toBe(CHANGES);
  });

  it('shows a few patients of the latest state', () => {
    expect(ended.stderr).toMatch(/500 rows in \d+ versions; 500 changes were sent/);
    expect(ended.stderr).toMatch(/^id +ts +version_id/m);
    expect(ended.stderr).toMatch(/^p-77-\d+ /m);
  });
});
