import { expect, it } from '@jest/globals';
import type { Destination } from '../../../app/destinations/destination.ts';
import type { QueueStore } from '../../../app/queue/queue-store.ts';
import { makeStatusNumbers } from '../../../app/service/status-numbers.ts';
import { SteppingClock } from '../../helpers/destination-fixture.ts';

const COUNTERS = ['committed', 'noRow', 'duplicates', 'attempts', 'failedAttempts', 'rows', 'accepted', 'quarantined'];
const more = ['unstableKeys', 'storeLosses', 'lostEvents'];

it('shows the last errors as Aidbox does for its own kinds: parts message and timestamp, at most five', async () => {
  const clock = new SteppingClock();
  const lastErrors = Array.from({ length: 7 }, (_, index) => ({
    code: 'STORAGE_FORBIDDEN',
    message: `refused ${index}`,
    action: 'Mend it.',
    atMs: Date.UTC(2026, 0, 1) + index,
  }));
  const published = { v: 1, state: 'blocked', inProcess: 0, lastErrors, atMs: clock.now() };
  const queue = {
    counters: async () => Object.fromEntries([...COUNTERS, ...more].map((name) => [name, 0])),
    usage: async () => ({ jobs: 0, events: 0, bytes: 0, oldestReceivedAtMs: undefined }),
    quarantineSize: async () => ({ entries: 0 }),
    status: async () => new TextEncoder().encode(JSON.stringify(published)),
  };
  const store = { destination: () => queue } as unknown as QueueStore;
  const numbers = await makeStatusNumbers(store, clock).read({ id: 'lake', incarnation: 'one' } as Destination);
  const errors = numbers.more.filter(({ name }) => name === 'lastErrorDetail');
  expect(errors).toHaveLength(5);
  expect(errors[0]).toEqual({
    name: 'lastErrorDetail',
    part: [
      { name: 'message', valueString: 'STORAGE_FORBIDDEN: refused 0. Mend it.' },
      { name: 'timestamp', valueDateTime: '2026-01-01T00:00:00.000Z' },
    ],
  });
});
