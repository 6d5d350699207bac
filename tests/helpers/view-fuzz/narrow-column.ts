import { childrenOf, kindOf } from './fhir-model.ts';
import {
  failingCondition,
  isSeen,
  randomColumn,
  wholeChoice,
  type ExpressionSource,
  type Fragment,
} from './random-expression.ts';
import { chance, pickOne, wholeBelow } from './random.ts';

/** What loops that end early, and choices of which a variant is wanted, may overlook; else any column. */
export function narrowColumn(source: ExpressionSource, type: string): Fragment {
  const { random } = source;
  switch (wholeBelow(random, 4)) {
    case 0: {
      const lists = childrenOf(type).filter(
        (child) => child.repeats && kindOf(child.type) === 'object' && isSeen(source, type, child),
      );
      const list = pickOne(random, lists);
      if (list === undefined) break;
      const texts = childrenOf(list.type).filter(
        (child) =>
          kindOf(child.type) === 'text' && !child.repeats && child.variants === undefined && isSeen(source, list.type, child),
      );
      const text = pickOne(random, texts)?.name;
      const condition = text === undefined ? failingCondition(source, list.type) : `${text} >= ''`;
      return { text: `${list.name}.where(${condition}).exists()`, type: 'boolean' };
    }
    case 1: {
      const found = wholeChoice(source, type);
      if (found !== undefined) return found;
      break;
    }
    case 2: {
      const variant = pickOne(random, ['string', 'Quantity', 'CodeableConcept', 'code', 'dateTime', 'boolean']);
      const path = chance(random, 0.6) ? 'extension.value' : 'value';
      if (path === 'value' && !childrenOf(type).some(({ name }) => name === 'value')) break;
      return { text: `${path}.ofType(${variant}).exists()`, type: 'boolean' };
    }
  }
  return randomColumn(source, type);
}
