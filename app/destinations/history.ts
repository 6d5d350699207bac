import type { OperationAnswer } from '../fhir/operation-outcome.ts';
import type { OperationCall, OperationDeps } from './operation-deps.ts';
import { passThrough } from './pass-through.ts';

/**
 * The history of one destination, one version of it, or the history of all, as Aidbox has them. Behind ours it is that of the webhook
 * destination, whose token would show there: it is masked on the way. @throws AppError AIDBOX_…
 */
export function readHistory(deps: OperationDeps, call: OperationCall): Promise<OperationAnswer> {
  const path = [call.id, '_history', call.version].flatMap((part) => (part === undefined ? [] : [encodeURIComponent(part)]));
  return passThrough(deps, call, 'GET', `/AidboxTopicDestination/${path.join('/')}`);
}
