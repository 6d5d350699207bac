import { setImmediate as nextTurn } from 'node:timers/promises';
import { loadConfig } from '../../../app/config/config.ts';
import { makeLogger } from '../../../app/log.ts';
import type { DestinationQueue, QueueStore } from '../../../app/queue/queue-store.ts';
import { startService } from '../../../app/service/service.ts';
import type { ObjectStore } from '../../../app/storage/object-store.ts';
import type { FromService, Moment, Phase, ToService } from './phase-protocol.ts';

/**
 * The service as app/main.ts runs it, behind ports that tell the parent process where it stands and go on at its word. Nothing in the
 * product knows of it. It is made to be killed: it has no graceful stop.
 */
const waiting = new Map<number, () => void>();
let stands = 0;

process.on('message', ({ go }: ToService) => {
  waiting.get(go)?.();
  waiting.delete(go);
});
process.once('disconnect', () => process.exit(1)); // the parent is gone

const config = loadConfig(process.env);
await startService(config, makeLogger(config.LOG_LEVEL), {
  wrapQueueStore: announceQueueStore,
  wrapObjectStore: announceObjectStore,
});
tell({ kind: 'ready' });

function tell(message: FromService): void {
  process.send?.(message);
}

function stand(phase: Phase, moment: Moment): Promise<void> {
  const number = stands++;
  return new Promise((resolve) => {
    waiting.set(number, resolve);
    tell({ kind: 'stand', number, phase, moment });
  });
}

/** Makes the call and stands beside it: when it was sent, and when its answer is here. */
async function standInside<T>(phase: Phase, call: () => Promise<T>): Promise<T> {
  const answer = call();
  const moment = answer.then<Moment, Moment>(
    () => 'answered',
    () => 'failed',
  );
  for (let turns = 0; turns < 3; turns += 1) await nextTurn(); // clients write to their sockets a turn later
  await stand(phase, 'sent');
  await stand(phase, await moment);
  return answer;
}

function announceObjectStore(store: ObjectStore): ObjectStore {
  return {
    ...store,
    async put(path, body) {
      if (!path.startsWith('_delta_log/')) await stand('before-data-file', 'before');
      return store.put(path, body);
    },
    async putIfAbsent(path, body) {
      if (!/^_delta_log\/\d{20}\.json$/.test(path)) return store.putIfAbsent(path, body);
      await stand('file-to-commit', 'before');
      return standInside('inside-commit', () => store.putIfAbsent(path, body));
    },
  };
}

function announceQueueStore(store: QueueStore): QueueStore {
  return { ...store, destination: (scope) => announceQueue(store.destination(scope)) };
}

function announceQueue(queue: DestinationQueue): DestinationQueue {
  return {
    ...queue,
    add: (job) => standInside('accept', () => queue.add(job)),
    async settle(settlement) {
      if (settlement.jobs.length === 0) return queue.settle(settlement); // the checkpoint of an owner that begins
      await stand('commit-to-complete', 'before');
      return standInside('inside-complete', () => queue.settle(settlement));
    },
  };
}
