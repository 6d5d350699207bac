import type { Trace } from './trace.ts';

/** E1 and E2: an event has one key, and the commit that settles it names it. */
export const KEY_TRACES: readonly Trace[] = [
  {
    rule: 'E1',
    name: 'an event that Aidbox repeats in another notification is not written again',
    model: ['E1 key from the notification/delivery'],
    async play(stage) {
      const a = stage.owner('A', { batchSize: 2 });
      await stage.aidbox.sendsAndLosesTheAnswer('e0', 'e1');
      await stage.aidbox.sends('e0', 'e1');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await a.puts();
      await a.settles();
      await a.takes();
      await stage.endsWith({ table: ['e0', 'e1'] });
    },
  },
  {
    rule: 'E2',
    name: 'the next owner finds in the commit which events it wrote',
    model: ['E2 no keys in the commit/foreign', 'E3 nothing read on gaining the lease/foreign'],
    async play(stage) {
      const [a, b] = [stage.owner('A'), stage.owner('B')];
      await stage.aidbox.sends('e0', 'e1');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await a.puts();
      await stage.leaseExpires(a);
      await b.gainsLease();
      await b.readsWindow();
      await b.takes();
      await b.goesOn();
      await stage.endsWith({ table: ['e0', 'e1'] });
    },
  },
  {
    rule: 'E2',
    name: 'the next owner finds in the commit which events it quarantined, even if they look good now',
    model: ['E2 keys of written events only/quarantine'],
    async play(stage) {
      const [a, b] = [stage.owner('A', { findsBad: ['e1'] }), stage.owner('B')];
      await stage.aidbox.sends('e0', 'e1');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await a.puts();
      await stage.leaseExpires(a);
      await b.gainsLease();
      await b.readsWindow();
      await b.takes();
      await b.goesOn();
      await stage.endsWith({ table: ['e0'], quarantine: ['e1'] });
    },
  },
  {
    rule: 'E2',
    name: 'a batch of bad events alone is committed too, so it meets an owner that wrote one of them',
    model: ['E2 no commit for quarantined events alone/quarantineBack'],
    async play(stage) {
      const [a, b] = [stage.owner('A', { batchSize: 2 }), stage.owner('B', { findsBad: ['e1'] })];
      await stage.aidbox.sendsAndLosesTheAnswer('e0', 'e1');
      await stage.aidbox.sends('e1');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await stage.leaseExpires(a);
      await b.gainsLease();
      await b.readsWindow();
      await a.puts();
      await a.settles();
      await b.takes();
      await b.goesOn();
      await stage.endsWith({ table: ['e0', 'e1'] });
    },
  },
];
