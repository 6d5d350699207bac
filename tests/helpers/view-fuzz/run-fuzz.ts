import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { isAppError } from '../../../app/errors/app-error.ts';
import { compilePlan, type CompiledPlan } from '../../../app/view/compiled/compile-plan.ts';
import type { Resource } from '../../../app/view/compiled-view.ts';
import { WIDE_BOUNDS } from '../../../app/view/limits.ts';
import { makeInterpreter, type EvaluateView, type Interpreter } from '../../../app/view/evaluate-view.ts';
import { CREATED_AT_URLS } from '../../../app/view/functions.ts';
import { readViewDefinition } from '../../../app/view/view-definition.ts';
import { planView } from '../../../app/view/view-plan.ts';
import { seededRandom } from '../seeded-random.ts';
import { propertiesSeen } from './fhir-model.ts';
import { randomResource, TEXTS } from './random-resource.ts';
import { spoilResource } from './spoil-resource.ts';
import { randomView } from './random-view.ts';
import { chance, pickOne, wholeBelow } from './random.ts';

/** Folder of the Synthea resources, beside the checkout. */
export const SYNTHEA_DIRECTORY = new URL('../../../../shared/data/synthea/', import.meta.url);

export interface Difference {
  readonly view: unknown;
  readonly resource: unknown;
  readonly compiled: unknown;
  readonly interpreted: unknown;
}

export interface FuzzResult {
  readonly pairs: number;
  readonly views: number;
  /** Views that the checks refuse; none of them counts as a pair. */
  readonly invalidViews: number;
  readonly expressions: number;
  readonly fallbackExpressions: number;
  /** Pairs that compiled code did alone. */
  readonly fastPairs: number;
  /** Pairs whose resource went to the interpreter. */
  readonly deoptPairs: number;
  readonly rows: number;
  /** Times that a function or operator was evaluated by compiled code alone, by pair and expression. */
  readonly functions: ReadonlyMap<string, number>;
  /** Reasons of fallbacks, with how many expressions they struck. */
  readonly reasons: ReadonlyMap<string, number>;
  readonly differences: readonly Difference[];
}

export interface FuzzOptions {
  readonly pairs: number;
  readonly seed: number;
  /** Resources of real form, by type; each is used at least once when there are pairs enough. */
  readonly resources: ReadonlyMap<string, readonly Resource[]>;
  readonly maxDifferences?: number;
}

const GENERATED_TYPES = [
  'Patient',
  'Observation',
  'QuestionnaireResponse',
  'Condition',
  'Encounter',
  'MedicationRequest',
  'Questionnaire',
];
const RESOURCES_PER_VIEW = 20;
/** Share of calls that the compiler is known to leave to fhirpath.js; views of the public have about 2 %. */
const EXOTIC = 0.03;
/** Share of resources with faults. */
const SPOILT = 0.5;

/** All Synthea resources by type; empty when the folder is missing. */
export function readSynthea(): ReadonlyMap<string, readonly Resource[]> {
  if (!existsSync(SYNTHEA_DIRECTORY)) return new Map();
  const files = readdirSync(SYNTHEA_DIRECTORY).filter((file) => file.endsWith('.ndjson.gz'));
  return new Map(
    files.map((file) => {
      const lines = gunzipSync(readFileSync(new URL(file, SYNTHEA_DIRECTORY)))
        .toString('utf8')
        .trimEnd()
        .split('\n');
      return [file.replace('.ndjson.gz', ''), lines.map((line) => JSON.parse(line) as Resource)];
    }),
  );
}

/** Evaluates random pairs of view and resource twice, compiled and by the interpreter alone, and counts. */
export function runFuzz({ pairs, seed, resources, maxDifferences = 5 }: FuzzOptions): FuzzResult {
  const random = seededRandom(seed);
  const functions = new Map<string, number>();
  const reasons = new Map<string, number>();
  const differences: Difference[] = [];
  const result = {
    pairs: 0,
    views: 0,
    invalidViews: 0,
    expressions: 0,
    fallbackExpressions: 0,
    fastPairs: 0,
    deoptPairs: 0,
    rows: 0,
  };
  const positions = new Map<string, number>();
  const types = [...resources.keys()];
  while (result.pairs < pairs && differences.length < maxDifferences) {
    const isReal = types.length > 0 && chance(random, 0.5);
    const type = pickOne(random, isReal ? types : GENERATED_TYPES);
    const samples = isReal
      ? takeNext(resources.get(type) ?? [], positions, type)
      : Array.from({ length: RESOURCES_PER_VIEW }, () => randomResource(random, type));
    const view = randomView({ random, root: type, exotic: EXOTIC, texts: textsOf(samples), seen: propertiesSeen(samples, type) });
    const both = prepare(view);
    if (both === undefined) {
      result.invalidViews++;
      continue;
    }
    result.views++;
    result.expressions += both.compiled.expressionCount;
    result.fallbackExpressions += both.compiled.fallbacks.length;
    for (const { reason } of both.compiled.fallbacks) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    const used = functionsOf(both.fastExpressions);
    const mentioned = [...new Set(both.expressions.flatMap((text) => text.match(/\b[a-z]\w+/g) ?? []))];
    const fast = both.compiled.makeFast?.();
    for (const sample of samples) {
      const resource = chance(random, SPOILT) ? spoilResource(random, sample, 1 + wholeBelow(random, 3), mentioned) : sample;
      const compiled = outcome(both.compiled.evaluate, resource);
      const interpreted = outcome(both.interpreter.evaluate, resource);
      result.pairs++;
      if (fast !== undefined && !throws(fast, resource)) {
        result.fastPairs++;
        for (const [name, count] of used) functions.set(name, (functions.get(name) ?? 0) + count);
      } else result.deoptPairs++;
      if (Array.isArray(compiled)) result.rows += compiled.length;
      if (!isDeepStrictEqual(compiled, interpreted)) differences.push({ view, resource, compiled, interpreted });
    }
  }
  return { ...result, functions, reasons, differences };
}

/** The next resources of a type, round and round. */
function takeNext(list: readonly Resource[], positions: Map<string, number>, type: string): readonly Resource[] {
  const from = positions.get(type) ?? 0;
  positions.set(type, (from + RESOURCES_PER_VIEW) % list.length);
  return Array.from({ length: RESOURCES_PER_VIEW }, (_, index) => list[(from + index) % list.length] as Resource);
}

/** Short texts in resources, and those that generated resources share. */
function textsOf(resources: readonly Resource[]): readonly string[] {
  const found = new Set<string>(TEXTS);
  const collect = (value: unknown): void => {
    if (typeof value === 'string' && value.length < 40 && found.size < 60) found.add(value);
    else if (typeof value === 'object' && value !== null) Object.values(value).forEach(collect);
  };
  resources.slice(0, 2).forEach(collect);
  return [...found];
}

interface Both {
  readonly compiled: CompiledPlan;
  readonly interpreter: Interpreter;
  readonly expressions: readonly string[];
  /** Those that are compiled. */
  readonly fastExpressions: readonly string[];
}

/** Both ways to evaluate a view; undefined when it is not valid. */
export function prepare(view: unknown): Both | undefined {
  let problems = 0;
  const report = (): void => void problems++;
  const definition = readViewDefinition(view, 'R4', report);
  if (definition === undefined) return undefined;
  const plan = planView(definition, report);
  if (problems > 0) return undefined;
  const compiled = compilePlan(plan, makeInterpreter(plan, CREATED_AT_URLS, WIDE_BOUNDS), CREATED_AT_URLS);
  const slow = new Set(compiled.fallbacks.map(({ expression }) => expression));
  const expressions = expressionsOf(view);
  const fastExpressions = expressions.filter((text) => !slow.has(text));
  return { compiled, interpreter: makeInterpreter(plan, CREATED_AT_URLS, WIDE_BOUNDS), expressions, fastExpressions };
}

function expressionsOf(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]): readonly string[] => {
    if (typeof inner === 'string' && ['path', 'forEach', 'forEachOrNull'].includes(key)) return [inner];
    if (key === 'repeat' && Array.isArray(inner)) return ['repeat', ...(inner as string[])];
    return [...(key === 'unionAll' || key === 'collection' || key.startsWith('forEach') ? [key] : []), ...expressionsOf(inner)];
  });
}

/** Names of functions and operators in expressions, literals left out, with how often they occur. */
function functionsOf(expressions: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const text of expressions) {
    const bare = text.replace(/'(?:\\.|[^'\\])*'/g, '');
    for (const [name] of bare.matchAll(
      /\w+(?=\()|\[(?=\d)|!=|<=|>=|[=<>&+]|\b(?:and|or|xor|implies|in)\b|%\w+|\$this|^(?:repeat|unionAll)$/g,
    )) {
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  return counts;
}

/** Rows, or the error of ours; anything else that is thrown is no answer at all. */
function outcome(evaluate: EvaluateView, resource: Resource): unknown {
  try {
    return evaluate(resource);
  } catch (error) {
    return isAppError(error) ? { code: error.code, message: error.message } : { thrown: String(error) };
  }
}

function throws(evaluate: EvaluateView, resource: Resource): boolean {
  try {
    evaluate(resource);
    return false;
  } catch {
    return true;
  }
}
