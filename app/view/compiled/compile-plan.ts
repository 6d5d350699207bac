import type { EvaluateView, Interpreter } from '../evaluate-view.ts';
import type { Resource, ViewFallback } from '../compiled-view.ts';
import { readReferenceKey } from '../functions.ts';
import { VIEW_TOO_SLOW } from '../limits.ts';
import type { ViewPlan } from '../view-plan.ts';
import { generateView, RUNTIME_NAMES, type GeneratedView } from './emit-view.ts';
import { lowerView } from './lower-view.ts';
import { compareNumbers, DEOPT, ID_CHARACTERS, readChoice, readValue, TOO_MANY_ROWS } from './runtime.ts';
import { SourceTooLong } from './source.ts';

export interface CompiledPlan {
  readonly evaluate: EvaluateView;
  /** Makes the compiled function alone, which throws when a resource breaks an assumption. Undefined when the interpreter does all. */
  readonly makeFast: (() => EvaluateView) | undefined;
  readonly fallbacks: readonly ViewFallback[];
  readonly expressionCount: number;
}

const RUNTIME: Readonly<Record<(typeof RUNTIME_NAMES)[number], unknown>> = {
  DEOPT,
  TOO_MANY_ROWS,
  readValue,
  readChoice,
  ID_CHARACTERS,
  readReferenceKey,
  compareNumbers,
};

/**
 * Compiles a view to one JavaScript function. The interpreter takes over for single expressions that are outside of the compiled subset, for
 * each resource that breaks an assumption of the compiled code, and for the whole view when no expression is inside, the code would be too
 * long, or the process may not generate code. So the rows, and the errors, are always those of the interpreter.
 */
export function compilePlan(plan: ViewPlan, interpreter: Interpreter, createdAtUrls: readonly string[]): CompiledPlan {
  const view = lowerView(plan, createdAtUrls);
  const { fallbacks, expressionCount } = view;
  const interpreted = (reason?: string): CompiledPlan => ({
    evaluate: interpreter.evaluate,
    makeFast: undefined,
    fallbacks: reason === undefined ? fallbacks : [{ path: '', expression: '', reason }],
    expressionCount,
  });
  if (fallbacks.length === expressionCount) return interpreted();
  try {
    const generated = generateView(
      view,
      plan.definition.resourceType,
      plan.columns.length,
      interpreter.maxRows,
      interpreter.parts,
    );
    return {
      evaluate: instantiate(generated, interpreter, (resource, error) => {
        if (error === TOO_MANY_ROWS) throw interpreter.tooManyRows();
        if (error === VIEW_TOO_SLOW) throw VIEW_TOO_SLOW;
        return interpreter.evaluate(resource);
      }),
      makeFast: () => instantiate(generated, interpreter, rethrow),
      fallbacks,
      expressionCount,
    };
  } catch (error) {
    if (error instanceof SourceTooLong) return interpreted(error.message);
    if (error instanceof EvalError) return interpreted('this process may not generate code');
    throw error;
  }
}

/** What becomes of a resource that compiled code gave up. */
type Recover = (resource: Resource, error: unknown) => ReturnType<EvaluateView>;

function rethrow(_resource: Resource, error: unknown): never {
  throw error;
}

function instantiate({ code, constants }: GeneratedView, interpreter: Interpreter, recover: Recover): EvaluateView {
  // The code holds no text of the view (source.ts); its values are entries of `constants`.
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  const make = new Function('K', 'R', 'begin', 'end', 'recover', code) as (
    constants: readonly unknown[],
    runtime: unknown,
    begin: Interpreter['begin'],
    end: Interpreter['end'],
    recover: Recover,
  ) => EvaluateView;
  return make(constants, RUNTIME, interpreter.begin, interpreter.end, recover);
}
