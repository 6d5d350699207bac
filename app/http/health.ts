import { isAppError } from '../errors/app-error.ts';
import type { OperationAnswer } from '../fhir/operation-outcome.ts';
import type { QueueStore } from '../queue/queue-store.ts';

/** `/health`: whether this process can do its work; it fails while the queue store does not answer. */
export async function checkHealth(queueStore: QueueStore, role: string): Promise<OperationAnswer> {
  try {
    await queueStore.ping();
    return { status: 200, body: { status: 'pass', role, queueStore: 'pass' } };
  } catch (error) {
    return { status: 503, body: { status: 'fail', role, queueStore: isAppError(error) ? error.code : 'fail' } };
  }
}

/** `/ready`: healthy, and known to Aidbox (where this role needs it). */
export async function checkReadiness(queueStore: QueueStore, role: string, isRegistered: boolean): Promise<OperationAnswer> {
  const { status, body } = await checkHealth(queueStore, role);
  return {
    status: isRegistered ? status : 503,
    body: { ...(body as object), aidbox: isRegistered ? 'registered' : 'not registered yet' },
  };
}
