import type { Trace } from './trace.ts';

/** E3: the window of keys reaches back to the birth of every event of the batch, whatever the store says. */
export const WINDOW_TRACES: readonly Trace[] = [
  {
    rule: 'E3',
    name: 'the window reaches below the newest commit, back to the birth of a repeated event',
    model: [
      'proposed - window back to birth (reception, no minimum)/delivery',
      'proposed - window back to birth (reception, minimum 1)/delivery',
      'E3 window since the oldest waiting job only/delivery',
    ],
    async play(stage) {
      const [a, b] = [stage.owner('A', { batchSize: 2 }), stage.owner('B')];
      await stage.aidbox.sendsAndLosesTheAnswer('e0', 'e1');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await a.puts();
      await stage.aidbox.sends('e2', 'e0', 'e1');
      await a.settles();
      await a.takes(); // e2 and e0, of which it knows e0
      await a.puts();
      await stage.leaseExpires(a);
      await b.gainsLease();
      await b.readsWindow();
      await b.takes();
      await b.goesOn();
      await stage.endsWith({ table: ['e0', 'e1', 'e2'] });
    },
  },
  {
    rule: 'E3',
    name: 'a number of commits or events is no measure for how far the window reaches',
    model: ['proposed - window back to birth (reception, minimum 2)/delivery'],
    async play(stage) {
      const [a, b] = [stage.owner('A', { batchSize: 3 }), stage.owner('B')];
      await stage.aidbox.sendsAndLosesTheAnswer('e2');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await a.puts();
      await stage.aidbox.sends('e0', 'e1', 'e2');
      await a.settles();
      await a.takes();
      await a.puts();
      await stage.leaseExpires(a);
      await b.gainsLease();
      await b.readsWindow();
      await b.takes();
      await b.goesOn();
      await stage.endsWith({ table: ['e0', 'e1', 'e2'] });
    },
  },
  {
    rule: 'E3',
    name: 'an emptied store, and a repetition received days later, do not shorten the window',
    model: ['E3 same, store emptied/emptied'],
    async play(stage) {
      const [a, b] = [stage.owner('A'), stage.owner('B')];
      await stage.aidbox.sendsAndLosesTheAnswer('e0', 'e1');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await a.puts();
      await stage.aidbox.sends('e2');
      await a.settles();
      await a.takes();
      await a.puts();
      await stage.storeIsEmptied();
      stage.time.passes({ days: 3 });
      await stage.aidbox.sends('e0', 'e1');
      await b.gainsLease();
      await b.readsWindow();
      await b.takes();
      await b.goesOn();
      await stage.endsWith({ table: ['e0', 'e1', 'e2'] });
    },
  },
  {
    rule: 'E3',
    name: 'an owner that read the table before the store went back still looks below the newest commit',
    model: ['E3 same, store goes back/back'],
    async play(stage) {
      const [a, b] = [stage.owner('A'), stage.owner('B')];
      await stage.aidbox.sends('e0', 'e1');
      await a.gainsLease();
      await stage.storeIsCopied();
      await stage.leaseExpires(a);
      await b.gainsLease();
      await b.readsWindow();
      await b.takes();
      await b.puts();
      await stage.aidbox.sends('e2');
      await b.settles();
      await b.takes();
      await b.puts();
      await a.readsWindow();
      await stage.storeGoesBack(); // the lease is A's again
      await a.takes();
      await a.goesOn();
      await stage.endsWith({ table: ['e0', 'e1', 'e2'] });
    },
  },
  {
    rule: 'E3',
    name: 'what memory forgot is read again when a store that went back brings it',
    model: ['E3 same, and memory trimmed, store goes back/back'],
    async play(stage) {
      const a = stage.owner('A', { maxWindowKeys: 1 });
      await stage.aidbox.sends('e0', 'e1');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await a.puts();
      await stage.storeIsCopied();
      await a.settles();
      await stage.aidbox.sends('e2');
      await a.takes();
      await a.puts();
      await a.settles();
      await stage.storeGoesBack();
      await a.takes();
      await a.goesOn();
      await stage.endsWith({ table: ['e0', 'e1', 'e2'] });
    },
  },
  {
    rule: 'E3',
    name: 'what the store says of the last commit is never taken for the log',
    model: ['E3 window copy trusted/foreign'],
    async play(stage) {
      const [a, b] = [stage.owner('A', { batchSize: 2 }), stage.owner('B')];
      await stage.aidbox.sends('e0', 'e1');
      await stage.aidbox.sends('e2');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await a.puts();
      await a.settles(); // the store now knows this commit, and not the next one
      await a.takes();
      await a.puts();
      await stage.leaseExpires(a);
      await b.gainsLease();
      await b.readsWindow();
      await b.takes();
      await b.goesOn();
      await stage.endsWith({ table: ['e0', 'e1', 'e2'] });
    },
  },
  {
    rule: 'E3',
    name: 'a clock of Aidbox that runs ahead does not shorten the window', // the model has no clocks
    model: [],
    async play(stage) {
      const [a, b] = [stage.owner('A', { batchSize: 1 }), stage.owner('B')];
      stage.aidbox.clockAheadMs = 3_600_000;
      await stage.aidbox.sendsAndLosesTheAnswer('e0');
      await stage.aidbox.sends('e1');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await a.puts();
      await a.settles();
      await a.takes();
      await a.puts();
      await a.crashes();
      await stage.leaseExpires(a);
      await stage.aidbox.sends('e0');
      await b.gainsLease();
      await b.readsWindow();
      await b.takes();
      await b.goesOn();
      await stage.endsWith({ table: ['e0', 'e1'] });
    },
  },
  {
    rule: 'E3',
    name: 'an event born earlier, but committed later, does not shorten the window', // the model has keys for a range of lastUpdated
    model: [],
    async play(stage) {
      const [a, b] = [stage.owner('A'), stage.owner('B')];
      stage.aidbox.clockAheadMs = 3_600_000;
      await stage.aidbox.sendsAndLosesTheAnswer('e1');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await a.puts();
      stage.aidbox.clockAheadMs = 0;
      await stage.aidbox.sends('e0');
      await a.settles();
      await a.takes();
      await a.puts();
      await a.settles();
      await stage.aidbox.sends('e1');
      await stage.leaseExpires(a);
      await b.gainsLease();
      await b.readsWindow();
      await b.takes();
      await b.goesOn();
      await stage.endsWith({ table: ['e0', 'e1'] });
    },
  },
];
