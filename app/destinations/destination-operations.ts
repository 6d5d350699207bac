import type { OperationAnswer } from '../fhir/operation-outcome.ts';
import { createDestination } from './create.ts';
import { readHistory } from './history.ts';
import type { OperationCall, OperationDeps } from './operation-deps.ts';
import { readDestination } from './read.ts';
import { removeDestination } from './remove.ts';
import { searchDestinations } from './search.ts';
import { readStatus } from './status.ts';

export type DestinationAction = 'create' | 'read' | 'search' | 'remove' | 'status' | 'history';

/** The operations on AidboxTopicDestination, of every kind. Each throws AppErrors for what is not the caller's own mistake. */
export type DestinationOperations = Readonly<Record<DestinationAction, (call: OperationCall) => Promise<OperationAnswer>>>;

export function makeDestinationOperations(deps: OperationDeps): DestinationOperations {
  return {
    create: (call) => createDestination(deps, call),
    read: (call) => readDestination(deps, call),
    search: (call) => searchDestinations(deps, call),
    remove: (call) => removeDestination(deps, call),
    status: (call) => readStatus(deps, call),
    history: (call) => readHistory(deps, call),
  };
}
