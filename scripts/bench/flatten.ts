import { isDeepStrictEqual } from 'node:util';
import { compileView } from '../../app/view/compile-view.ts';
import type { Resource } from '../../app/view/compiled-view.ts';
import { makeRandom } from '../generator/random.ts';
import { quantile, type BenchOptions, type BenchResult } from './bench.ts';
import { makeFlattenData } from './flatten-data.ts';
import { FLATTEN_CASES, type FlattenCase } from './flatten-views.ts';

const RESOURCES = 2_000;
/** Resources of one turn of the slow engine. */
const SLOW_RESOURCES = 100;
const COMPILATIONS = 15;
/** Turns after which V8 has optimized what there is. */
const WARM_UP_TURNS = 10;

type Evaluate = (resource: Resource) => readonly (readonly unknown[])[];

interface Engine {
  readonly name: 'compiled' | 'by hand' | 'fhirpath.js' | 'JSON.parse';
  /** Runs once over its resources; gives their number. */
  readonly turn: () => number;
  readonly microsPerResource: number[];
}

/**
 * Time per resource of compiled views, beside hand-written JavaScript, the same view interpreted with fhirpath.js (its expressions compiled by
 * it once), and JSON.parse of the resource's line, in turns in one process; medians. The rows of all are compared first.
 */
export async function runFlattenBench({ seconds, say }: BenchOptions): Promise<BenchResult> {
  const first = timeCompilation(FLATTEN_CASES[1]?.view);
  const data = makeFlattenData(RESOURCES);
  const lines = [`µs per resource         compiled   by hand  ratio  fhirpath.js  ratio  JSON.parse`];
  const figures: Record<string, unknown> = {};
  for (const each of FLATTEN_CASES) {
    say(each.name);
    const engines = makeEngines(each, data[each.type]);
    measure(engines, (seconds * 1000) / FLATTEN_CASES.length);
    const micros = Object.fromEntries(engines.map(({ name, microsPerResource }) => [name, median(microsPerResource)]));
    const {
      compiled = Number.NaN,
      'by hand': byHand = Number.NaN,
      'fhirpath.js': interpreted = Number.NaN,
      'JSON.parse': parse,
    } = micros;
    const toHand = median(ratios(engines, 'compiled', 'by hand'));
    const overInterpreter = median(ratios(engines, 'fhirpath.js', 'compiled'));
    lines.push(
      [
        each.name.padEnd(22),
        format(compiled).padStart(10),
        format(byHand).padStart(9),
        format(toHand).padStart(6),
        format(interpreted).padStart(12),
        format(overInterpreter).padStart(6),
        format(parse ?? Number.NaN).padStart(11),
      ].join(' '),
    );
    figures[each.name] = { ...micros, compiledToByHand: toHand, fhirpathToCompiled: overInterpreter };
  }
  const warm = FLATTEN_CASES.flatMap(({ view }) => Array.from({ length: COMPILATIONS }, () => timeCompilation(view)));
  lines.push('the reference implementation (sof-js) is not on npm: not measured');
  lines.push(
    `compilation of a view: first ${format(first)} ms, then median ${format(median(warm))} ms, longest ${format(Math.max(...warm))} ms`,
  );
  return { lines, figures: { ...figures, firstCompileMs: first, compileMs: median(warm) } };
}

function makeEngines({ name, view, byHand }: FlattenCase, lines: readonly string[]): readonly Engine[] {
  const resources = lines.map((line) => JSON.parse(line) as Resource);
  const compiled: Evaluate = compileView(view).evaluate;
  const interpreted: Evaluate = compileView(view, { interpret: true }).evaluate;
  for (const resource of resources) {
    const rows = interpreted(resource);
    const others = [compiled(resource), ...(byHand === undefined ? [] : [byHand(resource as never)])];
    if (others.some((other) => !isDeepStrictEqual(other, rows)))
      throw new Error(`view ${name}: rows of ${String(resource['id'])} differ`);
  }
  const few = resources.slice(0, SLOW_RESOURCES);
  return [
    engine('compiled', over(compiled, byHand === undefined ? few : resources)),
    ...(byHand === undefined ? [] : [engine('by hand', over(byHand as unknown as Evaluate, resources))]),
    engine('fhirpath.js', over(interpreted, few)),
    engine('JSON.parse', () => lines.reduce((count, line) => count + (JSON.parse(line) === undefined ? 0 : 1), 0)),
  ];
}

function engine(name: Engine['name'], turn: () => number): Engine {
  return { name, turn, microsPerResource: [] };
}

/** The rows are counted, so that no engine can leave them out. */
function over(evaluate: Evaluate, resources: readonly Resource[]): () => number {
  let rows = 0;
  return () => {
    for (const resource of resources) rows += evaluate(resource).length;
    return rows < 0 ? 0 : resources.length;
  };
}

/** Turns of all engines until the time is over, in another order each time, so that none always clears away the garbage of the same other one. */
function measure(engines: readonly Engine[], durationMs: number): void {
  const endAtMs = performance.now() + durationMs;
  for (const { turn } of engines) for (let warmUp = 0; warmUp < WARM_UP_TURNS; warmUp++) turn();
  const random = makeRandom(20260402);
  do {
    for (const { turn, microsPerResource } of random.shuffle(engines)) {
      turn(); // untimed: brings the data back into the caches, wherever the engine before has been
      const startedAtMs = performance.now();
      const count = turn();
      microsPerResource.push((1000 * (performance.now() - startedAtMs)) / count);
    }
  } while (performance.now() < endAtMs || (engines[0]?.microsPerResource.length ?? 0) < 5);
}

/** Ratios of two engines, round by round. */
function ratios(engines: readonly Engine[], name: Engine['name'], beside: Engine['name']): number[] {
  const [one, other] = [name, beside].map((wanted) => engines.find((engine) => engine.name === wanted)?.microsPerResource ?? []);
  return (one ?? []).map((micros, round) => micros / (other?.[round] ?? Number.NaN));
}

function timeCompilation(view: unknown): number {
  const startedAtMs = performance.now();
  compileView(view);
  return performance.now() - startedAtMs;
}

function median(values: readonly number[]): number {
  return quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  );
}

function format(value: number): string {
  return Number.isNaN(value) ? '–' : value.toFixed(value < 10 ? 2 : 1);
}
