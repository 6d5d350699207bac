import { AppError } from '../errors/app-error.ts';
import { makeOutcome, type OperationAnswer } from '../fhir/operation-outcome.ts';
import { isDestinationFilter, matchesFilters } from './destination-filters.ts';
import type { OperationCall, OperationDeps } from './operation-deps.ts';
import { isShown } from './read.ts';
import { resourceHeaders } from './resource-headers.ts';

/** S0.8. Aidbox may not hand the header on; then the body was JSON, or nothing would have come. @throws AppError CONTENT_TYPE_UNSUPPORTED */
export function requireJson({ caller }: OperationCall): void {
  const type = caller['content-type'];
  if (type === undefined || /\bjson\b/i.test(type)) return;
  throw new AppError('CONTENT_TYPE_UNSUPPORTED', 'the content type of the request is not JSON; application/json was expected');
}

/**
 * The answer to a conditional create (contract §1.11) when its condition, the header `If-None-Exist` or filters in the query, finds
 * destinations of ours: 200 with the one, 412 for several. Undefined: there is no condition, or nothing fits it.
 *
 * @throws AppError OPERATION_INVALID for a condition that cannot be looked at; AIDBOX_…
 */
export async function findExisting(deps: OperationDeps, call: OperationCall): Promise<OperationAnswer | undefined> {
  const condition = readCondition(call);
  if (condition.size === 0) return undefined;
  const found = (await deps.repository.list()).filter(
    (destination) => isShown(destination) && matchesFilters(destination.resource, condition),
  );
  if (found.length > 1) {
    const diagnostics = `the condition of the create fits ${found.length} destinations, expected one or none`;
    return { status: 412, body: makeOutcome([{ severity: 'error', code: 'multiple-matches', diagnostics }]) };
  }
  const [existing] = found;
  return existing && { status: 200, headers: resourceHeaders(existing.resource), body: existing.resource };
}

function readCondition({ caller, params }: OperationCall): URLSearchParams {
  const header = caller['if-none-exist'];
  if (header === undefined) return new URLSearchParams([...params].filter(([name]) => isDestinationFilter(name)));
  const condition = new URLSearchParams(header.replace(/^.*\?/, ''));
  if (condition.size > 0 && [...condition.keys()].every(isDestinationFilter)) return condition;
  throw new AppError('OPERATION_INVALID', 'the header If-None-Exist holds another condition than _id, topic, kind and status');
}
