import { AppError } from '../errors/app-error.ts';
import type { OperationAnswer } from '../fhir/operation-outcome.ts';
import { asObject } from '../lib/json.ts';
import type { Destination } from './destination.ts';
import type { OperationCall, OperationDeps } from './operation-deps.ts';
import { passThrough } from './pass-through.ts';
import { resourceHeaders } from './resource-headers.ts';

/** Reads a destination: ours as the user created it, secrets masked; any other as Aidbox has it. @throws AppError AIDBOX_…, DESTINATION_UNREADABLE */
export async function readDestination(deps: OperationDeps, call: OperationCall): Promise<OperationAnswer> {
  const id = requireId(call);
  const destination = await deps.repository.get(id);
  if (destination !== undefined && isShown(destination)) {
    return { status: 200, headers: resourceHeaders(destination.resource), body: destination.resource };
  }
  const answer = await passThrough(deps, call, 'GET', `/AidboxTopicDestination/${encodeURIComponent(id)}`);
  const resource = asObject(answer.body);
  const isHidden = answer.status === 200 && resource !== undefined && deps.webhooks.isOurs(resource);
  return isHidden ? notFound(id) : answer;
}

/** False for one that the user has no answer about yet, or that is on its way out. */
export function isShown(destination: Destination): boolean {
  return destination.phase === 'active';
}

/** @throws AppError OPERATION_INVALID */
export function requireId({ id }: OperationCall): string {
  if (id === undefined) throw new AppError('OPERATION_INVALID', 'the call names no id; one was expected in the path');
  return id;
}

export function notFound(id: string): OperationAnswer {
  const diagnostics = `Resource AidboxTopicDestination/${id} not found`;
  return {
    status: 404,
    body: { resourceType: 'OperationOutcome', id: 'not-found', issue: [{ severity: 'error', code: 'not-found', diagnostics }] },
  };
}
