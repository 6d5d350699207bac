import type { ChoiceVariant, ElementType } from './element-type.ts';

/** What the items of an expression look like in JavaScript. `mixed`: primitives of several kinds. */
export type ItemKind = 'object' | 'text' | 'temporal' | 'number' | 'boolean' | 'mixed';

export type TextFunction =
  'upper' | 'lower' | 'trim' | 'length' | 'startsWith' | 'endsWith' | 'contains' | 'indexOf' | 'lastIndexOf' | 'substring';

export type LogicOperator = 'and' | 'or' | 'xor' | 'implies';
export type OrderOperator = '<' | '>' | '<=' | '>=';

interface Base {
  /** True when the expression can yield more than one item. */
  readonly many: boolean;
  readonly kind: ItemKind;
  /**
   * True when fhirpath.js may fail on items that nobody asked for: the loop over them must then go to its end, so that data which breaks
   * an assumption is seen.
   */
  readonly mayFail: boolean;
}

/** An expression that passes items on. `slot`: the number of a variable that holds one item (0: the resource). */
export type ItemNode = Base &
  (
    | { readonly op: 'slot'; readonly slot: number; readonly element: ElementType | undefined }
    | {
        readonly op: 'child';
        readonly input: Node;
        readonly name: string;
        readonly repeats: boolean;
        readonly element: ElementType;
      }
    | {
        readonly op: 'choice';
        readonly input: Node;
        /** Every property of the choice, in the order in which fhirpath.js looks at them. */
        readonly all: readonly string[];
        /** Those that the expression asks for. */
        readonly variants: readonly ChoiceVariant[];
        /** Of several variants, the property that is named after the type that was asked for. */
        readonly likely?: string | undefined;
        readonly element: ElementType | undefined;
      }
    /** An element that the model does not have here; its presence breaks an assumption. */
    | { readonly op: 'absent'; readonly input: Node; readonly name: string }
    | {
        readonly op: 'where';
        readonly input: Node;
        readonly slot: number;
        readonly criterion: Node;
        readonly element: ElementType | undefined;
      }
    | {
        readonly op: 'select';
        readonly input: Node;
        readonly slot: number;
        readonly body: Node;
        readonly element: ElementType | undefined;
      }
    | {
        readonly op: 'pick';
        readonly input: Node;
        readonly at: 'first' | 'last' | 'single' | number;
        readonly element: ElementType | undefined;
      }
    /** Items from one index up to, not including, another. */
    | {
        readonly op: 'range';
        readonly input: Node;
        readonly from: number;
        readonly to: number;
        readonly element: ElementType | undefined;
      }
    | { readonly op: 'extension'; readonly input: Node; readonly url: string; readonly element: ElementType }
    | { readonly op: 'resourceKey'; readonly input: Node }
    | { readonly op: 'referenceKey'; readonly input: Node; readonly resourceType: string | undefined }
    | { readonly op: 'iif'; readonly condition: Node; readonly then: Node; readonly otherwise: Node | undefined }
  );

/** An expression that computes one value or nothing. */
export type ValueNode = Base &
  (
    | { readonly op: 'literal'; readonly value: string | number | boolean }
    | { readonly op: 'rowIndex' }
    | { readonly op: 'equal'; readonly left: Node; readonly right: Node; readonly negated: boolean }
    | { readonly op: 'order'; readonly operator: OrderOperator; readonly left: Node; readonly right: Node }
    | { readonly op: 'oneOf'; readonly left: Node; readonly values: readonly string[] }
    | { readonly op: 'logic'; readonly operator: LogicOperator; readonly left: Node; readonly right: Node }
    | { readonly op: 'not'; readonly input: Node }
    | {
        readonly op: 'exists';
        readonly input: Node;
        readonly slot: number;
        readonly criterion: Node | undefined;
        readonly negated: boolean;
      }
    | { readonly op: 'all'; readonly input: Node; readonly slot: number; readonly criterion: Node }
    | { readonly op: 'count'; readonly input: Node }
    | { readonly op: 'hasValue'; readonly input: Node }
    | { readonly op: 'join'; readonly input: Node; readonly separator: string }
    | { readonly op: 'text'; readonly fn: TextFunction; readonly input: Node; readonly args: readonly (string | number)[] }
    | { readonly op: 'concat'; readonly left: Node; readonly right: Node; readonly emptyIsText: boolean }
  );

/** An expression inside of the compiled subset. */
export type Node = ItemNode | ValueNode;

/** Type of the items when they are elements of one type. */
export function elementOf(node: Node): ElementType | undefined {
  return 'element' in node ? node.element : undefined;
}

export function isValue(node: Node): node is ValueNode {
  return !(ITEM_OPERATIONS as readonly string[]).includes(node.op);
}

const ITEM_OPERATIONS: readonly ItemNode['op'][] = [
  'slot',
  'child',
  'choice',
  'absent',
  'where',
  'select',
  'pick',
  'range',
  'extension',
  'resourceKey',
  'referenceKey',
  'iif',
];

/** True when the items are computed, so that each has a value and none has a `_property` beside it. */
export function isComputed(node: Node): boolean {
  if (isValue(node)) return true;
  switch (node.op) {
    case 'slot':
    case 'child':
    case 'choice':
    case 'absent':
    case 'extension':
      return false;
    case 'where':
    case 'pick':
    case 'range':
      return isComputed(node.input);
    case 'select':
      return isComputed(node.body);
    case 'resourceKey':
    case 'referenceKey':
      return true;
    case 'iif':
      return isComputed(node.then) && (node.otherwise === undefined || isComputed(node.otherwise));
  }
}

/** Equal for expressions that yield the same items at one place. */
export function keyOf(node: Node): string {
  return JSON.stringify(node);
}

/**
 * What an expression begins with that yields at most one object, shortest first. Such beginnings are evaluated once for all columns that have
 * them in common.
 */
export function beginningsOf(node: Node): readonly Node[] {
  const before = 'input' in node ? beginningsOf(node.input) : [];
  const isShareable = node.kind === 'object' && !node.many && ['child', 'choice', 'pick'].includes(node.op);
  return isShareable ? [...before, node] : before;
}
