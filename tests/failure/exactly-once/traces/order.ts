import type { Trace } from './trace.ts';

/** E5: data file, commit, then one transaction of the store with quarantine entries and the end of the jobs. */
export const ORDER_TRACES: readonly Trace[] = [
  {
    rule: 'E5',
    name: 'an event that the log calls quarantined gets its entry before its job ends',
    model: ['as written/quarantine', 'proposed - entry again for a quarantined key/quarantine'],
    async play(stage) {
      const [a, again] = [stage.owner('A', { findsBad: ['e1'] }), stage.owner('A again')];
      await stage.aidbox.sends('e0', 'e1');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await a.puts();
      await a.crashes();
      await stage.leaseExpires(a);
      await again.gainsLease();
      await again.readsWindow();
      await again.takes();
      await again.settles();
      await stage.endsWith({ table: ['e0'], quarantine: ['e1'] });
    },
  },
  {
    rule: 'E5',
    name: 'no store can go back between the quarantine entry and the end of its job',
    model: ['as written/quarantineBack', 'proposed - entry and end of job in one transaction/quarantineBack'],
    async play(stage) {
      const a = stage.owner('A', { findsBad: ['e1'] });
      await stage.aidbox.sends('e0', 'e1');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await a.puts();
      await stage.storeIsCopied();
      await a.settles();
      await stage.storeGoesBack();
      await a.goesOn();
      await stage.endsWith({ table: ['e0'], quarantine: ['e1'] });
    },
  },
  {
    rule: 'E5',
    name: 'no job ends before its events are committed',
    model: ['E5 jobs completed before the commit/delivery'],
    async play(stage) {
      const a = stage.owner('A');
      await stage.aidbox.sends('e0', 'e1');
      await a.gainsLease();
      await a.readsWindow();
      await a.goesToCommit();
      await a.crashes();
      await stage.endsWith({ table: ['e0', 'e1'] });
    },
  },
  {
    rule: 'E5',
    name: 'no quarantine entry stands before its event is committed as quarantined',
    model: ['E5 quarantine entries before the commit/quarantine'],
    async play(stage) {
      const [a, b] = [stage.owner('A'), stage.owner('B', { findsBad: ['e1'] })];
      await stage.aidbox.sends('e0', 'e1');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await stage.leaseExpires(a);
      await b.gainsLease();
      await b.readsWindow();
      await b.goesToCommit();
      await a.puts();
      await stage.endsWith({ table: ['e0', 'e1'] });
    },
  },
];
