import type { OperationAnswer } from '../fhir/operation-outcome.ts';
import type { DestinationNumbers, StatusParameter } from './destination-status.ts';
import { isRunnable, type Destination } from './destination.ts';
import type { OperationCall, OperationDeps } from './operation-deps.ts';
import { passThrough } from './pass-through.ts';
import { notFound, requireId } from './read.ts';
import { readAidboxQueued } from './webhook-status.ts';

/** `$status` of a destination: for ours the parameters that S0.101 names, in its order and types, then ours. @throws AppError AIDBOX_…, QUEUE_… */
export async function readStatus(deps: OperationDeps, call: OperationCall): Promise<OperationAnswer> {
  const id = requireId(call);
  const destination = await deps.repository.get(id);
  if (destination === undefined) {
    return passThrough(deps, call, 'GET', `/AidboxTopicDestination/${encodeURIComponent(id)}/$status`);
  }
  if (destination.phase === 'creating') return notFound(id);
  const [numbers, queuedInAidbox] = await Promise.all([deps.numbers.read(destination), readAidboxQueued(deps.client, id)]);
  const parameter: StatusParameter[] = [
    { name: 'status', valueString: 'active' },
    { name: 'messagesDelivered', valueDecimal: numbers.messagesDelivered },
    { name: 'messagesQueued', valueDecimal: numbers.messagesQueued + (queuedInAidbox ?? 0) },
    { name: 'messagesInProcess', valueDecimal: numbers.messagesInProcess },
    { name: 'messagesDeliveryAttempts', valueDecimal: numbers.messagesDeliveryAttempts },
    { name: 'initialExportStatus', valueString: numbers.initialExportStatus },
    { name: 'initialExportProgress_rowsSent', valueDecimal: numbers.initialExportRowsSent },
    { name: 'state', valueString: stateOf(destination, numbers) },
    ...problemParameters(destination),
    ...destination.warnings.map((warning) => ({ name: 'warning', valueString: warning })),
    queuedInAidbox === undefined
      ? {
          name: 'aidboxSender',
          valueString: 'Aidbox does not report its sender of this destination: it may have none, and then delivers nothing',
        }
      : { name: 'messagesQueuedInAidbox', valueDecimal: queuedInAidbox },
    ...numbers.more,
  ];
  return { status: 200, body: { resourceType: 'Parameters', parameter } };
}

function stateOf(destination: Destination, { deliveryState }: DestinationNumbers): string {
  if (destination.phase === 'deleting') return 'deleting';
  if (isRunnable(destination)) return deliveryState === 'active' ? 'running' : deliveryState;
  return destination.problem?.code === 'DESTINATION_SUSPENDED' ? 'suspended' : 'stopped';
}

function problemParameters({ problem }: Destination): StatusParameter[] {
  return problem === undefined ? [] : [{ name: 'problem', valueString: `${problem.code}: ${problem.message}` }];
}
