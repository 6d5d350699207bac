/** A producer in a process of its own: `queue-producer.ts URL SCOPE NAME COUNT` adds COUNT jobs with the bodies `NAME-0`, `NAME-1`, … one after the other. */
import { makePostgresQueueStore } from '../../app/queue/postgres-queue-store.ts';
import { makeRedisQueueStore } from '../../app/queue/redis-queue-store.ts';
import { TEST_OPTIONS } from './queue-server.ts';

const [url = '', scope = '', name = '', count = '0'] = process.argv.slice(2);
const { hash } = new URL(url);
const store = url.startsWith('redis')
  ? makeRedisQueueStore(url.replace(hash, ''), { ...TEST_OPTIONS, prefix: hash.slice(1) })
  : makePostgresQueueStore(url, TEST_OPTIONS);
await store.start();
for (let n = 0; n < Number(count); n++)
  await store.destination(scope).add({ body: Buffer.from(`${name}-${n}`), receivedAtMs: n });
await store.close();
