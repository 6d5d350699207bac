import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AppError } from '../../app/errors/app-error.ts';
import { makeSealer } from '../../app/lib/sealer.ts';
import type { Counters, DestinationQueue, Job, Lease, QuarantineEntry, QueueStore } from '../../app/queue/queue-store.ts';
import { eventually } from '../helpers/eventually.ts';
import type { QueueServer } from '../helpers/queue-server.ts';

const CANARY = 'Zebulon-Quackenbush';
const KILL_ROUNDS = Number(process.env['QUEUE_KILL_ROUNDS'] ?? 20);

const bytes = (text: string): Buffer => Buffer.from(text);
const text = (job: Job): string => Buffer.from(job.body).toString();
const codeOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => 'resolved',
    (error: AppError) => error.code,
  );
const entry = (key: string, quarantinedAtMs: number, event = key): QuarantineEntry => ({
  key,
  code: 'ROW_INVALID',
  reason: 'found text, expected a number',
  quarantinedAtMs,
  event: bytes(event),
});
const ended = (jobs: readonly Job[], tally: Partial<Counters> = { accepted: 1 }): { id: string; tally: Partial<Counters> }[] =>
  jobs.map(({ id }) => ({ id, tally }));

async function fill(queue: DestinationQueue, count: number, callers = 1, name = 'job'): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) await queue.add({ body: bytes(`${name}-${next}`), receivedAtMs: 1_000 + next++ });
  };
  await Promise.all(Array.from({ length: callers }, work));
}

async function leaseOf(queue: DestinationQueue, ttlMs = 60_000): Promise<Lease> {
  const lease = await queue.acquireLease(ttlMs);
  if (lease === undefined) throw new Error('expected the lease to be free');
  return lease;
}

async function peekAll(queue: DestinationQueue, lease: Lease, step = 500): Promise<Job[]> {
  const all: Job[] = [];
  for (;;) {
    const jobs = await queue.peek(lease, all.length, step);
    if (jobs.length === 0) return all;
    all.push(...jobs);
  }
}

async function settleAll(queue: DestinationQueue, lease: Lease): Promise<Job[]> {
  const all: Job[] = [];
  for (;;) {
    const jobs = await queue.peek(lease, 0, 500);
    if (jobs.length === 0) return all;
    await queue.settle({ jobs: ended(jobs), quarantine: [] });
    all.push(...jobs);
  }
}

/** What every backend must do, on a real server. */
export function queueSuite(startServer: () => Promise<QueueServer>): void {
  let server: QueueServer;
  let store: QueueStore;
  const scope = (): string => `inst.dest-${randomUUID()}`;

  beforeAll(async () => {
    server = await startServer();
    [store] = await Promise.all([server.start(), server.start(), server.start()]); // on an empty server
  }, 120_000);
  afterAll(async () => server?.stop(), 60_000);

  describe('jobs', () => {
    it('are there for another process when add has resolved', async () => {
      const name = scope();
      await store.destination(name).add({ body: bytes('one'), receivedAtMs: 1_234_567_890_123 });
      const other = (await server.start()).destination(name);
      const [job, ...more] = await other.peek(await leaseOf(other), 0, 10);
      expect(more).toEqual([]);
      expect(job).toEqual({ id: expect.stringMatching(/^[0-9a-f-]{36}$/), body: bytes('one'), receivedAtMs: 1_234_567_890_123 });
      expect(await other.usage()).toEqual({
        jobs: 1,
        events: 1,
        bytes: expect.any(Number),
        oldestReceivedAtMs: 1_234_567_890_123,
      });
      expect(await server.bullmqCounts(name)).toMatchObject({ waiting: 1, active: 0 });
    });

    it('are counted with their events, until they end', async () => {
      const queue = store.destination(scope());
      await queue.add({ body: bytes('twenty'), receivedAtMs: 1, events: 20 });
      await queue.add({ body: bytes('three'), receivedAtMs: 2, events: 3 });
      expect(await queue.usage()).toMatchObject({ jobs: 2, events: 23 });
      const [first] = await queue.peek(await leaseOf(queue), 0, 1);
      await queue.settle({ jobs: ended([first!]), quarantine: [] });
      expect(await queue.usage()).toMatchObject({ jobs: 1, events: 3 });
    });

    it('come in order of acceptance from four producers, and a page once read never shifts', async () => {
      const name = scope();
      const queue = store.destination(name);
      const lease = await leaseOf(queue);
      const producers = Promise.all(
        ['a', 'b', 'c', 'd'].map(async (producer) => fill((await server.start()).destination(name), 500, 1, producer)),
      );
      const seen: Job[] = [];
      while (seen.length < 2_000) seen.push(...(await queue.peek(lease, seen.length, 37)));
      await producers;
      expect(new Set(seen.map(({ id }) => id)).size).toBe(2_000);
      for (const producer of ['a', 'b', 'c', 'd']) {
        const own = seen.map(text).filter((body) => body.startsWith(producer));
        expect(own).toEqual(Array.from({ length: 500 }, (_, n) => `${producer}-${n}`));
      }
      expect((await peekAll(queue, lease)).map(({ id }) => id)).toEqual(seen.map(({ id }) => id));
    }, 120_000);

    it('of two processes both arrive', async () => {
      const name = scope();
      const script = new URL('../helpers/queue-producer.ts', import.meta.url).pathname;
      await Promise.all(
        ['left', 'right'].map((producer) =>
          promisify(execFile)(process.execPath, ['--import', 'tsx', script, server.url, name, producer, '50']),
        ),
      );
      const queue = store.destination(name);
      const bodies = (await peekAll(queue, await leaseOf(queue))).map(text);
      expect(bodies.filter((body) => body.startsWith('left'))).toEqual(Array.from({ length: 50 }, (_, n) => `left-${n}`));
      expect(bodies.filter((body) => body.startsWith('right'))).toEqual(Array.from({ length: 50 }, (_, n) => `right-${n}`));
    }, 60_000);

    it('can be skipped and limited', async () => {
      const queue = store.destination(scope());
      const lease = await leaseOf(queue);
      expect(await queue.peek(lease, 0, 10)).toEqual([]);
      await fill(queue, 10);
      expect((await queue.peek(lease, 3, 4)).map(text)).toEqual(['job-3', 'job-4', 'job-5', 'job-6']);
      expect((await queue.peek(lease, 8, 4)).map(text)).toEqual(['job-8', 'job-9']);
      expect(await queue.peek(lease, 10, 4)).toEqual([]);
      expect(await queue.peek(lease, 0, 0)).toEqual([]);
    });

    it('keep every byte of their body', async () => {
      const queue = store.destination(scope());
      const bodies = [
        bytes(''),
        bytes('{"a":"\\u0000 and a real one: \0"}'),
        bytes('{"lone":"\\ud800","pair":"\\ud83d\\ude00","text":"😀\u2028"}'),
        Buffer.from([0xff, 0xfe, 0xc3, 0x28, 0x00, 0xed, 0xa0, 0x80]),
        Buffer.from(Array.from({ length: 256 }, (_, n) => n)),
        Buffer.concat(Array.from({ length: 320_000 }, (_, n) => bytes(`${n}:${(n * 2_654_435_761) % 4_294_967_296};`))).subarray(
          0,
          5 << 20,
        ),
      ];
      for (const body of bodies) await queue.add({ body, receivedAtMs: 1 });
      const jobs = await peekAll(queue, await leaseOf(queue));
      expect(
        jobs.map(({ body }) => Buffer.from(body).equals(bodies[jobs.findIndex((job) => job.body === body)] ?? bytes('none'))),
      ).toEqual(bodies.map(() => true));
    }, 60_000);

    it('wake whoever listens, also in another process', async () => {
      const name = scope();
      const heard: string[] = [];
      const other = await server.start();
      const forget = other.onJob((woken) => heard.push(woken));
      await eventually(async () => {
        await store.destination(name).add({ body: bytes('x'), receivedAtMs: 1 });
        expect(heard).toContain(name);
      });
      forget();
    });
  });

  describe('settle', () => {
    it('ends the named jobs only, adds their tallies and leaves nothing of them', async () => {
      const name = scope();
      const queue = store.destination(name);
      const lease = await leaseOf(queue);
      await fill(queue, 5);
      const jobs = await queue.peek(lease, 0, 5);
      const [first, second, third, fourth, fifth] = jobs as [Job, Job, Job, Job, Job];
      await queue.settle({
        jobs: ended([second, fourth], { accepted: 20, committed: 19, rows: 40, noRow: 1 }),
        quarantine: [],
        checkpoint: bytes('at 7'),
      });
      expect((await queue.peek(lease, 0, 9)).map(({ id }) => id)).toEqual([first.id, third.id, fifth.id]);
      expect(await queue.counters()).toMatchObject({
        accepted: 40,
        committed: 38,
        rows: 80,
        noRow: 2,
        duplicates: 0,
        attempts: 0,
      });
      expect(Buffer.from((await queue.checkpoint()) ?? []).toString()).toBe('at 7');
      expect((await queue.usage()).jobs).toBe(3);
      const dump = (await server.dump(name)).join('\n');
      expect(dump).toContain(first.id);
      expect(dump).not.toContain(second.id);
      expect(dump).not.toContain(fourth.id);

      await queue.settle({ jobs: ended([first, third, fifth]), quarantine: [] });
      expect(await server.bullmqCounts(name)).toMatchObject({ waiting: 0, active: 0, delayed: 0, completed: 0, failed: 0 });
      expect(await queue.usage()).toEqual({ jobs: 0, events: 0, bytes: 0, oldestReceivedAtMs: undefined });
    });

    it('counts a job once, whoever ends it and how often', async () => {
      const name = scope();
      const queue = store.destination(name);
      const other = (await server.start()).destination(name);
      const lease = await leaseOf(queue);
      await fill(queue, 60);
      const jobs = await queue.peek(lease, 0, 60);
      const settlements = [jobs, [...jobs].reverse(), jobs.slice(20), jobs.slice(0, 40)].map((part) => ({
        jobs: ended(part, { committed: 3 }),
        quarantine: [],
      }));
      await Promise.all(settlements.flatMap((settlement) => [queue.settle(settlement), other.settle(settlement)]));
      await queue.settle({ jobs: [...ended(jobs), { id: randomUUID(), tally: { committed: 99 } }], quarantine: [] });
      expect((await queue.counters()).committed).toBe(180);
      expect((await queue.usage()).jobs).toBe(0);
    });

    it('needs no jobs, and count needs no settlement', async () => {
      const queue = store.destination(scope());
      expect(await queue.checkpoint()).toBeUndefined();
      await queue.settle({ jobs: [], quarantine: [], checkpoint: Buffer.from([0, 255, 0]) });
      expect(await queue.checkpoint()).toEqual(Buffer.from([0, 255, 0]));
      await Promise.all(Array.from({ length: 10 }, () => queue.count({ attempts: 20, failedAttempts: 20 })));
      await queue.count({ storeLosses: 1 });
      expect(await queue.counters()).toEqual({
        accepted: 0,
        committed: 0,
        rows: 0,
        noRow: 0,
        duplicates: 0,
        quarantined: 0,
        attempts: 200,
        failedAttempts: 200,
        unstableKeys: 0,
        storeLosses: 1,
        lostEvents: 0,
        repeatedRows: 0,
      });
    });

    it('goes on while jobs come in, and the books are right at the end', async () => {
      const name = scope();
      const queue = store.destination(name);
      const lease = await leaseOf(queue);
      const adding = fill(queue, 1_000, 16);
      let done = false;
      void adding.then(() => (done = true));
      const bodies: string[] = [];
      while (!done || (await queue.usage()).jobs > 0) bodies.push(...(await settleAll(queue, lease)).map(text));
      await adding;
      expect(new Set(bodies).size).toBe(1_000);
      expect(bodies).toHaveLength(1_000);
      expect((await queue.counters()).accepted).toBe(1_000);
      expect(await queue.usage()).toEqual({ jobs: 0, events: 0, bytes: 0, oldestReceivedAtMs: undefined });
    }, 60_000);
  });

  describe('quarantine', () => {
    it('keeps the first entry of a key, lists by time and forgets what is removed', async () => {
      const queue = store.destination(scope());
      const lease = await leaseOf(queue);
      await fill(queue, 1);
      const jobs = await queue.peek(lease, 0, 1);
      await queue.settle({
        jobs: ended(jobs, { quarantined: 2 }),
        quarantine: [entry('k2', 2_000), entry('k1', 1_000, 'first')],
      });
      await queue.settle({
        jobs: ended(jobs, { quarantined: 2 }),
        quarantine: [entry('k1', 9_000, 'again'), entry('k3', 3_000)],
      });
      expect(await queue.quarantineList(0, 10)).toEqual([entry('k1', 1_000, 'first'), entry('k2', 2_000), entry('k3', 3_000)]);
      expect((await queue.quarantineList(1, 1)).map(({ key }) => key)).toEqual(['k2']);
      const size = await queue.quarantineSize();
      expect(size.entries).toBe(3);
      expect(size.bytes).toBeGreaterThan(0);
      expect((await queue.counters()).quarantined).toBe(2);
      expect(await queue.quarantineRemove(['k1', 'k3', 'unknown'])).toBe(2);
      expect(await queue.quarantineRemove(['k1'])).toBe(0);
      expect(await queue.quarantineRemove([])).toBe(0);
      expect((await queue.quarantineList(0, 10)).map(({ key }) => key)).toEqual(['k2']);
      await queue.quarantineRemove(['k2']);
      expect(await queue.quarantineSize()).toEqual({ entries: 0, bytes: 0 });
    });
  });

  describe('leases', () => {
    it('have one holder at a time, and only the holder may peek', async () => {
      const name = scope();
      const [queue, other] = [store.destination(name), (await server.start()).destination(name)];
      const lease = await leaseOf(queue);
      await fill(queue, 1);
      expect(await other.acquireLease(60_000)).toBeUndefined();
      expect(await lease.held()).toBe(true);
      expect(await lease.renew()).toBe(true);
      await lease.release();
      expect(await lease.held()).toBe(false);
      const next = await leaseOf(other);
      expect(await codeOf(queue.peek(lease, 0, 1))).toBe('LEASE_LOST');
      expect(await lease.renew()).toBe(false);
      await lease.release(); // not ours any more: changes nothing
      expect(await next.held()).toBe(true);
      expect(await other.peek(next, 0, 1)).toHaveLength(1);
    });

    it('end by themselves, and the late holder learns it', async () => {
      const name = scope();
      const queue = store.destination(name);
      const lease = await leaseOf(queue, 200);
      const next = await eventually(() => leaseOf(queue, 60_000));
      expect(await lease.held()).toBe(false);
      expect(await lease.renew()).toBe(false);
      expect(await codeOf(queue.peek(lease, 0, 1))).toBe('LEASE_LOST');
      expect(await next.held()).toBe(true);
    });

    it('of other work are by name, apart from those of destinations', async () => {
      const name = scope();
      const work = await store.acquireLease(name, 60_000);
      expect(work?.name).toBe(name);
      expect(await (await server.start()).acquireLease(name, 60_000)).toBeUndefined();
      expect(await store.destination(name).acquireLease(60_000)).toBeDefined();
      await work?.release();
      expect(await store.acquireLease(name, 1)).toBeDefined();
    });

    it('are taken by exactly one of many who try at once', async () => {
      const queue = store.destination(scope());
      const taken = await Promise.all(Array.from({ length: 20 }, () => queue.acquireLease(60_000)));
      expect(taken.filter((lease) => lease !== undefined)).toHaveLength(1);
    });
  });

  describe('drop', () => {
    it('forgets everything of the scope, for every process, and refuses what comes later', async () => {
      const name = scope();
      const [queue, other] = [store.destination(name), (await server.start()).destination(name)];
      const lease = await leaseOf(queue);
      await fill(queue, 2_500, 64);
      await other.add({ body: bytes(CANARY), receivedAtMs: 1 });
      const jobs = await queue.peek(lease, 0, 2);
      await queue.settle({ jobs: ended(jobs), quarantine: [entry('k', 1)], checkpoint: bytes('c') });
      await queue.publishStatus(bytes('{}'));
      await queue.drop();
      await queue.drop();
      for (const each of [queue, other]) {
        expect(await codeOf(each.add({ body: bytes('late'), receivedAtMs: 1 }))).toBe('QUEUE_DROPPED');
        expect(await codeOf(each.acquireLease(1_000))).toBe('QUEUE_DROPPED');
        expect(await codeOf(each.peek(lease, 0, 1))).toBe('LEASE_LOST');
      }
      await queue.settle({ jobs: ended(jobs), quarantine: [entry('late', 1)], checkpoint: bytes('late') });
      await queue.count({ attempts: 1 });
      await queue.publishStatus(bytes('late'));
      expect((await server.dump(name)).map((line) => line.length).filter((length) => length > 200)).toEqual([]);
      expect(await server.dump(name)).toHaveLength(1); // the tombstone
      expect(await queue.usage()).toEqual({ jobs: 0, events: 0, bytes: 0, oldestReceivedAtMs: undefined });
      expect(await queue.quarantineSize()).toEqual({ entries: 0, bytes: 0 });
      expect(await queue.checkpoint()).toBeUndefined();
      expect(await queue.status()).toBeUndefined();
    }, 60_000);

    it('lets nothing slip in or stay when others add and settle meanwhile', async () => {
      const name = scope();
      const queue = store.destination(name);
      const other = (await server.start()).destination(name);
      const lease = await leaseOf(queue);
      await fill(queue, 100, 16);
      const jobs = await queue.peek(lease, 0, 100);
      const adds = Array.from({ length: 100 }, (_, n) => codeOf(other.add({ body: bytes(`late-${n}`), receivedAtMs: 1 })));
      const settlements = Array.from({ length: 10 }, (_, n) =>
        other.settle({ jobs: ended(jobs.slice(n * 10, n * 10 + 10)), quarantine: [entry(`k${n}`, n)] }),
      );
      await Promise.all([queue.drop(), ...settlements]);
      expect(['resolved', 'QUEUE_DROPPED']).toEqual(expect.arrayContaining([...new Set(await Promise.all(adds))]));
      expect(await server.dump(name)).toHaveLength(1);
    }, 60_000);
  });

  describe('bounds', () => {
    it('refuse a job over the limit of jobs, and take one again when there is room', async () => {
      const queue = (await server.start({ maxJobs: 3 })).destination(scope());
      const outcomes = await Promise.all(
        Array.from({ length: 8 }, () => codeOf(queue.add({ body: bytes('x'), receivedAtMs: 1 }))),
      );
      expect(outcomes.filter((outcome) => outcome === 'resolved')).toHaveLength(3);
      expect(outcomes.filter((outcome) => outcome === 'QUEUE_FULL')).toHaveLength(5);
      const lease = await leaseOf(queue);
      await queue.settle({ jobs: ended(await queue.peek(lease, 0, 1)), quarantine: [] });
      expect(await codeOf(queue.add({ body: bytes('x'), receivedAtMs: 1 }))).toBe('resolved');
      expect(await codeOf(queue.add({ body: bytes('x'), receivedAtMs: 1 }))).toBe('QUEUE_FULL');
    });

    it('refuse a job over the limit of bytes, but never one alone', async () => {
      const queue = (await server.start({ maxBytes: 20_000 })).destination(scope());
      const noise = (size: number): Buffer => Buffer.from(Array.from({ length: size }, () => Math.floor(Math.random() * 256)));
      expect(await codeOf(queue.add({ body: noise(50_000), receivedAtMs: 1 }))).toBe('resolved');
      expect(await codeOf(queue.add({ body: bytes('x'), receivedAtMs: 1 }))).toBe('QUEUE_FULL');
      await settleAll(queue, await leaseOf(queue));
      const outcomes: string[] = [];
      for (let n = 0; n < 20; n++) outcomes.push(await codeOf(queue.add({ body: noise(1_000), receivedAtMs: 1 })));
      expect(outcomes.filter((outcome) => outcome === 'resolved').length).toBeGreaterThan(10);
      expect(outcomes.at(-1)).toBe('QUEUE_FULL');
    });

    it('leave nothing behind after 10,000 jobs', async () => {
      const name = scope();
      const queue = store.destination(name);
      const lease = await leaseOf(queue);
      const linesAfter: number[] = [];
      for (let round = 0; round < 2; round++) {
        await fill(queue, 5_000, 64);
        expect(await settleAll(queue, lease)).toHaveLength(5_000);
        linesAfter.push((await server.dump(name)).length);
      }
      expect(linesAfter[1]).toBe(linesAfter[0]);
      expect(linesAfter[1]).toBeLessThan(12);
      expect((await server.dump(name)).join('\n').length).toBeLessThan(20_000);
    }, 120_000);
  });

  describe('at rest', () => {
    const [oldKey, newKey] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];

    it('nothing can be read when there is a key, and keys can be rotated', async () => {
      const name = scope();
      const sealed = (await server.start({ sealer: makeSealer(oldKey) })).destination(name);
      await sealed.add({ body: bytes(CANARY), receivedAtMs: 1 });
      await sealed.settle({ jobs: [], quarantine: [entry('k', 1, CANARY)] });
      const dump = (await server.dump(name)).join('\n');
      expect(dump.length).toBeGreaterThan(100);
      for (const form of [CANARY, Buffer.from(CANARY).toString('hex'), Buffer.from(CANARY).toString('base64').slice(1, -3)])
        expect(dump).not.toContain(form);
      expect(await codeOf(store.destination(name).quarantineList(0, 1))).toBe('QUEUE_UNREADABLE');

      const rotated = (await server.start({ sealer: makeSealer(newKey, oldKey) })).destination(name);
      await rotated.add({ body: bytes('new'), receivedAtMs: 1 });
      const lease = await leaseOf(rotated);
      expect((await rotated.peek(lease, 0, 9)).map(text)).toEqual([CANARY, 'new']);
      expect((await rotated.quarantineList(0, 9)).map(({ event }) => Buffer.from(event).toString())).toEqual([CANARY]);
      const onlyNew = (await server.start({ sealer: makeSealer(newKey) })).destination(name);
      expect(await codeOf(onlyNew.peek(lease, 0, 9))).toBe('QUEUE_UNREADABLE');
    });

    it('what was stored unsealed can still be read with a key, up to the first that cannot', async () => {
      const name = scope();
      const plain = store.destination(name);
      await plain.add({ body: bytes('plain'), receivedAtMs: 1 });
      const sealed = (await server.start({ sealer: makeSealer(newKey) })).destination(name);
      await sealed.add({ body: bytes('sealed'), receivedAtMs: 1 });
      const lease = await leaseOf(sealed);
      expect((await sealed.peek(lease, 0, 9)).map(text)).toEqual(['plain', 'sealed']);
      expect((await plain.peek(lease, 0, 9)).map(text)).toEqual(['plain']);
    });
  });

  it('shows the last status to every process', async () => {
    const name = scope();
    expect(await store.destination(name).status()).toBeUndefined();
    await store.destination(name).publishStatus(bytes('{"n":1}'));
    await store.destination(name).publishStatus(bytes('{"n":2}'));
    const status = await (await server.start()).destination(name).status();
    expect(Buffer.from(status ?? []).toString()).toBe('{"n":2}');
  });

  it('takes only scopes that fit into keys', () => {
    for (const bad of ['', 'a:b', 'a/b', 'a b', '~', 'x'.repeat(201)]) expect(() => store.destination(bad)).toThrow(RangeError);
  });

  it('refuses to start on a server that may lose what it acknowledged, unless that is allowed', async () => {
    if (server.setDurable === undefined) return expect(await codeOf(server.open().start())).toBe('resolved');
    await server.setDurable(false);
    try {
      expect(await codeOf(server.open().start())).toBe('QUEUE_NOT_DURABLE');
      await server.start({ allowWeakDurability: true });
    } finally {
      await server.setDurable(true);
    }
    expect(await codeOf(server.open().start())).toBe('resolved');
  });

  it('shows an address without credentials', () => {
    expect(store.address).toMatch(/^(redis|postgresql):\/\/[\w.-]+:\d+\/\w+$/);
  });

  describe('when the server breaks', () => {
    const power = (): NonNullable<QueueServer['power']> => {
      if (server.power === undefined) throw new Error('expected a server of our own: unset TEST_REDIS_URL and TEST_DATABASE_URL');
      return server.power;
    };

    it('add rejects within its time while the server is frozen, holds nothing back, and works again afterwards', async () => {
      const name = scope();
      const queue = (await server.start({ timeoutMs: 1_000 })).destination(name);
      await queue.add({ body: bytes('before'), receivedAtMs: 1 });
      power().freeze();
      const startedAt = performance.now();
      const outcomes = await Promise.all(
        Array.from({ length: 50 }, (_, n) => codeOf(queue.add({ body: bytes(`frozen-${n}`), receivedAtMs: 1 }))),
      );
      const tookMs = performance.now() - startedAt;
      power().thaw();
      expect(new Set(outcomes)).toEqual(new Set(['QUEUE_UNAVAILABLE']));
      expect(tookMs).toBeLessThan(5_000); // five times the limit: the machine may be slow, but not that slow
      await eventually(() => queue.add({ body: bytes('after'), receivedAtMs: 1 }), { timeoutMs: 30_000 });
      const bodies = (await peekAll(queue, await eventually(() => leaseOf(queue)))).map(text);
      expect(bodies[0]).toBe('before');
      expect(bodies).toContain('after');
      expect(new Set(bodies).size).toBe(bodies.length - bodies.filter((body) => body === 'after').length + 1); // nothing is there twice
      expect((await queue.usage()).jobs).toBe(bodies.length);
    }, 60_000);

    it('add fails at once while nobody listens, stores nothing later, and works again by itself', async () => {
      const name = scope();
      const ours = await server.start();
      const queue = ours.destination(name);
      const heard: string[] = [];
      ours.onJob((woken) => heard.push(woken));
      await power().kill();
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, () => codeOf(queue.add({ body: bytes('lost'), receivedAtMs: 1 }))),
      );
      const ping = await codeOf(ours.ping());
      await power().restart();
      await eventually(() => ours.ping(), { timeoutMs: 30_000 });
      expect(new Set([...outcomes, ping])).toEqual(new Set(['QUEUE_UNAVAILABLE']));
      await eventually(() => queue.add({ body: bytes('after'), receivedAtMs: 1 }), { timeoutMs: 30_000 });
      expect((await queue.usage()).jobs).toBe(1);
      await eventually(
        async () => {
          await queue.add({ body: bytes('after'), receivedAtMs: 1 });
          expect(heard).toContain(name);
        },
        { timeoutMs: 30_000 },
      );
    }, 120_000);

    it(`no resolved add is lost when the server is killed in the middle, ${KILL_ROUNDS} times`, async () => {
      const name = scope();
      const queue = (await server.start()).destination(name);
      const resolved = new Set<string>();
      for (let round = 0; round < KILL_ROUNDS; round++) {
        await eventually(() => queue.add({ body: bytes(`start-${round}`), receivedAtMs: 1 }), { timeoutMs: 30_000 });
        resolved.add(`start-${round}`);
        const adds = Array.from({ length: 40 }, async (_, n) => {
          const body = `round-${round}-${n}`;
          if ((await codeOf(queue.add({ body: bytes(body), receivedAtMs: 1 }))) === 'resolved') resolved.add(body);
        });
        await Promise.race(adds.slice(0, 1 + (round % 20)));
        await power().kill();
        await Promise.all(adds);
        await power().restart();
      }
      const lease = await eventually(() => leaseOf(queue), { timeoutMs: 30_000 });
      const found = (await peekAll(queue, lease)).map(text);
      expect([...resolved].filter((body) => !found.includes(body))).toEqual([]);
      expect(new Set(found).size).toBe(found.length);
      expect(resolved.size).toBeGreaterThan(KILL_ROUNDS);
      expect((await queue.usage()).jobs).toBe(found.length);
    }, 600_000);
  });
}
