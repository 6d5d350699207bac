import { expect } from '@jest/globals';
import type { Trace } from './trace.ts';

/** E3, E6: a log that was cleaned up. */
export const LOG_TRACES: readonly Trace[] = [
  {
    rule: 'E3',
    name: 'a log that was cleaned above what an event needs stops the destination',
    model: ['as written/clean'],
    async play(stage) {
      const [a, b] = [stage.owner('A'), stage.owner('B')];
      await stage.aidbox.sendsAndLosesTheAnswer('e0');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await a.puts();
      await stage.aidbox.sends('e0');
      await a.settles();
      await stage.leaseExpires(a);
      await b.gainsLease();
      await stage.foreignWriterCommits();
      stage.logIsCleanedUp();
      await b.readsWindow();
      await b.takes();
      await b.goesOn();
      await stage.endsWith({ table: ['e0'], waiting: ['e0'], stoppedBy: 'TABLE_LOG_CUT' });
    },
  },
  {
    rule: 'E3',
    name: 'so does one that was cleaned after the owner opened it',
    model: ['proposed - stop at the cut, log kept for jobs only/clean'],
    async play(stage) {
      const [a, b] = [stage.owner('A'), stage.owner('B')];
      await stage.aidbox.sendsAndLosesTheAnswer('e0');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await a.puts();
      await stage.aidbox.sends('e0');
      await a.settles();
      await stage.leaseExpires(a);
      await b.gainsLease();
      await stage.foreignWriterCommits();
      await b.readsWindow();
      stage.logIsCleanedUp();
      await b.takes();
      await b.goesOn();
      await stage.endsWith({ table: ['e0'], waiting: ['e0'], stoppedBy: 'TABLE_LOG_CUT' });
    },
  },
  {
    rule: 'E3',
    name: 'and one that was cleaned before the store went back',
    model: ['as written/cleanBack'],
    async play(stage) {
      const [a, b] = [stage.owner('A'), stage.owner('B')];
      await stage.aidbox.sends('e0');
      await stage.storeIsCopied();
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await a.puts();
      await a.settles();
      await stage.foreignWriterCommits();
      stage.logIsCleanedUp();
      await stage.storeGoesBack();
      await b.gainsLease();
      await b.readsWindow();
      await b.takes();
      await b.goesOn();
      await stage.endsWith({ table: ['e0'], waiting: ['e0'], stoppedBy: 'TABLE_LOG_CUT' });
    },
  },
  {
    rule: 'E6',
    name: 'a put into the cleaned range of the log does not count',
    model: ['proposed - verify, log kept for jobs only/clean'],
    async play(stage) {
      const [a, b] = [stage.owner('A'), stage.owner('B', { batchSize: 1 })];
      await a.gainsLease();
      await a.readsWindow();
      await stage.foreignWriterCommits();
      await stage.aidbox.sends('e0');
      await stage.aidbox.sends('e1');
      await a.takes();
      await stage.leaseExpires(a);
      await b.gainsLease();
      await b.readsWindow();
      await b.takes();
      await b.puts();
      await b.crashes(); // else it would write e1, which it has in hand
      stage.time.passes({ days: 40 });
      stage.logIsCleanedUp();
      await a.puts(); // where the foreign commit was
      await a.goesOn();
      await stage.endsWith({ table: ['e0'], waiting: ['e0', 'e1'], stoppedBy: 'TABLE_LOG_CUT' });
    },
  },
  {
    rule: 'E6',
    name: 'an owner whose own commit was cleaned away before it heard of it does not write again',
    model: ['E6 log cleaned at any time (as written)/clean'],
    async play(stage) {
      const a = stage.owner('A');
      await stage.aidbox.sends('e0');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await a.puts('answer lost');
      await stage.foreignWriterCommits();
      stage.time.passes({ days: 40 });
      stage.logIsCleanedUp();
      await a.readsWinners();
      await a.goesOn();
      expect(a.blockedBy).toBe('TABLE_LOG_CUT');
      await stage.endsWith({ table: ['e0'], waiting: ['e0'], stoppedBy: 'TABLE_LOG_CUT' });
    },
  },
  {
    rule: 'E6',
    name: 'nor does one of which the answer was lost', // the model's owner cannot read what it put there
    model: [],
    async play(stage) {
      const [a, b] = [stage.owner('A'), stage.owner('B', { batchSize: 1 })];
      await a.gainsLease();
      await a.readsWindow();
      await stage.foreignWriterCommits();
      await stage.aidbox.sends('e0');
      await stage.aidbox.sends('e1');
      await a.takes();
      await stage.leaseExpires(a);
      await b.gainsLease();
      await b.readsWindow();
      await b.takes();
      await b.puts();
      await b.crashes(); // else it would write e1, which it has in hand
      stage.time.passes({ days: 40 });
      stage.logIsCleanedUp();
      await a.puts('answer lost');
      await a.goesOn();
      await stage.endsWith({ table: ['e0'], waiting: ['e0', 'e1'], stoppedBy: 'TABLE_LOG_CUT' });
    },
  },
  {
    rule: 'E6',
    name: 'nor does one after a sleep between the reading of the winners and the put', // the model reads in one step
    model: [],
    async play(stage) {
      const [a, b] = [stage.owner('A'), stage.owner('B', { batchSize: 1 })];
      await stage.aidbox.sends('e0');
      await stage.aidbox.sends('e1');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await stage.foreignWriterCommits();
      await a.puts();
      await a.readsOneCommit();
      await a.readsOneCommit('answer comes late'); // the next version is not there yet
      await stage.foreignWriterCommits();
      await stage.storeIsCopied();
      await stage.leaseExpires(a);
      await b.gainsLease();
      await b.readsWindow();
      await b.takes();
      await b.puts();
      await stage.foreignWriterCommits();
      stage.time.passes({ days: 40 });
      stage.logIsCleanedUp();
      await stage.storeGoesBack(); // the lease is A's again
      await a.puts();
      await a.goesOn();
      await stage.endsWith({ table: ['e0'], waiting: ['e1'], stoppedBy: 'TABLE_LOG_CUT' }); // e1 could have been in B's commit
    },
  },
  {
    rule: 'E6',
    name: 'what was put into the cleaned range is never read as a part of the log', // the model keeps no file there
    model: [],
    async play(stage) {
      const [a, b] = [stage.owner('A'), stage.owner('B')];
      await stage.aidbox.sends('e0');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await stage.leaseExpires(a);
      await stage.aidbox.sendsAndLosesTheAnswer('e1');
      await b.gainsLease();
      await b.readsWindow();
      await b.takes();
      await b.puts();
      await b.settles();
      await stage.foreignWriterCommits();
      stage.time.passes({ days: 40 });
      stage.logIsCleanedUp();
      await a.puts(); // where B's commit was
      await a.goesOn();
      await stage.storeIsEmptied();
      await stage.endsWith({ table: ['e0', 'e1'], waiting: ['e1'], stoppedBy: 'TABLE_LOG_CUT' });
    },
  },
  {
    rule: 'E3',
    name: 'a log cleaned of every commit of ours does not stop events that were born later', // the model reads the log as a whole
    model: [],
    async play(stage) {
      const a = stage.owner('A');
      await stage.aidbox.sends('e0');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await a.puts();
      await a.settles();
      await stage.foreignWriterCommits();
      stage.time.passes({ days: 40 });
      stage.logIsCleanedUp();
      await stage.aidbox.sends('e1');
      await stage.endsWith({ table: ['e0', 'e1'] });
    },
  },
];
