import type { Trace } from './trace.ts';

/** E7: a table that went back. */
export const TABLE_TRACES: readonly Trace[] = [
  {
    rule: 'E7',
    name: 'a table that went back before the data file gets no commit',
    model: ['as written/tableBack'],
    async play(stage) {
      const a = stage.owner('A', { batchSize: 1 });
      await stage.aidbox.sends('e0');
      await stage.aidbox.sends('e1');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await a.puts();
      await a.settles(); // and has e1 in hand
      await stage.tableGoesBack();
      await a.takes();
      await a.goesOn();
      await stage.endsWith({ waiting: ['e1'], stoppedBy: 'TABLE_WENT_BACK' });
    },
  },
  {
    rule: 'E7',
    name: 'known limit: one that goes back between that look and the commit gets a gap, which stops the destination',
    model: ['proposed/tableBack'],
    async play(stage) {
      const a = stage.owner('A', { batchSize: 1 });
      await stage.aidbox.sends('e0');
      await stage.aidbox.sends('e1');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await a.puts();
      await a.settles();
      await a.takes();
      await stage.tableGoesBack();
      await a.puts();
      await a.goesOn();
      await stage.endsWith({ table: ['e1'], gaps: [2], stoppedBy: 'DELTA_LOG_BROKEN' });
    },
  },
  {
    rule: 'E7',
    name: 'a table that went back and grew again by another writer stops the destination', // the model has no E7 at the opening
    model: [],
    async play(stage) {
      const a = stage.owner('A');
      await stage.aidbox.sends('e0');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await a.puts();
      await a.settles();
      await a.crashes();
      await stage.tableGoesBack();
      await stage.foreignWriterCommits();
      await stage.aidbox.sends('e1');
      await stage.endsWith({ waiting: ['e1'], stoppedBy: 'TABLE_WENT_BACK' });
    },
  },
  {
    rule: 'E7',
    name: 'so does one that grew again by a late put of this destination',
    model: [],
    async play(stage) {
      const [a, b] = [stage.owner('A'), stage.owner('B')];
      await stage.aidbox.sends('e0');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await stage.leaseExpires(a);
      await stage.aidbox.sends('e1');
      await b.gainsLease();
      await b.readsWindow();
      await b.takes();
      await b.puts();
      await b.settles();
      await b.crashes();
      await stage.tableGoesBack();
      await a.puts(); // where B's commit was
      await a.crashes();
      await stage.aidbox.sends('e2');
      await stage.endsWith({ table: ['e0'], waiting: ['e2'], stoppedBy: 'TABLE_WENT_BACK' });
    },
  },
];
