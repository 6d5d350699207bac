import type { Resource } from './resource.ts';

/** One problem of a refused request. */
export interface Problem {
  readonly code: string;
  readonly diagnostics: string;
  readonly expression?: string;
}

/** A refusal: thrown anywhere below the HTTP border, which answers with the status and an OperationOutcome. */
export class Refusal extends Error {
  readonly status: number;
  readonly problems: readonly Problem[];

  constructor(status: number, problems: Problem | readonly Problem[]) {
    const list = 'code' in problems ? [problems] : problems;
    super(list.map((problem) => problem.diagnostics).join('; '));
    this.status = status;
    this.problems = list;
  }
}

/** Shorthand for a refusal with one problem. */
export function refuse(status: number, code: string, diagnostics: string, expression?: string): Refusal {
  return new Refusal(status, { code, diagnostics, expression });
}

/** OperationOutcome in the shape of §1.11. */
export function makeOutcome(problems: readonly Problem[]): Resource {
  const text = problems.map((problem) => problem.diagnostics).join('; ');
  return {
    resourceType: 'OperationOutcome',
    id: problems[0]?.code ?? 'exception',
    text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${escapeXml(text)}</div>` },
    issue: problems.map((problem) => ({
      severity: 'fatal',
      code: problem.code,
      diagnostics: problem.diagnostics,
      ...(problem.expression !== undefined && { expression: [problem.expression] }),
    })),
  };
}

function escapeXml(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
