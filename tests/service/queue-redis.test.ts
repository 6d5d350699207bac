import { randomBytes } from 'node:crypto';
import { afterEach, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import type { AppError } from '../../app/errors/app-error.ts';
import type { QueueStore } from '../../app/queue/queue-store.ts';
import { makeRedisQueueStore } from '../../app/queue/redis-queue-store.ts';
import { eventually } from '../helpers/eventually.ts';
import { TEST_OPTIONS } from '../helpers/queue-server.ts';
import { findRedis, findRedisProgram, type RedisProcess, startRedis } from '../helpers/redis.ts';
import { describeWith } from '../helpers/services/availability.ts';
import { queueSuite } from './queue-suite.ts';

describeWith(await findRedis(), 'queue store on Redis', queueSuite);

describeWith(findRedisProgram(), 'queue store on a Redis of our own', (program) => {
  let redis: RedisProcess;
  let store: QueueStore;
  const codeOf = (promise: Promise<unknown>): Promise<string> =>
    promise.then(
      () => 'resolved',
      (error: AppError) => error.code,
    );
  const start = async (): Promise<void> => {
    redis = await startRedis(program);
    store = makeRedisQueueStore(redis.url, TEST_OPTIONS);
    await store.start();
  };
  afterEach(async () => {
    await store.close();
    await redis.stop();
  });

  it('pushes back when the memory is full, and can still drain', async () => {
    await start();
    const admin = new Redis(redis.url);
    const queue = store.destination('full');
    const add = (): Promise<string> => codeOf(queue.add({ body: randomBytes(10_000), receivedAtMs: 1 }));
    for (let n = 0; n < 50; n++) await add();
    const used = Number(/used_memory:(\d+)/.exec(await admin.info('memory'))?.[1]);
    await admin.config('SET', 'maxmemory', String(used));
    expect(await add()).toBe('QUEUE_FULL');
    expect((await queue.usage()).jobs).toBe(50);

    const lease = await queue.acquireLease(60_000);
    if (lease === undefined) throw new Error('expected the lease to be free');
    expect(await lease.renew()).toBe(true);
    await queue.count({ attempts: 1 });
    await queue.publishStatus(Buffer.from('{}'));
    const jobs = await queue.peek(lease, 0, 50);
    const quarantine = [{ key: 'k', code: 'ROW_INVALID', reason: 'a reason', quarantinedAtMs: 1, event: Buffer.from('{}') }];
    await queue.settle({
      jobs: jobs.map(({ id }) => ({ id, tally: { accepted: 1 } })),
      quarantine,
      checkpoint: Buffer.from('c'),
    });
    expect((await queue.counters()).accepted).toBe(50);
    expect((await queue.quarantineSize()).entries).toBe(1);
    expect(
      await eventually(async () => ((await add()) === 'resolved' ? 'resolved' : Promise.reject(new Error('still full')))),
    ).toBe('resolved');
    await admin.config('SET', 'maxmemory', '1000');
    await queue.drop();
    expect((await admin.keys('lakehouse:full:*')).length).toBe(1);
    admin.disconnect();
  }, 60_000);

  it('accepts nothing from a server that came back with weak settings', async () => {
    await start();
    const queue = store.destination('weak');
    await queue.add({ body: Buffer.from('x'), receivedAtMs: 1 });
    await redis.kill();
    await redis.restart(['--appendfsync', 'everysec']);
    await eventually(() => store.ping());
    expect(await codeOf(queue.add({ body: Buffer.from('x'), receivedAtMs: 1 }))).toBe('QUEUE_NOT_DURABLE');
    expect((await queue.usage()).jobs).toBe(1);
    await redis.kill();
    await redis.restart();
    await eventually(() => queue.add({ body: Buffer.from('x'), receivedAtMs: 1 }));
  }, 60_000);

  it.each([
    ['--appendonly', 'no'],
    ['--appendfsync', 'everysec'],
    ['--maxmemory-policy', 'allkeys-lru'],
    ['--rename-command', 'CONFIG ""'],
  ])(
    'does not start with %s %s, and says so',
    async (name, value) => {
      await start();
      await redis.kill();
      await redis.restart([name, ...value.split(' ')]);
      const other = makeRedisQueueStore(redis.url, TEST_OPTIONS);
      const expected =
        name === '--rename-command'
          ? /appendfsync unreadable, expected always/
          : new RegExp(`${name.slice(2)} ${value}, expected`);
      await expect(other.start()).rejects.toMatchObject({ code: 'QUEUE_NOT_DURABLE', message: expect.stringMatching(expected) });
      await other.close();
    },
    60_000,
  );
});
