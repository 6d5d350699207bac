import { describe, expect, it } from '@jest/globals';
import { findNeededNames } from '../../../app/flatten/needed-names.ts';
import { makeProjectingParser } from '../../../app/flatten/projecting-parser.ts';
import { isAppError } from '../../../app/errors/app-error.ts';
import type { Resource } from '../../../app/view/compiled-view.ts';
import type { EvaluateView } from '../../../app/view/evaluate-view.ts';
import { seededRandom } from '../../helpers/seeded-random.ts';
import { propertiesSeen } from '../../helpers/view-fuzz/fhir-model.ts';
import { randomResource, TEXTS } from '../../helpers/view-fuzz/random-resource.ts';
import { randomView } from '../../helpers/view-fuzz/random-view.ts';
import { chance, pickOne, wholeBelow } from '../../helpers/view-fuzz/random.ts';
import { prepare, readSynthea } from '../../helpers/view-fuzz/run-fuzz.ts';
import { spoilResource } from '../../helpers/view-fuzz/spoil-resource.ts';

/** Pairs of a resource and a view of which the names can be told; many random views are none. */
const PAIRS = Number(process.env['PAIRS'] ?? 1_000);
const RESOURCES_PER_VIEW = 10;
const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const synthea = readSynthea();
const TYPES = ['Patient', 'Observation', 'QuestionnaireResponse', 'Condition', 'Encounter', ...synthea.keys()];

describe('a resource of which no more is read than the view needs', () => {
  it(`gives the same rows and errors as the whole one (seed ${seed})`, () => {
    const random = seededRandom(seed);
    for (let pairs = 0; pairs < PAIRS;) {
      const type = pickOne(random, TYPES);
      const known = synthea.get(type);
      const samples = Array.from({ length: RESOURCES_PER_VIEW }, () =>
        known !== undefined && chance(random, 0.5) ? pickOne(random, known) : randomResource(random, type),
      );
      const view = randomView({ random, root: type, exotic: 0, texts: TEXTS, seen: propertiesSeen(samples, type) });
      const both = prepare(view);
      if (both === undefined) continue;
      const names = findNeededNames(view);
      if (names === undefined) continue;
      const parse = makeProjectingParser(names);
      for (const sample of samples) {
        const resource = chance(random, 0.5) ? spoilResource(random, sample, 1 + wholeBelow(random, 3), [...names]) : sample;
        const bytes = Buffer.from(JSON.stringify(resource));
        const less = parse(bytes, 0, bytes.length) as Resource;
        pairs += 1;
        for (const evaluate of [both.compiled.evaluate, both.interpreter.evaluate]) {
          const whole = outcome(evaluate, JSON.parse(bytes.toString()) as Resource);
          expect({ view, resource, outcome: outcome(evaluate, less) }).toEqual({ view, resource, outcome: whole });
        }
      }
    }
  }, 120_000);
});

function outcome(evaluate: EvaluateView, resource: Resource): unknown {
  try {
    return evaluate(resource);
  } catch (error) {
    if (isAppError(error)) return { code: error.code, message: error.message };
    throw error;
  }
}
