import { afterEach, describe, expect, it } from '@jest/globals';
import { planChanges } from '../../scripts/generator/changes.ts';
import { eventually } from '../helpers/eventually.ts';
import { findDifference, NO_DIFFERENCE } from '../helpers/multiset-difference.ts';
import { playChanges } from '../helpers/play-changes.ts';
import { findPostgres, removeEmbedded } from '../helpers/postgres.ts';
import { startRedis } from '../helpers/redis.ts';
import { startServiceUnderTest, type QueueAddress, type ServiceUnderTest } from '../helpers/service-under-test.ts';
import { bothOf, describeWith, type Availability } from '../helpers/services/availability.ts';
import { findOnPath } from '../helpers/services/cache.ts';
import type { DeltaReader } from '../helpers/services/delta-reader.ts';
import { findDeltaRs } from '../helpers/services/delta-rs.ts';
import { expectRows, type FlatView } from './oracle/flat-view.ts';
import { OBSERVATION_VALUES } from './oracle/observation.ts';
import { PATIENT_NAMES } from './oracle/patient.ts';
import {
  copyEmbeddedFiles,
  copyPostgresRows,
  copyRedisFiles,
  dropPostgresSchemas,
  dumpRedis,
  emptyPostgres,
  emptyRedis,
  type Restore,
} from './queue-store-copies.ts';

const DESTINATIONS: Readonly<Record<string, FlatView>> = { patients: PATIENT_NAMES, observations: OBSERVATION_VALUES };
const IDS = Object.keys(DESTINATIONS);
/** The second part is what the table knows and the older copy does not. */
const CHANGES = [...planChanges(55, 1_700)];
const [FIRST, SECOND, NEW] = [CHANGES.slice(0, 700), CHANGES.slice(700, 1_550), CHANGES.slice(1_550)];
const BATCH_SIZE = 100;
const TIMEOUT_MS = 120_000;

/** How a queue store comes to hold less than it did. */
interface Loss {
  readonly queue?: QueueAddress;
  readonly runAs?: 'process';
  readonly reason: 'emptied' | 'rolled-back';
  /** Makes the copy to go back to; with notifications waiting. */
  readonly copy?: (service: ServiceUnderTest) => Promise<Restore>;
  /** Loses what the store holds; `restore` is there when `copy` is. */
  readonly lose: (service: ServiceUnderTest, restore: Restore) => Promise<void>;
}

const deltaRsFound = await findDeltaRs();
const postgresFound = await findPostgres();
const redisProgram = findOnPath('redis-server');
/** Only a Redis of our own may be emptied. */
const redisFound: Availability<string> =
  redisProgram === undefined
    ? { name: 'redis-server', enableBy: 'apt-get install redis-server' }
    : { name: 'redis-server', found: redisProgram };

const whileStopped = async (service: ServiceUnderTest, work: () => Promise<unknown>): Promise<void> => {
  await service.stopService();
  await work();
  await service.startService();
};

describe('a queue store that lost what it held', () => {
  const closers: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (let close = closers.pop(); close !== undefined; close = closers.pop()) await close();
  }, 60_000);

  describeWith(bothOf(deltaRsFound, redisFound), 'Redis', ([deltaRs, program]) => {
    const start = async (): Promise<Awaited<ReturnType<typeof startRedis>>> => {
      const redis = await startRedis(program);
      closers.push(() => redis.stop());
      return redis;
    };

    it(
      'emptied by FLUSHALL: no double, nothing forgotten, and it is said',
      async () => {
        const { url } = await start();
        await goThrough(deltaRs, { queue: { redisUrl: url }, reason: 'emptied', lose: () => emptyRedis(url) });
      },
      TIMEOUT_MS,
    );

    it(
      'emptied when the service was killed: the same',
      async () => {
        const { url } = await start();
        await goThrough(deltaRs, {
          queue: { redisUrl: url },
          runAs: 'process',
          reason: 'emptied',
          lose: async (service) => {
            await service.killService();
            await emptyRedis(url);
            await service.startService();
          },
        });
      },
      TIMEOUT_MS,
    );

    it(
      'put back to an older dump of its keys: the same',
      async () => {
        const { url } = await start();
        await goThrough(deltaRs, {
          queue: { redisUrl: url },
          reason: 'rolled-back',
          copy: () => dumpRedis(url),
          lose: (_service, restore) => restore(),
        });
      },
      TIMEOUT_MS,
    );

    it(
      'put back to an older copy of its files: the same',
      async () => {
        const redis = await start();
        await goThrough(deltaRs, {
          queue: { redisUrl: redis.url },
          reason: 'rolled-back',
          copy: () => copyRedisFiles(redis),
          lose: (_service, restore) => restore(),
        });
      },
      TIMEOUT_MS,
    );
  });

  describeWith(bothOf(deltaRsFound, postgresFound), 'PostgreSQL', ([deltaRs, startPostgres]) => {
    const start = async (): Promise<string> => {
      const server = await startPostgres();
      closers.push(() => server.stop());
      return server.url;
    };

    it(
      'whose tables were emptied: the same',
      async () => {
        const url = await start();
        await goThrough(deltaRs, { queue: { databaseUrl: url }, reason: 'emptied', lose: () => emptyPostgres(url) });
      },
      TIMEOUT_MS,
    );

    it(
      'whose schemas were dropped while the service was down: the same',
      async () => {
        const url = await start();
        await goThrough(deltaRs, {
          queue: { databaseUrl: url },
          reason: 'emptied',
          lose: (service) => whileStopped(service, () => dropPostgresSchemas(url)),
        });
      },
      TIMEOUT_MS,
    );

    it(
      'whose rows were put back to an older copy: the same',
      async () => {
        const url = await start();
        await goThrough(deltaRs, {
          queue: { databaseUrl: url },
          reason: 'rolled-back',
          copy: () => copyPostgresRows(url),
          lose: (_service, restore) => restore(),
        });
      },
      TIMEOUT_MS,
    );

    it(
      'whose rows were put back while the service was down: the same',
      async () => {
        const url = await start();
        await goThrough(deltaRs, {
          queue: { databaseUrl: url },
          reason: 'rolled-back',
          copy: () => copyPostgresRows(url),
          lose: (service, restore) => whileStopped(service, restore),
        });
      },
      TIMEOUT_MS,
    );
  });

  describeWith(deltaRsFound, 'the embedded PostgreSQL', (deltaRs) => {
    it(
      'that vanished from the disk: the same',
      async () => {
        await goThrough(deltaRs, {
          reason: 'emptied',
          lose: (service) => whileStopped(service, () => removeEmbedded(`${service.dir}/queue`)),
        });
      },
      TIMEOUT_MS,
    );

    it(
      'put back to an older copy of its files: the same',
      async () => {
        let restore: Restore = () => Promise.reject(new Error('there is no copy'));
        await goThrough(deltaRs, {
          reason: 'rolled-back',
          copy: async (service) => {
            await whileStopped(service, async () => (restore = await copyEmbeddedFiles(service.dir)));
            return restore;
          },
          lose: (service) => whileStopped(service, restore),
        });
      },
      TIMEOUT_MS,
    );
  });

  async function goThrough(deltaRs: DeltaReader, { queue = {}, runAs, reason, copy, lose }: Loss): Promise<void> {
    const service = await startServiceUnderTest({ queue, ...(runAs && { runAs }) });
    closers.push(() => service.close());
    const { lab } = service;
    for (const [id, { definition }] of Object.entries(DESTINATIONS)) {
      await service.createDestination({
        id,
        view: definition,
        table: service.localTable(id),
        batchSize: BATCH_SIZE,
        sendIntervalMs: 2_000,
      });
    }
    const expectTables = async (): Promise<void> => {
      await service.waitForDelivery(IDS);
      for (const [id, view] of Object.entries(DESTINATIONS)) {
        const rows = await deltaRs.readDeltaRows(service.localTable(id));
        expect({ id, ...findDifference(rows, expectRows(view, lab.events(id))) }).toEqual({ id, ...NO_DIFFERENCE });
      }
    };

    await playChanges(lab, FIRST);
    await eventually(() => expect(lab.eventsQueued()).toBe(0));
    if (copy !== undefined) expect((await service.status('observations'))['queuedNotifications']).toBeGreaterThan(0);
    const restore = (await copy?.(service)) ?? (() => Promise.reject(new Error('there is no copy')));
    await playChanges(lab, SECOND);
    await service.waitForDelivery(IDS);

    await lose(service, restore);

    const again = IDS.map((id) => lab.redeliver(id, 'all'));
    expect(again.reduce((total, count) => total + count, 0)).toBeGreaterThanOrEqual(1_000);
    await expectTables();

    const { body } = await service.api.call('GET', '/fhir/AidboxTopicDestination');
    const found = (body as { entry: { resource: { id: string } }[] }).entry.map(({ resource }) => resource.id);
    expect(found.toSorted()).toEqual(IDS.toSorted());
    await playChanges(lab, NEW);
    await expectTables();

    for (const id of IDS) {
      expect(await service.status(id)).toMatchObject({ state: 'running', queueStoreLosses: 1, lastQueueStoreLoss: reason });
      expect(await service.metric('lakehouse_queue_store_losses', id)).toBe(1);
    }
  }
});
