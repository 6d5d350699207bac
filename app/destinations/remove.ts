import { AppError } from '../errors/app-error.ts';
import type { OperationAnswer } from '../fhir/operation-outcome.ts';
import { scopeOf, type Destination } from './destination.ts';
import type { OperationCall, OperationDeps } from './operation-deps.ts';
import { passThrough } from './pass-through.ts';
import { requireId } from './read.ts';
import { readAidboxQueued } from './webhook-status.ts';

const DRAIN_POLL_MS = 250;

/**
 * Deletes a destination (S0.106): delivery stops, what waits is dropped, the table stays. `drain=true` waits first until everything
 * that waits is written. One that was deleted before, or is of another kind, is Aidbox's to answer.
 *
 * @throws AppError DESTINATION_NOT_DRAINED, AIDBOX_…, QUEUE_…
 */
export async function removeDestination(deps: OperationDeps, call: OperationCall): Promise<OperationAnswer> {
  const id = requireId(call);
  const destination = await deps.repository.get(id);
  if (destination === undefined) return passThrough(deps, call, 'DELETE', `/AidboxTopicDestination/${encodeURIComponent(id)}`);
  if (call.params.get('drain') === 'true' && destination.phase === 'active') await drain(deps, destination);
  await finishRemoval(deps, destination);
  deps.log.info({ event: 'destination.deleted', destination: id });
  return call.params.get('_no-content') === 'true' ? { status: 204 } : { status: 200, body: destination.resource };
}

/** Takes a destination down in an order that another process, or the next start, can finish. Idempotent. */
export async function finishRemoval(
  deps: Pick<OperationDeps, 'repository' | 'webhooks' | 'queues'>,
  destination: Destination,
): Promise<void> {
  if (destination.phase !== 'deleting') await deps.repository.put({ ...destination, phase: 'deleting' });
  await deps.webhooks.remove(destination);
  await deps.queues.drop(scopeOf(destination));
  await deps.repository.remove(destination.id);
}

async function drain(deps: OperationDeps, destination: Destination): Promise<void> {
  const deadline = deps.clock.monotonic() + deps.drainTimeoutMs;
  for (;;) {
    // Aidbox first: what it hands over while we look is then seen in our queue.
    const inAidbox = (await readAidboxQueued(deps.client, destination.id)) ?? 0;
    const waiting = inAidbox + (await deps.queues.waitingJobs(scopeOf(destination)));
    if (waiting === 0) return;
    if (deps.clock.monotonic() >= deadline) {
      throw new AppError(
        'DESTINATION_NOT_DRAINED',
        `${waiting} events or notifications of AidboxTopicDestination/${destination.id} were still waiting after ${deps.drainTimeoutMs} ms`,
        { facts: { waiting } },
      );
    }
    await deps.clock.sleep(DRAIN_POLL_MS);
  }
}
