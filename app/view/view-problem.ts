import { AppError } from '../errors/app-error.ts';

/** One thing wrong with a ViewDefinition. */
export interface ViewProblem {
  /** Place in the ViewDefinition, as `select[0].column[2].path`; empty for the whole. */
  readonly path: string;
  /** What was found and what was expected. Holds names and expressions of the view, never data of a resource. */
  readonly message: string;
}

/** Collects problems while a view is checked. */
export type Report = (path: string, message: string) => void;

const SHOWN = 20;

/** One error for all problems: VIEW_INVALID. */
export function makeViewInvalid(viewName: string, problems: readonly ViewProblem[]): AppError {
  const lines = problems.slice(0, SHOWN).map(({ path, message }) => (path === '' ? message : `${path}: ${message}`));
  if (problems.length > SHOWN) lines.push(`and ${problems.length - SHOWN} more`);
  return new AppError('VIEW_INVALID', `ViewDefinition ${viewName} is not valid: ${lines.join('; ')}`, {
    facts: { view: viewName, problems: problems.length },
  });
}
