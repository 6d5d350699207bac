import { expect } from '@jest/globals';
import type { Trace } from './trace.ts';

/** E8, and ids of jobs: a destination that is deleted, and created again. */
export const INCARNATION_TRACES: readonly Trace[] = [
  {
    rule: 'E8',
    name: 'a put that was under way when the destination was deleted and created again does not land',
    model: ['as written/recreate', 'proposed - fence/recreate'],
    async play(stage) {
      const a = stage.owner('A');
      await stage.aidbox.sends('e0');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await stage.destinationIsDeleted();
      await stage.destinationIsCreatedAgain();
      await a.puts();
      await a.goesOn();
      expect(a.end).toBe('gone');
      await stage.endsWith({});
    },
  },
  {
    rule: 'E8',
    name: 'an owner that meets a newer incarnation in the log stops, though a store that went back gives it its lease',
    model: ['as written/recreate', 'proposed - fence/recreate'],
    async play(stage) {
      const a = stage.owner('A');
      await stage.aidbox.sends('e0');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await stage.storeIsCopied();
      await stage.destinationIsDeleted();
      await stage.destinationIsCreatedAgain();
      await stage.storeGoesBack();
      await a.puts();
      await a.goesOn();
      expect(a.end).toBe('gone');
      await stage.endsWith({});
    },
  },
  {
    rule: 'E8',
    name: 'so does one that opens the table only then', // the model's owner gains no lease of an old incarnation
    model: [],
    async play(stage) {
      const a = stage.owner('A');
      await stage.aidbox.sends('e0');
      await stage.storeIsCopied();
      await stage.destinationIsDeleted();
      await stage.destinationIsCreatedAgain();
      await stage.storeGoesBack();
      await a.gainsLease();
      await a.readsWindow();
      await a.goesOn();
      expect(a.end).toBe('gone');
      await stage.endsWith({});
    },
  },
  {
    rule: 'E8',
    name: 'a deleted destination is seen before the put',
    model: ['E8 no look before the put (as written)/recreate'],
    async play(stage) {
      const a = stage.owner('A');
      await stage.aidbox.sends('e0');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes({ before: 'look' });
      await stage.destinationIsDeleted();
      await a.goesOn();
      await stage.destinationIsCreatedAgain();
      await stage.endsWith({});
    },
  },
  {
    rule: 'E8',
    name: 'known limit: a put under way at the delete may land, nothing more of that incarnation',
    model: ['as written/deleteOnly', 'proposed/deleteOnly'],
    async play(stage) {
      const a = stage.owner('A', { batchSize: 1 });
      await stage.aidbox.sends('e0');
      await stage.aidbox.sends('e1');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await stage.destinationIsDeleted();
      await a.puts();
      await a.goesOn();
      await stage.endsWith({ table: ['e0'], afterDelete: 1 });
    },
  },
  {
    rule: 'E8',
    name: 'the next incarnation has names of its own: the old owner neither writes beside it nor takes its jobs',
    model: ['E8 one name for all incarnations/recreate'],
    async play(stage) {
      const a = stage.owner('A');
      await stage.aidbox.sends('e0');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await stage.destinationIsDeleted();
      await stage.destinationIsCreatedAgain();
      await stage.aidbox.sends('e1');
      await a.puts();
      await a.goesOn();
      await stage.endsWith({ table: ['e1'] });
    },
  },
  {
    rule: 'E8',
    name: 'an old owner that ends its jobs ends none of the next incarnation',
    model: ['E8 same, job ids from a counter/recreateLoose'],
    async play(stage) {
      const a = stage.owner('A');
      await stage.aidbox.sends('e0');
      await a.gainsLease();
      await a.readsWindow();
      await a.takes();
      await a.puts();
      await stage.destinationIsDeleted();
      await stage.destinationIsCreatedAgain();
      await stage.aidbox.sends('e1');
      await a.settles();
      await stage.endsWith({ table: ['e0', 'e1'] });
    },
  },
  {
    rule: 'E8',
    name: 'the id of a job never returns, so an owner ends no job that came after the store went back',
    model: ['job ids from a counter/backThree'],
    async play(stage) {
      const a = stage.owner('A');
      await stage.aidbox.sends('e0');
      await a.gainsLease();
      await a.readsWindow();
      await stage.storeIsCopied();
      await stage.aidbox.sends('e1');
      await a.takes();
      await a.puts();
      await stage.storeGoesBack();
      await stage.aidbox.sends('e2');
      await a.settles();
      await stage.endsWith({ table: ['e0', 'e1', 'e2'] });
    },
  },
];
