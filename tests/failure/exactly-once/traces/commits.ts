import { expect } from '@jest/globals';
import type { Trace } from './trace.ts';

/** E4: what a put whose answer is "exists", or is lost, may conclude. */
export const COMMIT_TRACES: readonly Trace[] = [
  {
    rule: 'E4',
    name: 'a commit whose answer was lost is found among the winners, and not written again',
    model: ['E4 winners not read/foreign', 'E4 own file deleted after an unknown answer/foreign'],
    async play(stage) {
      const a = stage.owner('A');
      await stage.aidbox.sends('e0', 'e1');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await a.puts('answer lost');
      await a.readsWinners();
      await a.goesOn();
      await stage.endsWith({ table: ['e0', 'e1'] });
    },
  },
  {
    rule: 'E4',
    name: 'every winner is read, not the first only',
    model: ['E4 only the first winner read/foreign'],
    async play(stage) {
      const [a, b] = [stage.owner('A'), stage.owner('B')];
      await stage.aidbox.sends('e0', 'e1');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await a.puts('request travels on');
      await stage.storeIsCopied();
      await stage.leaseExpires(a);
      await b.gainsLease();
      await stage.foreignWriterCommits();
      await b.readsWindow();
      await b.takes();
      await b.puts();
      // The model's owner asks for its lease when it takes jobs only. The product asks again here, so A must have it again.
      await stage.storeGoesBack();
      await a.readsWinners();
      await a.goesOn();
      await stage.endsWith({ table: ['e0', 'e1'] });
    },
  },
  {
    rule: 'E4',
    name: 'a batch that grew after a put without an answer is not taken for the one that was put',
    model: ['E4 batch grows under the same commit id/delivery'],
    async play(stage) {
      const a = stage.owner('A');
      await stage.aidbox.sends('e0', 'e1');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await a.puts('request travels on');
      await a.readsWinners(); // none
      await a.puts('request travels on'); // the same content to the same version
      await a.readsWinners();
      await a.puts('request travels on');
      await a.givesUpForNow();
      await stage.aidbox.sends('e2');
      await stage.travellingPutArrives();
      await a.goesToCommit();
      await a.puts();
      await a.goesOn();
      await stage.endsWith({ table: ['e0', 'e1', 'e2'] });
    },
  },
  {
    rule: 'E4',
    name: 'an event that a winner wrote leaves the quarantine list too',
    model: ['E4 key leaves the batch, not the quarantine list/quarantine'],
    async play(stage) {
      const [a, b] = [stage.owner('A'), stage.owner('B', { findsBad: ['e1'] })];
      await stage.aidbox.sends('e0', 'e1');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await stage.leaseExpires(a);
      await b.gainsLease();
      await b.readsWindow();
      await b.takes();
      await b.puts('request travels on');
      await a.puts();
      await b.readsWinners();
      await b.goesOn();
      await stage.endsWith({ table: ['e0', 'e1'] });
    },
  },
  {
    rule: 'E4',
    name: 'a put that is repeated after no answer is the same commit: one that arrives late is our own',
    model: [], // as the line above, before the batch grows
    async play(stage) {
      const a = stage.owner('A');
      await stage.aidbox.sends('e0', 'e1');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await a.puts('request travels on');
      await a.readsWinners();
      await stage.travellingPutArrives();
      await a.puts();
      await a.readsWinners();
      await a.goesOn();
      await stage.endsWith({ table: ['e0', 'e1'] });
    },
  },
  {
    rule: 'E4',
    name: 'a winner that forbids our commits is met again at every try', // the model's winners forbid nothing
    model: [],
    async play(stage) {
      const a = stage.owner('A');
      await stage.aidbox.sends('e0');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await stage.foreignWriterCommits({
        protocol: { minReaderVersion: 1, minWriterVersion: 7, writerFeatures: ['fromTheFuture'] },
      });
      await a.puts();
      await a.goesOn();
      await a.goesOn();
      await stage.endsWith({ waiting: ['e0'], stoppedBy: 'DELTA_FEATURE_UNSUPPORTED' });
    },
  },
  {
    rule: 'E4',
    name: 'so is one that made another table of it',
    model: [],
    async play(stage) {
      const a = stage.owner('A');
      await stage.aidbox.sends('e0');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await stage.foreignWriterCommits({ metaData: { ...(await stage.firstMetaData()), id: 'another' } });
      await a.puts();
      await a.goesOn();
      await a.goesOn();
      await stage.endsWith({ waiting: ['e0'], stoppedBy: 'TABLE_WENT_BACK' });
    },
  },
  {
    rule: 'E4',
    name: 'a column that a winner took stops the destination until it is back',
    model: [],
    async play(stage) {
      const a = stage.owner('A');
      const metaData = await stage.firstMetaData();
      await stage.aidbox.sends('e0');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      const schema = JSON.parse(metaData.schemaString) as { readonly fields: readonly { readonly name: string }[] };
      const without = { ...schema, fields: schema.fields.filter(({ name }) => name !== 'is_deleted') };
      await stage.foreignWriterCommits({ metaData: { ...metaData, schemaString: JSON.stringify(without) } });
      await a.puts();
      await a.goesOn();
      expect(a.blockedBy).toBe('TABLE_COLUMNS_MISSING');
      await a.goesOn();
      expect(a.blockedBy).toBe('TABLE_COLUMNS_MISSING');
      await stage.foreignWriterCommits({ metaData });
      await a.goesOn();
      await stage.endsWith({ table: ['e0'] });
    },
  },
  {
    rule: 'E4',
    name: 'what a winner forbade and a later one allows again stops the destination no longer',
    model: [],
    async play(stage) {
      const a = stage.owner('A');
      const metaData = await stage.firstMetaData();
      await stage.aidbox.sends('e0');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await stage.foreignWriterCommits({ metaData: { ...metaData, configuration: { 'delta.constraints.adult': 'age > 17' } } });
      await a.puts();
      await a.goesOn();
      expect(a.blockedBy).toBe('DELTA_FEATURE_UNSUPPORTED');
      await stage.foreignWriterCommits({ metaData });
      await a.goesOn();
      await a.goesOn();
      expect(a.blockedBy).toBeUndefined();
      await stage.endsWith({ table: ['e0'] });
    },
  },
];
