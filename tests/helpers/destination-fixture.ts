import { randomBytes } from 'node:crypto';
import { makeAidboxClient } from '../../app/aidbox/aidbox-client.ts';
import { makeDestinationOperations, type DestinationOperations } from '../../app/destinations/destination-operations.ts';
import { makeDestinationRepository } from '../../app/destinations/destination-repository.ts';
import { DESTINATION_KIND, DESTINATION_PROFILE, normaliseInstallation } from '../../app/destinations/destination.ts';
import type { OperationCall, OperationDeps } from '../../app/destinations/operation-deps.ts';
import { makeSecretStore } from '../../app/destinations/secret-store.ts';
import { makeWebhookDestinations } from '../../app/destinations/webhook-destinations.ts';
import type { Clock } from '../../app/lib/clock.ts';
import type { Sealer } from '../../app/lib/sealer.ts';
import { makeLogger } from '../../app/log.ts';
import type { CompiledView } from '../../app/view/compiled-view.ts';
import { ScriptedAidbox } from './scripted-aidbox.ts';

type Json = Record<string, unknown>;

export const PUBLIC_URL = 'http://lakehouse:7070';
export const CALLER = 'Bearer caller-token';
export const OWN = `Basic ${Buffer.from('lakehouse-client:client-secret').toString('base64')}`;
export const TOPIC = 'http://example.org/subscriptions/patient-updates';

/** A clock that moves only when someone sleeps. */
export class SteppingClock implements Clock {
  nowMs = 1_780_000_000_000;
  /** Every sleep that was asked for. */
  readonly slept: number[] = [];
  now(): number {
    return this.nowMs;
  }
  monotonic(): number {
    return this.nowMs;
  }
  sleep(ms: number): Promise<void> {
    this.slept.push(ms);
    this.nowMs += ms;
    return Promise.resolve();
  }
}

/** Turns the bytes round: not the text in clear, and enough to see where secrets go. */
export const REVERSING_SEALER: Sealer = {
  seal: (plain) => Uint8Array.from(plain, (byte) => byte ^ 0xff),
  open: (sealed) => Uint8Array.from(sealed, (byte) => byte ^ 0xff),
};

export const PATIENT_VIEW: CompiledView = {
  name: 'patient_flat',
  resourceType: 'Patient',
  columns: [
    { name: 'id', fhirType: 'id', collection: false },
    { name: 'gender', fhirType: 'code', collection: false },
  ],
  evaluate: () => [],
};

export interface Fixture {
  readonly aidbox: ScriptedAidbox;
  readonly clock: SteppingClock;
  /** Mutable, so that a test can put in its own part; `operations` sees it. */
  readonly deps: { -readonly [K in keyof OperationDeps]: OperationDeps[K] };
  readonly operations: DestinationOperations;
  readonly logLines: string[];
  readonly dropped: string[];
  /** What happened to tables: `check` and `begin` with the incarnation. */
  readonly tableCalls: string[];
  stop(): Promise<void>;
}

/** The management of destinations against a scripted Aidbox that holds the topic and view of S0. */
export async function makeFixture(options: { sealer?: Sealer | undefined; secretsDirectory?: string } = {}): Promise<Fixture> {
  const aidbox = new ScriptedAidbox();
  aidbox.admitted.add(OWN).add(CALLER);
  const baseUrl = await aidbox.start();
  aidbox.put({
    resourceType: 'AidboxSubscriptionTopic',
    id: 'topic-1',
    url: TOPIC,
    status: 'active',
    trigger: [{ resource: 'Patient', supportedInteraction: ['create', 'update', 'delete'] }],
  });
  aidbox.put({ resourceType: 'ViewDefinition', id: 'view-1', name: 'patient_flat', resource: 'Patient', status: 'active' });
  const logLines: string[] = [];
  const dropped: string[] = [];
  const tableCalls: string[] = [];
  const log = makeLogger('debug', (line) => void logLines.push(line));
  const client = makeAidboxClient({ baseUrl, clientId: 'lakehouse-client', clientSecret: 'client-secret', timeoutMs: 5_000 });
  const installation = normaliseInstallation(baseUrl);
  const secrets = makeSecretStore({
    sealer: 'sealer' in options ? options.sealer : REVERSING_SEALER,
    directory: options.secretsDirectory,
  });
  const clock = new SteppingClock();
  const deps: Fixture['deps'] = {
    client,
    secrets,
    installation,
    clock,
    log,
    repository: makeDestinationRepository({ client, secrets, installation, log }),
    webhooks: makeWebhookDestinations(client, PUBLIC_URL),
    tables: {
      check: async ({ incarnation }) => {
        tableCalls.push(`check ${incarnation}`);
        return { warnings: ['neither view nor table has a time column'] };
      },
      begin: async ({ incarnation }) => void tableCalls.push(`begin ${incarnation}`),
    },
    service: { hasPrincipal: false },
    queues: { drop: async (scope) => void dropped.push(scope), waitingJobs: async () => 0 },
    numbers: {
      read: async () => ({
        messagesDelivered: 100,
        messagesQueued: 3,
        messagesInProcess: 2,
        messagesDeliveryAttempts: 104,
        deliveryState: 'active',
        initialExportStatus: 'not_started',
        initialExportRowsSent: 0,
        more: [{ name: 'rows', valueDecimal: 120 }],
      }),
    },
    fhirVersion: 'R4',
    compileView: () => PATIENT_VIEW,
    createdAtUrl: 'ex:createdAt',
    drainTimeoutMs: 2_000,
    randomBytes,
  };
  return {
    aidbox,
    clock,
    deps,
    operations: makeDestinationOperations(deps),
    logLines,
    dropped,
    tableCalls,
    stop: () => aidbox.stop(),
  };
}

/** A good destination; `parameters` replaces or, when undefined, removes single ones. */
export function aDestination(parameters: Record<string, Json | undefined> = {}, elements: Json = {}): Json {
  const all: Record<string, Json | undefined> = {
    writeMode: { valueString: 'external-direct' },
    tablePath: { valueString: 's3://my-bucket/patients/' },
    awsRegion: { valueString: 'us-east-1' },
    awsAccessKeyId: { valueString: 'AKIACANARY' },
    awsSecretAccessKey: { valueString: 'canary/secret+key' },
    viewDefinition: { valueString: 'patient_flat' },
    batchSize: { valueUnsignedInt: 50 },
    sendIntervalMs: { valueUnsignedInt: 5000 },
    ...parameters,
  };
  return {
    resourceType: 'AidboxTopicDestination',
    id: 'patient-lake',
    topic: TOPIC,
    kind: DESTINATION_KIND,
    meta: { profile: [DESTINATION_PROFILE] },
    parameter: Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [{ name, ...value }])),
    ...elements,
  };
}

export function aCall(call: Partial<OperationCall> = {}): OperationCall {
  return {
    id: undefined,
    version: undefined,
    resource: undefined,
    isPlainRoute: false,
    params: new URLSearchParams(),
    caller: { authorization: CALLER },
    baseUrl: 'http://aidbox',
    ...call,
  };
}
