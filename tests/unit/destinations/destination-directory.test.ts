import { describe, expect, it } from '@jest/globals';
import { DestinationDirectory } from '../../../app/destinations/destination-directory.ts';
import type { DestinationRepository } from '../../../app/destinations/destination-repository.ts';
import type { Destination } from '../../../app/destinations/destination.ts';
import { SteppingClock } from '../../helpers/destination-fixture.ts';

const aDestination = (incarnation: string, webhookSecretHash = 'old'): Destination =>
  ({ id: 'lake', incarnation, webhookSecretHash, phase: 'active' }) as Destination;

/** A directory before an Aidbox that holds `stored`, and how often that was asked. */
function makeBench(stored?: Destination) {
  const bench = { stored, asked: 0, clock: new SteppingClock() };
  const repository = {
    list: async () => (bench.stored === undefined ? [] : [bench.stored]),
    get: async () => {
      bench.asked += 1;
      return bench.stored;
    },
  } as unknown as DestinationRepository;
  return Object.assign(bench, { directory: new DestinationDirectory(repository, bench.clock) });
}

describe('the directory of destinations', () => {
  it('never calls unknown what was created after an answer that there is none', async () => {
    const bench = makeBench();
    expect(await bench.directory.find('lake', 'one')).toBeUndefined();
    bench.stored = aDestination('one');
    expect(await bench.directory.find('lake', 'one')).toBe(bench.stored);
  });

  it('finds a new incarnation at once, though the old one was asked for just before', async () => {
    const bench = makeBench(aDestination('one'));
    await bench.directory.findFresh('lake', 'one');
    bench.stored = aDestination('two');
    expect(await bench.directory.find('lake', 'two')).toBe(bench.stored);
    bench.clock.nowMs += 1_000;
    expect(await bench.directory.findFresh('lake', 'one')).toBeUndefined();
  });

  it('gives no stale secret where a fresh one is wanted', async () => {
    const bench = makeBench(aDestination('one'));
    await bench.directory.findFresh('lake', 'one');
    bench.stored = aDestination('one', 'new');
    expect(await bench.directory.findFresh('lake', 'one')).toMatchObject({ webhookSecretHash: 'new' });
  });

  it('asks Aidbox once a second for one address, however many ask, and answers none of them from before it asked', async () => {
    const bench = makeBench();
    const first = Array.from({ length: 20 }, () => bench.directory.find('lake', 'one'));
    expect(await Promise.all(first)).toEqual(Array.from({ length: 20 }, () => undefined));
    expect(bench.asked).toBe(1);
    const second = Array.from({ length: 20 }, () => bench.directory.find('lake', 'one'));
    bench.stored = aDestination('one');
    expect(new Set(await Promise.all(second))).toEqual(new Set([bench.stored]));
    expect(bench.asked).toBe(2);
    expect(bench.clock.slept).toEqual([1_000]);
  });
});
