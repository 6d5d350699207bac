import type { CompiledView } from './compiled-view.ts';
import { compilePlan } from './compiled/compile-plan.ts';
import { makeInterpreter } from './evaluate-view.ts';
import type { FhirRelease } from './fhir-model.ts';
import { CREATED_AT_URLS } from './functions.ts';
import { QUICK_BOUNDS, WIDE_BOUNDS } from './limits.ts';
import { readViewDefinition, readViewName } from './view-definition.ts';
import { planView, type ViewPlan } from './view-plan.ts';
import { makeViewInvalid, type ViewProblem } from './view-problem.ts';

export interface CompileOptions {
  /** Release of FHIR for views that name none in `fhirVersion`; default R4. */
  readonly fhirVersion?: FhirRelease | undefined;
  /** URL of the extension in `meta` in which Aidbox tells the time of creation (its setting BOX_FHIR_CREATEDAT_URL); without it those that it documents. */
  readonly createdAtUrl?: string | undefined;
  /** True to evaluate all of the view with fhirpath.js: the same rows, much slower; for comparison. */
  readonly interpret?: boolean;
  /** True where others wait meanwhile: `evaluate` then gives up after some tens of milliseconds (VIEW_TOO_SLOW of limits.ts). */
  readonly quick?: boolean;
}

/**
 * Checks a ViewDefinition (untrusted JSON, SQL on FHIR v2 over FHIR R4 or R5) and makes it ready to flatten resources.
 * @throws AppError VIEW_INVALID listing every problem with its place; `validateView` gives them one by one
 */
export function compileView(viewDefinition: unknown, options: CompileOptions = {}): CompiledView {
  const { plan, problems } = checkView(viewDefinition, options.fhirVersion);
  if (plan === undefined || problems.length > 0) throw makeViewInvalid(readViewName(viewDefinition), problems);
  const { name, resourceType } = plan.definition;
  const createdAtUrls = options.createdAtUrl === undefined ? CREATED_AT_URLS : [options.createdAtUrl];
  const interpreter = makeInterpreter(plan, createdAtUrls, options.quick === true ? QUICK_BOUNDS : WIDE_BOUNDS);
  const { evaluate, fallbacks } =
    options.interpret === true
      ? { evaluate: interpreter.evaluate, fallbacks: [] }
      : compilePlan(plan, interpreter, createdAtUrls);
  return {
    name,
    resourceType,
    columns: plan.columns.map(({ name: column, fhirType, collection, ansiType, path }) => ({
      name: column,
      fhirType,
      collection,
      ...(ansiType === undefined ? {} : { ansiType }),
      path,
    })),
    needsExactDecimals: /Boundary`?\s*\(/.test(JSON.stringify([plan.definition.selects, plan.definition.where])),
    fallbacks,
    evaluate,
  };
}

/** Everything that is wrong with a ViewDefinition; empty when it can be used. */
export function validateView(viewDefinition: unknown, fhirVersion?: FhirRelease): readonly ViewProblem[] {
  return checkView(viewDefinition, fhirVersion).problems;
}

function checkView(
  viewDefinition: unknown,
  fhirVersion: FhirRelease = 'R4',
): { readonly plan: ViewPlan | undefined; readonly problems: readonly ViewProblem[] } {
  const problems: ViewProblem[] = [];
  const report = (path: string, message: string): void => void problems.push({ path, message });
  const definition = readViewDefinition(viewDefinition, fhirVersion, report);
  return { plan: definition === undefined ? undefined : planView(definition, report), problems };
}
