import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { makeSecretStore } from '../../../app/destinations/secret-store.ts';
import { makeSealer } from '../../../app/lib/sealer.ts';
import { aCall, aDestination, makeFixture, REVERSING_SEALER, type Fixture } from '../../helpers/destination-fixture.ts';

type Json = Record<string, unknown>;
const CANARIES = ['AKIACANARY', 'canary/secret+key', 'file-canary'];
const reference = (name: string): Json => ({
  _valueString: {
    extension: [
      { url: 'http://hl7.org/fhir/StructureDefinition/data-absent-reason', valueCode: 'masked' },
      { url: 'http://health-samurai.io/fhir/secret-reference', valueString: name },
    ],
  },
});

let directory: string;
let fixture: Fixture;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'secrets-'));
  await writeFile(join(directory, 'lake-key'), 'file-canary\n');
  fixture = await makeFixture({ secretsDirectory: directory, sealer: makeSealer(Buffer.alloc(32, 7)) });
});
afterEach(async () => {
  await fixture.stop();
  await rm(directory, { recursive: true });
});

describe('secrets of a destination', () => {
  it('are found in no answer, no log line and no call to Aidbox, while the table gets them (S0.36)', async () => {
    const resource = aDestination({ awsSecretAccessKey: reference('lake-key') });
    const answers: unknown[] = [await fixture.operations.create(aCall({ resource }))];
    answers.push(await fixture.operations.create(aCall({ resource: aDestination({}, { id: 'second' }) })));
    for (const id of ['patient-lake', 'second']) {
      answers.push(await fixture.operations.read(aCall({ id })), await fixture.operations.status(aCall({ id })));
    }
    answers.push(await fixture.operations.search(aCall()));
    answers.push(await fixture.operations.create(aCall({ resource })).catch((error: unknown) => String(error)));
    answers.push(await fixture.operations.create(aCall({ resource: aDestination({ batchSize: { valueUnsignedInt: 0 } }) })));
    expect((await fixture.deps.repository.get('patient-lake'))!.target).toMatchObject({
      location: { accessKeyId: 'AKIACANARY', secretAccessKey: 'file-canary' },
    });
    expect((await fixture.deps.repository.get('second'))!.target).toMatchObject({
      location: { secretAccessKey: 'canary/secret+key' },
    });
    answers.push(await fixture.operations.remove(aCall({ id: 'second' })));

    const everything = JSON.stringify({
      answers,
      calls: fixture.aidbox.calls,
      stored: [...fixture.aidbox.store.values()].map((type) => [...type.values()]),
      log: fixture.logLines,
    });
    for (const canary of CANARIES) expect(everything).not.toContain(canary);
    expect(everything).toContain('lake-key');
  });

  it('given by reference follow the mounted file, so they can be rotated', async () => {
    await fixture.operations.create(aCall({ resource: aDestination({ awsSecretAccessKey: reference('lake-key') }) }));
    await writeFile(join(directory, 'lake-key'), 'rotated');
    expect((await fixture.deps.repository.get('patient-lake'))!.target).toHaveProperty('location.secretAccessKey', 'rotated');
    await rm(join(directory, 'lake-key'));
    expect(await fixture.deps.repository.get('patient-lake')).toMatchObject({
      problem: { code: 'SECRET_NOT_AVAILABLE' },
      phase: 'active',
    });
  });

  it('sealed with another key stop the destination, which stays visible', async () => {
    await fixture.operations.create(aCall({ resource: aDestination() }));
    const { makeDestinationRepository } = await import('../../../app/destinations/destination-repository.ts');
    const secrets = makeSecretStore({ sealer: makeSealer(Buffer.alloc(32, 8)), directory });
    const other = makeDestinationRepository({ ...fixture.deps, secrets });
    const [destination] = await other.list();
    expect(destination).toMatchObject({ id: 'patient-lake', problem: { code: 'SECRET_UNREADABLE' } });
    expect(destination!.target).not.toHaveProperty('location.secretAccessKey');
  });
});

describe('the secret store', () => {
  const store = makeSecretStore({ sealer: REVERSING_SEALER, directory: undefined });

  it('opens a sealed secret only at its own place', async () => {
    const stored = await store.store('d1', 'awsSecretAccessKey', { kind: 'inline', value: 's' });
    expect(await store.resolve('d1', 'awsSecretAccessKey', stored)).toBe('s');
    await expect(store.resolve('d2', 'awsSecretAccessKey', stored)).rejects.toMatchObject({ code: 'SECRET_UNREADABLE' });
    await expect(store.resolve('d1', 'awsAccessKeyId', stored)).rejects.toMatchObject({ code: 'SECRET_UNREADABLE' });
    await expect(store.resolve('d1', 'awsSecretAccessKey', { kind: 'sealed', sealed: 'AAAA' })).rejects.toMatchObject({
      code: 'SECRET_UNREADABLE',
    });
  });

  it('reads no file without a directory, none outside it, and no empty one', async () => {
    await expect(store.store('d1', 'p', { kind: 'reference', name: 'x' })).rejects.toMatchObject({
      code: 'SECRET_NOT_AVAILABLE',
    });
    await writeFile(join(directory, 'empty'), '\n');
    const files = makeSecretStore({ sealer: undefined, directory: join(directory, 'sub') });
    const good = makeSecretStore({ sealer: undefined, directory });
    await expect(files.resolve('d1', 'p', { kind: 'reference', name: '../lake-key' })).rejects.toMatchObject({
      message: expect.stringContaining('no plain file name') as unknown,
    });
    await expect(good.resolve('d1', 'p', { kind: 'reference', name: 'empty' })).rejects.toMatchObject({
      code: 'SECRET_NOT_AVAILABLE',
    });
    expect(await good.resolve('d1', 'p', { kind: 'reference', name: 'lake-key' })).toBe('file-canary');
  });
});
