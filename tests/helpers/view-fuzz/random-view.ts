import { kindOf } from './fhir-model.ts';
import { narrowColumn } from './narrow-column.ts';
import { randomColumn, randomCondition, randomPath, type ExpressionSource } from './random-expression.ts';
import { chance, pickOne, wholeBelow } from './random.ts';

interface Naming {
  next: number;
}

/** Elements that hold themselves again, by resource type: what `repeat` is for. */
const RECURSIVE: Readonly<Record<string, readonly (readonly string[])[]>> = {
  QuestionnaireResponse: [['item'], ['item', 'answer.item']],
  Questionnaire: [['item']],
  Patient: [['contact'], ["extension('urn:u')"], ['extension']],
  Observation: [['component'], ['extension']],
};

/** A random ViewDefinition as JSON. Now and then it is not valid, for example for an expression that can never yield anything. */
export function randomView(source: ExpressionSource): object {
  const { random, root } = source;
  const naming: Naming = { next: 0 };
  return {
    resourceType: 'ViewDefinition',
    name: 'fuzz',
    resource: root,
    constant: [
      { name: 'text', valueString: pickOne(random, source.texts) },
      { name: 'number', valueInteger: wholeBelow(random, 3) },
      { name: 'flag', valueBoolean: chance(random, 0.5) },
    ],
    // With many columns one of them leaves most faults to the interpreter, which then hides what another one overlooks.
    ...(chance(random, 0.4)
      ? { select: [{ column: [aColumn({ ...source, exotic: 0 }, naming, root, narrowColumn)] }] }
      : { select: Array.from({ length: 1 + wholeBelow(random, 3) }, () => randomSelect(source, naming, root, 0)) }),
    ...(chance(random, 0.15) && { where: [{ path: randomCondition(source, root, 2) }] }),
  };
}

function randomSelect(source: ExpressionSource, naming: Naming, outer: string, depth: number): object {
  const { random } = source;
  const { iteration, type } = randomIteration(source, outer, depth);
  const isDeep = depth >= 2;
  const parts = {
    column: [
      ...Array.from({ length: 1 + wholeBelow(random, 4) }, () => aColumn(source, naming, type)),
      ...(chance(random, 0.3) ? columnsInCommon(source, naming, type) : []),
    ],
    ...(!isDeep &&
      chance(random, 0.3) && {
        select: Array.from({ length: 1 + wholeBelow(random, 2) }, () => randomSelect(source, naming, type, depth + 1)),
      }),
    ...(!isDeep && chance(random, 0.2) && { unionAll: randomUnion(source, naming, type, depth) }),
  };
  return { ...iteration, ...parts };
}

function aColumn(source: ExpressionSource, naming: Naming, type: string, make = randomColumn): object {
  const { text, type: found } = make(source, type);
  const isCollection = chance(source.random, 0.4);
  return {
    name: `c${naming.next++}`,
    path: text,
    ...(isCollection && { collection: true }),
    ...(found === '' && { type: 'string' }),
  };
}

/** Columns that begin with the same object, which compiled code evaluates once. */
function columnsInCommon(source: ExpressionSource, naming: Naming, outer: string): readonly object[] {
  const { random } = source;
  const begin = randomPath(source, outer, { wanted: 'object' });
  if (begin === undefined) return [];
  return Array.from({ length: 2 }, () => randomPath(source, begin.type, { wanted: 'primitive' })).flatMap((end) =>
    end === undefined
      ? []
      : [
          {
            name: `c${naming.next++}`,
            path: `${begin.text}.first().${end.text}`,
            ...(chance(random, 0.5) && { collection: true }),
          },
        ],
  );
}

function randomIteration(
  source: ExpressionSource,
  outer: string,
  depth: number,
): { readonly iteration: object; readonly type: string } {
  const { random, root } = source;
  const steps = RECURSIVE[root];
  if (depth === 0 && steps !== undefined && chance(random, 0.12)) {
    const repeat = pickOne(random, steps);
    const type = repeat[0]?.startsWith('extension') === true ? 'Extension' : `${root}.${repeat[0]}`;
    return { iteration: { repeat }, type };
  }
  if (!chance(random, 0.6)) return { iteration: {}, type: outer };
  const path = randomPath(source, outer, { wanted: chance(random, 0.85) ? 'object' : 'text' });
  if (path === undefined) return { iteration: {}, type: outer };
  return { iteration: { [pickOne(random, ['forEach', 'forEachOrNull'])]: path.text }, type: path.type };
}

/** Branches with the same columns, all texts; each stands on something else. */
function randomUnion(source: ExpressionSource, naming: Naming, outer: string, depth: number): readonly object[] {
  const { random } = source;
  const names = Array.from({ length: 1 + wholeBelow(random, 2) }, () => `c${naming.next++}`);
  return Array.from({ length: 2 + wholeBelow(random, 2) }, () => {
    const { iteration, type } = randomIteration(source, outer, depth + 1);
    const column = names.map((name) => {
      const path = kindOf(type) === 'text' ? '$this' : randomPath(source, type, { wanted: 'text' })?.text;
      return { name, path: path ?? "'none'", type: 'string', collection: true };
    });
    return chance(random, 0.2)
      ? { unionAll: [{ ...iteration, column }, { column: column.map((each) => ({ ...each, path: "'other'" })) }] }
      : { ...iteration, column };
  });
}
