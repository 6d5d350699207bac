import type { EvaluateView, Interpreter } from '../evaluate-view.ts';
import type { ViewFallback } from '../compiled-view.ts';
import { readReferenceKey } from '../functions.ts';
import type { ViewPlan } from '../view-plan.ts';
import { generateView, RUNTIME_NAMES, type GeneratedView } from './emit-view.ts';
import { lowerView } from './lower-view.ts';
import { compareNumbers, DEOPT, readChoice, readPlainKey, readValue, TOO_MANY_ROWS } from './runtime.ts';
import { SourceTooLong } from './source.ts';

export interface CompiledPlan {
  readonly evaluate: EvaluateView;
  /** The compiled function alone: it throws when a resource breaks an assumption. Undefined when the interpreter does all. */
  readonly fast: EvaluateView | undefined;
  readonly fallbacks: readonly ViewFallback[];
  readonly expressionCount: number;
}

const RUNTIME: Readonly<Record<(typeof RUNTIME_NAMES)[number], unknown>> = {
  DEOPT,
  TOO_MANY_ROWS,
  readValue,
  readChoice,
  readPlainKey,
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
    fast: undefined,
    fallbacks: reason === undefined ? fallbacks : [{ path: '', expression: '', reason }],
    expressionCount,
  });
  if (fallbacks.length === expressionCount) return interpreted();
  let fast: EvaluateView;
  try {
    fast = instantiate(
      generateView(view, plan.definition.resourceType, plan.columns.length, interpreter.parts),
      interpreter,
      fallbacks.length > 0,
    );
  } catch (error) {
    if (error instanceof SourceTooLong) return interpreted(error.message);
    if (error instanceof EvalError) return interpreted('this process may not generate code');
    throw error;
  }
  return { evaluate: withInterpreter(fast, interpreter), fast, fallbacks, expressionCount };
}

function instantiate({ code, constants }: GeneratedView, interpreter: Interpreter, needsInterpreter: boolean): EvaluateView {
  // The code holds no text of the view (source.ts); its values are entries of `constants`.
  // eslint-disable-next-line @typescript-eslint/no-implied-eval
  const make = new Function('K', 'R', 'begin', code) as (
    constants: readonly unknown[],
    runtime: unknown,
    begin: unknown,
  ) => EvaluateView;
  const run = make(constants, RUNTIME, interpreter.begin);
  if (!needsInterpreter) return run;
  return (resource) => {
    try {
      return run(resource);
    } finally {
      interpreter.end();
    }
  };
}

function withInterpreter(fast: EvaluateView, interpreter: Interpreter): EvaluateView {
  return (resource) => {
    try {
      return fast(resource);
    } catch (error) {
      if (error === TOO_MANY_ROWS) throw interpreter.tooManyRows();
    }
    return interpreter.evaluate(resource);
  };
}
