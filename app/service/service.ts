import { join, resolve } from 'node:path';
import { makeAidboxClient } from '../aidbox/aidbox-client.ts';
import type { Config } from '../config/config.ts';
import { readAuthorities } from '../config/databricks-environment.ts';
import { readProxyEnvironment } from '../config/proxy-environment.ts';
import { Supervisor } from '../delivery/supervisor.ts';
import { DestinationDirectory } from '../destinations/destination-directory.ts';
import { makeDestinationRepository } from '../destinations/destination-repository.ts';
import { isRunnable, normaliseInstallation, scopeOf, type Destination } from '../destinations/destination.ts';
import { makeSecretStore } from '../destinations/secret-store.ts';
import { makeOutcome, type OperationAnswer } from '../fhir/operation-outcome.ts';
import { checkHealth, checkReadiness } from '../http/health.ts';
import { isAppCall } from '../http/operations.ts';
import { closeServer, listen, makeServer } from '../http/server.ts';
import { makeSpool } from '../http/spool.ts';
import { makeWebhook, type WebhookTarget } from '../http/webhook.ts';
import { systemClock, type Clock } from '../lib/clock.ts';
import { describeCause } from '../lib/describe-cause.ts';
import { Releasers } from '../lib/releasers.ts';
import { Wakeups } from '../lib/wakeups.ts';
import type { Logger } from '../log.ts';
import { makeMetrics } from '../metrics.ts';
import type { QueueStore } from '../queue/queue-store.ts';
import { makeSlowLane } from '../slow-lane/slow-lane.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { openObjectStore } from '../storage/open-object-store.ts';
import type { TableLocation } from '../storage/table-location.ts';
import { Databricks } from './databricks.ts';
import { type DestinationMemory, makeDestinationMemory, runDestination } from './destination-runtime.ts';
import { makeManagedPreparation } from './managed-preparation.ts';
import { refreshGauges } from './gauges.ts';
import { openSealer } from './seal-keys.ts';
import { openConfiguredQueue } from './configured-queue.ts';
import { makeTablePreparation } from './table-preparation.ts';
import { makeAidboxSide, type AidboxSide } from './aidbox-side.ts';

/** Ends the start, or replaces parts of the service: for tests that watch or break them. */
export interface ServiceParts {
  /** Ends a start that waits for Aidbox. */
  readonly stop?: AbortSignal;
  readonly clock?: Clock;
  readonly wrapQueueStore?: (store: QueueStore) => QueueStore;
  readonly wrapObjectStore?: (store: ObjectStore, location: TableLocation) => ObjectStore;
}

export interface RunningService {
  readonly port: number;
  /** Stops taking notifications, lets what is under way end, closes everything. Nothing accepted is lost. */
  stop(): Promise<void>;
}

/** What an operation gets in the moment between the opening of the port and the end of the start. */
const STARTING: OperationAnswer = {
  status: 503,
  headers: { 'retry-after': '1' },
  body: makeOutcome([{ severity: 'error', code: 'transient', diagnostics: 'the service is starting; try again' }]),
};

/** Builds and starts one process: the only place where the parts meet. @throws AppError when a part cannot start */
export async function startService(config: Config, log: Logger, parts: ServiceParts = {}): Promise<RunningService> {
  const releasers = new Releasers();
  try {
    return await start(config, log, parts, releasers);
  } catch (error) {
    await releasers.releaseAll();
    throw error;
  }
}

async function start(config: Config, log: Logger, parts: ServiceParts, releasers: Releasers): Promise<RunningService> {
  const clock = parts.clock ?? systemClock;
  const metrics = makeMetrics();
  const dataDir = resolve(config.DATA_DIR);
  const takesNotifications = config.ROLE !== 'worker';
  const writesTables = config.ROLE !== 'web';

  const sealer = await openSealer(config.SEAL_KEY, dataDir);
  const opened = await openConfiguredQueue(config, sealer, log);
  releasers.add('queue store', () => opened.close());
  await opened.start();
  const queueStore = parts.wrapQueueStore?.(opened) ?? opened;

  const localRoot = resolve(config.LOCAL_TABLES_DIR ?? join(dataDir, 'tables'));
  const openStore = async (location: TableLocation): Promise<ObjectStore> => {
    const store = await openObjectStore(location, { localRoot });
    return parts.wrapObjectStore?.(store, location) ?? store;
  };

  const installation = normaliseInstallation(config.AIDBOX_URL);
  const client = makeAidboxClient({
    baseUrl: config.AIDBOX_URL,
    clientId: config.AIDBOX_CLIENT_ID,
    clientSecret: config.AIDBOX_CLIENT_SECRET,
    timeoutMs: config.AIDBOX_TIMEOUT_MS,
  });
  const secrets = makeSecretStore({ sealer, directory: config.SECRETS_DIR });
  const repository = makeDestinationRepository({ client, secrets, installation, log });
  const directory = new DestinationDirectory(repository, clock);

  const wakeups = new Wakeups();
  releasers.add(
    'wake-ups',
    queueStore.onJob((scope) => wakeups.wake(scope)),
  );
  const memories = new Map<string, DestinationMemory>();
  const memoryOf = (scope: string): DestinationMemory => {
    const memory = memories.get(scope) ?? makeDestinationMemory();
    memories.set(scope, memory);
    return memory;
  };
  const slowLane = makeSlowLane(config.FLATTEN_TIMEOUT_MS);
  releasers.add('slow lane', () => slowLane.close());
  const databricks = await openDatabricks(config, clock, log);
  releasers.add('Databricks', () => databricks.close());
  const runtime = { config, queueStore, client, openStore, databricks, slowLane, wakeups, memoryOf, clock, metrics, log };
  const supervisor = new Supervisor<Destination>({
    list: async () => (await directory.readAll()).filter(isRunnable),
    run: async (destination, stop) => {
      const end = await runDestination(runtime, destination, stop);
      if (end === 'gone' || end === 'not-owner' || stop.aborted) memories.delete(scopeOf(destination)); // it would only grow old here
      return end;
    },
    refreshMs: config.REFRESH_MS,
    leaseMs: config.LEASE_MS,
    clock,
    log,
  });

  const targetOf = (destination: Destination | undefined): WebhookTarget | undefined =>
    destination && { queue: queueStore.destination(scopeOf(destination)), webhookSecretHash: destination.webhookSecretHash };
  const webhook = makeWebhook({
    find: async (id, incarnation) => targetOf(await directory.find(id, incarnation)),
    findFresh: async (id, incarnation) => targetOf(await directory.findFresh(id, incarnation)),
    spool: makeSpool(join(dataDir, 'spool'), sealer),
    maxNotificationBytes: config.MAX_NOTIFICATION_BYTES,
    clock,
    metrics,
    log,
  });

  const changed = (): void => void (writesTables ? supervisor.refresh() : directory.readAll().catch(() => undefined));
  let aidboxSide: AidboxSide | undefined; // made when the port is open: until then nobody knows the address that Aidbox calls
  const server = makeServer({
    ...(takesNotifications
      ? { webhook, operation: async (body, authorization) => aidboxSide?.operation(body, authorization) ?? STARTING }
      : {}),
    isOperationCaller: (authorization) => isAppCall(authorization, config.APP_ID, config.APP_SECRET),
    health: () => checkHealth(queueStore, config.ROLE),
    ready: () => checkReadiness(queueStore, config.ROLE, aidboxSide?.isRegistered ?? !takesNotifications),
    metrics,
    refreshMetrics: () => refreshGauges(metrics, queueStore, directory.all, clock),
    log,
  });
  const port = await listen(server, config.PORT, config.HOST);
  releasers.add('HTTP server', () => closeServer(server));
  log.info({ event: 'service.listening', port, role: config.ROLE });

  const stopping = new AbortController();
  if (writesTables) {
    supervisor.start();
    releasers.add('delivery', () => supervisor.stop());
  } else {
    const refreshing = refreshForEver(directory, config.REFRESH_MS, clock, log, stopping.signal);
    releasers.add('destinations', () => refreshing);
  }
  if (takesNotifications) {
    const side = makeAidboxSide({
      config,
      publicUrl: config.PUBLIC_URL ?? `http://localhost:${port}`,
      client,
      installation,
      repository,
      secrets,
      tables: makeTablePreparation(
        openStore,
        clock,
        makeManagedPreparation(databricks, (destination, columns) => {
          if (writesTables) memoryOf(scopeOf(destination)).columns = columns;
        }),
      ),
      queueStore,
      onChange: changed,
      clock,
      log,
    });
    aidboxSide = side;
    releasers.add('Aidbox', () => side.stop());
    parts.stop?.addEventListener('abort', () => void side.stop(), { once: true });
    await side.register();
  }
  releasers.add('loops', () => stopping.abort());
  log.info({ event: 'service.started', port, role: config.ROLE });

  return {
    port,
    stop: async () => {
      const failed = await releasers.releaseAll();
      log[failed.length === 0 ? 'info' : 'warn']({ event: 'service.stopped', reason: failed.join(', ') || undefined });
    },
  };
}

/** @throws AppError CONFIG_INVALID when files of authorities cannot be read */
async function openDatabricks(
  {
    CA_FILE: caFile,
    DATABRICKS_CLIENT_ID: clientId,
    DATABRICKS_CLIENT_SECRET: clientSecret,
    DATABRICKS_WORKSPACE_URLS: workspaceUrls = [],
  }: Config,
  clock: Clock,
  log: Logger,
): Promise<Databricks> {
  const principal = clientId === undefined || clientSecret === undefined ? undefined : { clientId, clientSecret, workspaceUrls };
  const trust = await readAuthorities(caFile);
  return new Databricks({ principal, trust, environment: readProxyEnvironment(), clock, log });
}

/** Keeps the destinations of a process that only takes notifications up to date. */
async function refreshForEver(
  directory: DestinationDirectory,
  everyMs: number,
  clock: Clock,
  log: Logger,
  stop: AbortSignal,
): Promise<void> {
  while (!stop.aborted) {
    await directory
      .readAll()
      .catch((error: unknown) => log.warn({ event: 'destinations.not-read', cause: describeCause(error) }));
    await clock.sleep(everyMs, stop);
  }
}
