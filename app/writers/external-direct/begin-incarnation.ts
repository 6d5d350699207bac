import { randomUUID } from 'node:crypto';
import { planAppend } from '../../delta/append-commit.ts';
import { putCommit } from '../../delta/commit.ts';
import { assertAppendable } from '../../delta/gate.ts';
import { readSnapshot } from '../../delta/snapshot.ts';
import { AppError, isAppError } from '../../errors/app-error.ts';
import { backoffMs } from '../../lib/backoff.ts';
import type { Clock } from '../../lib/clock.ts';
import type { ObjectStore } from '../../storage/object-store.ts';
import { applicationId, encodeRecord, RECORD_FIELD, type Application } from './commit-record.ts';

const MAX_TRIES = 50;

/**
 * Writes the first commit of an incarnation: no rows, transaction 1. It fences every older incarnation, whose next put collides with it
 * or with what follows (design E8), and is where the window of this one ends.
 *
 * @throws AppError DELTA_…, STORAGE_…
 */
export async function beginIncarnation(store: ObjectStore, application: Application, clock: Clock): Promise<void> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const snapshot = await readSnapshot(store);
    assertAppendable(snapshot);
    if (snapshot.transactions.has(applicationId(application))) return; // an earlier try whose answer was lost
    const actions = planAppend({
      snapshot,
      nowMs: clock.now(),
      commitInfo: {
        [RECORD_FIELD]: encodeRecord({ commitId: randomUUID(), written: [], quarantined: [], highWaterMicros: undefined }),
      },
      txn: { appId: applicationId(application), version: 1 },
      files: [],
    });
    const answer = await putCommit(store, snapshot.version + 1, actions).catch((error: unknown) => {
      if (!isAppError(error, 'STORAGE_UNAVAILABLE') || tries === MAX_TRIES - 1) throw error;
      return 'unknown' as const;
    });
    if (answer === 'created') return;
    await clock.sleep(backoffMs(tries, { firstMs: 10, maxMs: 1_000 }));
  }
  throw new AppError('STORAGE_UNAVAILABLE', `${MAX_TRIES} commits in a row were overtaken by other writers of ${store.address}`);
}
