import { randomBytes } from 'node:crypto';
import { MANIFEST_DIRECTORY } from '../aidbox/manifests.ts';
import { registerApp } from '../aidbox/register.ts';
import type { AidboxClient } from '../aidbox/aidbox-client.ts';
import type { Config } from '../config/config.ts';
import { makeDestinationOperations, type DestinationOperations } from '../destinations/destination-operations.ts';
import type { DestinationRepository } from '../destinations/destination-repository.ts';
import type { OperationDeps } from '../destinations/operation-deps.ts';
import { repairDestinations } from '../destinations/repair.ts';
import type { SecretStore } from '../destinations/secret-store.ts';
import type { TablePreparation } from '../destinations/table-preparation.ts';
import { makeWebhookDestinations } from '../destinations/webhook-destinations.ts';
import { isAppError } from '../errors/app-error.ts';
import type { OperationAnswer } from '../fhir/operation-outcome.ts';
import { makeOperationHandler } from '../http/operations.ts';
import type { Clock } from '../lib/clock.ts';
import { describeCause } from '../lib/describe-cause.ts';
import type { Logger } from '../log.ts';
import type { QueueStore } from '../queue/queue-store.ts';
import { compileView } from '../view/compile-view.ts';
import { makeStatusNumbers } from './status-numbers.ts';

export interface AidboxSideDeps {
  readonly config: Config;
  /** Where Aidbox reaches this service. */
  readonly publicUrl: string;
  readonly client: AidboxClient;
  readonly installation: string;
  readonly repository: DestinationRepository;
  readonly secrets: SecretStore;
  readonly tables: TablePreparation;
  readonly queueStore: QueueStore;
  /** Called after a destination came or went. */
  readonly onChange: () => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Our side of the App protocol: answers operations at once, registers in the background, and says when that is done. */
export interface AidboxSide {
  readonly operation: (body: unknown, authorization: string | undefined) => Promise<OperationAnswer>;
  /** Registers, as often as needed until it succeeded, and repairs from then on. Rejects when Aidbox can never be used (its version, our rights), or on `stop`. */
  register(): Promise<void>;
  readonly isRegistered: boolean;
  stop(): Promise<void>;
}

const DRAIN_TIMEOUT_MS = 60_000;
/** What a crash in a create or a delete left behind is put right within this time (and the age at which a create counts as abandoned). */
const REPAIR_EVERY_MS = 60_000;

export function makeAidboxSide(deps: AidboxSideDeps): AidboxSide {
  const { config, client, queueStore, clock, log } = deps;
  const operationDeps: OperationDeps = {
    client,
    repository: deps.repository,
    webhooks: makeWebhookDestinations(client, deps.publicUrl),
    secrets: deps.secrets,
    tables: deps.tables,
    service: { hasPrincipal: config.DATABRICKS_CLIENT_ID !== undefined },
    queues: {
      drop: (scope) => queueStore.destination(scope).drop(),
      waitingJobs: async (scope) => (await queueStore.destination(scope).usage()).jobs,
    },
    numbers: makeStatusNumbers(queueStore, clock),
    fhirVersion: config.FHIR_VERSION,
    compileView: (viewDefinition) =>
      compileView(viewDefinition, { createdAtUrl: config.AIDBOX_CREATED_AT_URL, fhirVersion: config.FHIR_VERSION }),
    installation: deps.installation,
    createdAtUrl: config.AIDBOX_CREATED_AT_URL,
    drainTimeoutMs: DRAIN_TIMEOUT_MS,
    clock,
    randomBytes,
    log,
  };
  const stopping = new AbortController();
  let registered = false;
  let repairs: Promise<void> | undefined;
  return {
    operation: makeOperationHandler({
      appId: config.APP_ID,
      appSecret: config.APP_SECRET,
      baseUrl: client.baseUrl,
      destinations: announceChanges(makeDestinationOperations(operationDeps), deps.onChange),
      log,
    }),
    async register() {
      await registerApp({
        client,
        manifestDirectory: MANIFEST_DIRECTORY,
        values: {
          LAKEHOUSE_APP_ID: config.APP_ID,
          LAKEHOUSE_APP_URL: `${deps.publicUrl.replace(/\/+$/, '')}/aidbox`,
          LAKEHOUSE_APP_SECRET: config.APP_SECRET,
        },
        clock,
        randomBytes,
        log,
        signal: stopping.signal,
      });
      registered = true;
      await repair(operationDeps);
      repairs = repairEverySoOften(operationDeps, deps.onChange, stopping.signal);
      deps.onChange();
    },
    get isRegistered() {
      return registered;
    },
    async stop() {
      stopping.abort();
      await repairs;
    },
  };
}

/** What a create or delete changed must be delivered, or no longer delivered, at once. */
function announceChanges(operations: DestinationOperations, onChange: () => void): DestinationOperations {
  const announcing =
    (operation: DestinationOperations['create']): DestinationOperations['create'] =>
    async (call) => {
      const answer = await operation(call);
      onChange();
      return answer;
    };
  return { ...operations, create: announcing(operations.create), remove: announcing(operations.remove) };
}

async function repairEverySoOften(deps: OperationDeps, onChange: () => void, stop: AbortSignal): Promise<void> {
  for (;;) {
    await deps.clock.sleep(REPAIR_EVERY_MS, stop);
    if (stop.aborted) return;
    if (await repair(deps)) onChange();
  }
}

/** True when something was put right. A failure is logged; the next repair goes on where this one ended. */
async function repair(deps: OperationDeps): Promise<boolean> {
  try {
    const { attention: _attention, ...done } = await repairDestinations(deps);
    return Object.values(done).some((count) => count > 0);
  } catch (error) {
    deps.log.warn({
      event: 'destinations.not-repaired',
      ...(isAppError(error) ? { code: error.code, message: error.message } : {}),
      cause: describeCause(error),
    });
    return false;
  }
}
