import { expect } from '@jest/globals';
import { ERRORS } from '../../../app/errors/catalogue.ts';

export interface Issue {
  readonly severity: string;
  readonly diagnostics: string;
  readonly expression?: readonly string[];
  readonly details?: { readonly coding: readonly { readonly code: string }[] };
}

export const codeOf = (issue: Issue): string => issue.details?.coding[0]?.code ?? '';

/** I10: an OperationOutcome whose issues each name an entry of the catalogue and tell what was found or missing, and what to do. Returns them. */
export function readIssues(body: unknown): readonly Issue[] {
  expect(body).toMatchObject({ resourceType: 'OperationOutcome' });
  const { issue: issues } = body as { issue: readonly Issue[] };
  expect(issues.length).toBeGreaterThan(0);
  for (const issue of issues) {
    expect(Object.keys(ERRORS)).toContain(codeOf(issue));
    const { action } = ERRORS[codeOf(issue) as keyof typeof ERRORS];
    const tellsWhatToDo =
      issue.diagnostics.includes(action) || /expected|required|did you mean|[Rr]emove|must/.test(issue.diagnostics);
    if (!tellsWhatToDo) throw new Error(`no advice in: ${issue.diagnostics}`);
    expect(issue.diagnostics.length).toBeGreaterThan(20);
  }
  return issues;
}
