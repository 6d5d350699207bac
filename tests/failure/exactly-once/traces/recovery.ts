import { expect } from '@jest/globals';
import type { Trace } from './trace.ts';

/** What the model leaves to the product: an owner with some events of a job in hand when the store goes back or the process dies. */
export const RECOVERY_TRACES: readonly Trace[] = [
  {
    rule: 'E5',
    name: 'an owner that goes on after the store went back ends every job by itself',
    model: [],
    async play(stage) {
      const a = stage.owner('A', { sendIntervalMs: 60_000 });
      await stage.aidbox.sends('e0');
      await a.gainsLease();
      await a.readsWindow();
      await a.goesOn(); // holds e0 and waits for more
      stage.time.passes({ days: 1 });
      await a.takes();
      await a.puts();
      await stage.aidbox.sends('e1');
      await stage.storeIsCopied();
      await a.settles();
      await a.goesOn(); // holds e1 and waits for more
      await stage.storeGoesBack(); // to both jobs, and to A's lease
      await a.goesOn();
      stage.time.passes({ days: 1 });
      await a.goesOn();
      expect(await stage.waiting()).toEqual([]);
      await stage.endsWith({ table: ['e0', 'e1'] });
    },
  },
  {
    rule: 'E7',
    name: 'a crash between the commits of one job is not taken for a store that went back',
    model: [],
    async play(stage) {
      const [a, b] = [stage.owner('A', { batchSize: 1 }), stage.owner('B')];
      await stage.aidbox.sends('e0', 'e1', 'e2');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await a.puts();
      await a.takes();
      await a.puts();
      await a.takes();
      await a.crashes();
      await stage.leaseExpires(a);
      await b.gainsLease();
      await b.readsWindow();
      expect(await stage.storeLosses()).toBe(0);
      await stage.endsWith({ table: ['e0', 'e1', 'e2'] });
    },
  },
  {
    rule: 'E5',
    name: 'an owner that lost its lease while it read the table leaves the checkpoint of the next one alone',
    model: [],
    async play(stage) {
      const [a, b] = [stage.owner('A'), stage.owner('B')];
      await a.gainsLease();
      await stage.leaseExpires(a);
      await stage.aidbox.sends('e0');
      await b.gainsLease();
      await b.readsWindow();
      await b.takes();
      await b.puts();
      await b.settles();
      await a.goesOn();
      expect(a.end).toBe('lease-lost');
      await stage.aidbox.sends('e1');
      await b.goesOn();
      expect(await stage.storeLosses()).toBe(0);
      await stage.endsWith({ table: ['e0', 'e1'] });
    },
  },
];
