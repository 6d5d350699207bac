import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Counters, QuarantineEntry, QueueStore } from '../../../app/queue/queue-store.ts';
import type { ServiceParts } from '../../../app/service/service.ts';
import { openLocalObjectStore } from '../../../app/storage/local-object-store.ts';
import { eventually } from '../../helpers/eventually.ts';
import { startServiceUnderTest, type ServiceUnderTest, type ServiceUnderTestOptions } from '../../helpers/service-under-test.ts';
import { readTableContents } from '../../helpers/table-contents.ts';
import { findWebhook, type Webhook } from '../../helpers/webhook.ts';
import { aNotification, anEntry, aPatient, VIEW } from './patients.ts';

/** What became of the events of one destination. */
export interface Ends {
  /** Events of notifications that ended. */
  readonly accepted: number;
  readonly committed: number;
  readonly quarantined: number;
  readonly noRow: number;
  readonly duplicates: number;
}

/** The service with a destination that keeps delivering, and eyes on what becomes of every event. */
export interface WatchedService extends ServiceUnderTest {
  readonly webhookOf: (destinationId: string) => Webhook;
  /** Counters of a destination once nothing waits for it any more. */
  settled(destinationId: string): Promise<Ends>;
  counters(destinationId: string): Promise<Counters>;
  quarantine(destinationId: string): Promise<readonly QuarantineEntry[]>;
  waitingJobs(destinationId: string): Promise<number>;
  /** Rows of a local table of this service. */
  rows(tableName: string): Promise<readonly Record<string, unknown>[]>;
  /** Makes a destination with the view of `patients.ts` and a local table of its id. */
  addDestination(id: string): Promise<void>;
  /** Sends an event to the healthy destination and waits for its row: nothing may hold it up for longer than `timeoutMs`. */
  expectHealthy(timeoutMs?: number): Promise<void>;
  logLines(): Promise<readonly Record<string, unknown>[]>;
}

const HEALTHY = 'healthy';
/** Far below any pause of a destination that retries (1 s and more) or is blocked (60 s), with room for a busy machine. */
const HEALTHY_TIMEOUT_MS = 8_000;

export async function startWatchedService(options: ServiceUnderTestOptions = {}): Promise<WatchedService> {
  let store: QueueStore | undefined;
  const parts: ServiceParts = {
    ...options.parts,
    wrapQueueStore: (opened) => (store = options.parts?.wrapQueueStore?.(opened) ?? opened),
  };
  const service = await startServiceUnderTest({ ...options, parts });
  const webhookOf = (id: string): Webhook => findWebhook(service.lab, id);
  const queueOf = (id: string) => {
    if (store === undefined) throw new Error('the service is not running');
    return store.destination(webhookOf(id).scope);
  };
  const watched: WatchedService = {
    ...service,
    webhookOf,
    async settled(id) {
      await eventually(
        async () => {
          const { jobs } = await queueOf(id).usage();
          if (jobs > 0) throw new Error(`${jobs} notifications of ${id} are not settled`);
        },
        { timeoutMs: 20_000, everyMs: 20 },
      );
      const { accepted, committed, quarantined, noRow, duplicates } = await queueOf(id).counters();
      return { accepted, committed, quarantined, noRow, duplicates };
    },
    counters: (id) => queueOf(id).counters(),
    quarantine: (id) => queueOf(id).quarantineList(0, 100_000),
    waitingJobs: async (id) => (await queueOf(id).usage()).jobs,
    async rows(tableName) {
      const { tablePath } = service.localTable(tableName);
      const table = await openLocalObjectStore(fileURLToPath(tablePath), tablePath);
      return (await readTableContents(table)).rows;
    },
    addDestination: (id) =>
      service.createDestination({ id, view: VIEW, table: service.localTable(id), batchSize: 100, sendIntervalMs: 100 }),
    async expectHealthy(timeoutMs = HEALTHY_TIMEOUT_MS) {
      const { committed } = await queueOf(HEALTHY).counters();
      const { status } = await webhookOf(HEALTHY).post(aNotification(anEntry('create', aPatient())));
      if (status !== 200) throw new Error(`the healthy destination answered ${status}`);
      await eventually(
        async () => {
          const now = await queueOf(HEALTHY).counters();
          if (now.committed !== committed + 1) throw new Error('the healthy destination does not deliver');
        },
        { timeoutMs, everyMs: 20 },
      );
    },
    async logLines() {
      const text = await readFile(join(service.dir, 'service.log'), 'utf8');
      return text
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
    },
  };
  try {
    await watched.addDestination(HEALTHY);
    return watched;
  } catch (error) {
    await service.close();
    throw error;
  }
}
