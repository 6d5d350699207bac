import type { AstNode } from '../expression-types.ts';
import { isSubtype } from '../r4-types.ts';
import { readLiteral, stringOf, unquote } from '../literals.ts';
import { findChild, kindOf, type ElementType } from './element-type.ts';
import { elementOf, isComputed, type ItemKind, type LogicOperator, type Node, type OrderOperator } from './ir.ts';
import { lowerCall } from './lower-call.ts';

/** Says why an expression is left to fhirpath.js. */
export class Unsupported extends Error {}

/** What the names in an expression mean. */
export interface LoweringScope {
  /** `$this`, on which bare names stand. */
  readonly self: Node;
  readonly root: Node;
  readonly constants: ReadonlyMap<string, unknown>;
  /** URLs of the extension that holds the time of creation (getAidboxCts). */
  readonly createdAtUrls: readonly string[];
  /** The next free slot; equal expressions at one place use equal slots, so that their common beginnings are evaluated once. */
  readonly nextSlot: number;
  /** True in `repeat`: an element that the model lacks yields nothing. */
  readonly lenient: boolean;
}

/**
 * Translates a checked expression.
 * @param input what stands before the dot; undefined where the expression begins, which is `scope.self`
 * @throws Unsupported for what fhirpath.js must evaluate
 */
export function lowerExpression(node: AstNode, scope: LoweringScope, input?: Node): Node {
  const [first, second] = node.children ?? [];
  switch (node.type) {
    case 'EntireExpression':
    case 'TermExpression':
    case 'InvocationTerm':
    case 'ParenthesizedTerm':
      return lowerExpression(need(first), scope, input);
    case 'InvocationExpression':
      return lowerExpression(need(second), scope, lowerExpression(need(first), scope, input));
    case 'MemberInvocation':
      return lowerMember(node, scope, input);
    case 'FunctionInvocation':
      return lowerCall(node, scope, input);
    case 'IndexerExpression':
      return pick(lowerExpression(need(first), scope, input), readIndex(need(second)));
    case 'ThisInvocation':
      return scope.self;
    case 'ExternalConstantTerm':
      return lowerVariable(unquote(node.delimitedText ?? node.text ?? ''), scope);
    case 'LiteralTerm':
      return literal(readLiteral(node));
    case 'PolarityExpression':
      return negate(node.text, lowerExpression(need(first), scope));
    case 'EqualityExpression':
      return lowerEquality(node.text ?? '', lowerExpression(need(first), scope), lowerExpression(need(second), scope));
    case 'InequalityExpression':
      return lowerOrder(node.text as OrderOperator, lowerExpression(need(first), scope), lowerExpression(need(second), scope));
    case 'AndExpression':
    case 'OrExpression':
    case 'XorExpression':
    case 'ImpliesExpression':
      return lowerLogic(node.text as LogicOperator, lowerExpression(need(first), scope), lowerExpression(need(second), scope));
    case 'MembershipExpression':
      return lowerMembership(node.text ?? '', lowerExpression(need(first), scope), need(second));
    case 'AdditiveExpression':
      return lowerConcatenation(node.text ?? '', lowerExpression(need(first), scope), lowerExpression(need(second), scope));
    default:
      throw new Unsupported(describe(node));
  }
}

function describe({ type, text }: AstNode): string {
  if (type === 'IndexInvocation') return '$index';
  return text !== undefined && text.length <= 8 ? `operator ${text}` : type;
}

function need(node: AstNode | undefined): AstNode {
  if (node === undefined) throw new Unsupported('an incomplete expression');
  return node;
}

function lowerMember(node: AstNode, scope: LoweringScope, input: Node | undefined): Node {
  const name = unquote(node.text ?? '');
  if (input !== undefined) return child(input, name, scope.lenient);
  if (!/^[A-Z]/.test(name)) return child(scope.self, name, scope.lenient);
  const type = elementOf(scope.self)?.fhirType;
  if (node.atRoot !== 1 || type === undefined || !isSubtype(type, name)) throw new Unsupported(`type name ${name} as a path`);
  return scope.self;
}

/** @throws Unsupported where the type of the input, or the element, is not known */
export function child(input: Node, name: string, lenient = false): Node {
  if (input.op === 'absent') return input;
  const parent = elementOf(input);
  if (parent === undefined || input.kind !== 'object') throw new Unsupported(`.${name} on something that has no one known type`);
  const found = findChild(parent, name);
  const base = { input, mayFail: input.mayFail };
  if (found === undefined) {
    if (!lenient) throw new Unsupported(`.${name}, which the model does not have here`);
    return { ...base, op: 'absent', name, many: false, kind: 'object' };
  }
  if (found.kind === 'choice') {
    const all = found.variants.map(({ property }) => property);
    return { ...base, op: 'choice', all, ...choose(found.variants), variants: found.variants, many: input.many };
  }
  return {
    ...base,
    op: 'child',
    name,
    repeats: found.repeats,
    element: found.type,
    kind: knownKind(found.type),
    many: input.many || found.repeats,
  };
}

/** Type and kind of what is left of a choice. */
export function choose(variants: readonly { readonly type: ElementType }[]): {
  element: ElementType | undefined;
  kind: ItemKind;
} {
  const [first] = variants;
  if (first !== undefined && variants.length === 1) return { element: first.type, kind: knownKind(first.type) };
  const kinds = new Set(variants.map(({ type }) => knownKind(type)));
  return { element: undefined, kind: kinds.size === 1 && !kinds.has('object') ? ([...kinds][0] ?? 'mixed') : 'mixed' };
}

function knownKind(type: ElementType): ItemKind {
  const kind = kindOf(type);
  if (kind === 'unknown') throw new Unsupported(`an element of type ${type.fhirType ?? 'unknown'}`);
  return kind;
}

export function pick(input: Node, at: 'first' | 'last' | 'single' | number): Node {
  const mayFail = input.mayFail || at === 'single';
  return { op: 'pick', input, at, element: elementOf(input), kind: input.kind, many: false, mayFail };
}

function readIndex(node: AstNode): number {
  const value = node.children?.[0]?.type === 'LiteralTerm' ? readLiteral(node.children[0]) : undefined;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw new Unsupported('an index that is not a number');
  return value;
}

function lowerVariable(name: string, scope: LoweringScope): Node {
  if (name === 'resource' || name === 'rootResource') return scope.root;
  if (name === 'rowIndex') return { op: 'rowIndex', many: false, kind: 'number', mayFail: false };
  return literal(name === 'ucum' ? 'http://unitsofmeasure.org' : scope.constants.get(name));
}

/** @throws Unsupported for values of fhirpath.js (dates, quantities, 64-bit integers) */
export function literal(value: unknown): Node {
  if (typeof value === 'string') return { op: 'literal', value, many: false, kind: 'text', mayFail: false };
  if (typeof value === 'number') return { op: 'literal', value, many: false, kind: 'number', mayFail: false };
  if (typeof value === 'boolean') return { op: 'literal', value, many: false, kind: 'boolean', mayFail: false };
  throw new Unsupported('a date, time, quantity or long number');
}

function negate(sign: string | undefined, operand: Node): Node {
  if (operand.op !== 'literal' || typeof operand.value !== 'number' || operand.value === 0) throw new Unsupported(`sign ${sign}`);
  return literal(sign === '-' ? -operand.value : operand.value);
}

function lowerEquality(operator: string, left: Node, right: Node): Node {
  if (operator !== '=' && operator !== '!=') throw new Unsupported(`operator ${operator}`);
  checkComparable(left, right, ['text', 'number', 'boolean']);
  return {
    op: 'equal',
    left,
    right,
    negated: operator === '!=',
    many: false,
    kind: 'boolean',
    mayFail: left.mayFail || right.mayFail,
  };
}

function lowerOrder(operator: OrderOperator, left: Node, right: Node): Node {
  checkComparable(left, right, ['text', 'number']);
  return { op: 'order', operator, left, right, many: false, kind: 'boolean', mayFail: true };
}

/** One kind on both sides, and no loops on the right: the left one may have several items, which is then no equality. */
function checkComparable(left: Node, right: Node, kinds: readonly ItemKind[]): void {
  if (left.kind !== right.kind || !kinds.includes(left.kind))
    throw new Unsupported(`a comparison of ${left.kind} with ${right.kind}`);
  if (right.many) throw new Unsupported('a comparison with a list');
  if (left.kind === 'number' && !isComputed(left) && !isComputed(right))
    throw new Unsupported('a comparison of two numbers of the resource');
}

function lowerLogic(operator: LogicOperator, left: Node, right: Node): Node {
  for (const side of [left, right]) {
    if (side.kind !== 'boolean') throw new Unsupported(`"${operator}" on something else than booleans`);
  }
  const mayFail = [left, right].some((side) => side.mayFail || !isComputed(side));
  return { op: 'logic', operator, left, right, many: false, kind: 'boolean', mayFail };
}

/** `gender in ('male' | 'female')`. */
function lowerMembership(operator: string, left: Node, right: AstNode): Node {
  const values = operator === 'in' ? stringsOf(right) : undefined;
  if (values === undefined || left.kind !== 'text' || left.many)
    throw new Unsupported(`"${operator}" on lists that are not literals`);
  return { op: 'oneOf', left, values, many: false, kind: 'boolean', mayFail: true };
}

function stringsOf(node: AstNode): readonly string[] | undefined {
  const children = node.children ?? [];
  if (node.type === 'UnionExpression') {
    const parts = children.map(stringsOf);
    return parts.some((part) => part === undefined) ? undefined : parts.flatMap((part) => part ?? []);
  }
  const text = stringOf(node);
  if (text !== undefined) return [text];
  return children.length === 1 && children[0] !== undefined ? stringsOf(children[0]) : undefined;
}

/** `+` on texts is empty when one side is; `&` takes an empty side as ''. */
function lowerConcatenation(operator: string, left: Node, right: Node): Node {
  if (operator !== '+' && operator !== '&') throw new Unsupported(`operator ${operator}`);
  if (left.kind !== 'text' || right.kind !== 'text') throw new Unsupported(`"${operator}" on something else than texts`);
  return { op: 'concat', left, right, emptyIsText: operator === '&', many: false, kind: 'text', mayFail: true };
}
