import type { AstNode } from '../expression-types.ts';
import { isSubtype } from '../fhir-model.ts';
import { readLiteral, stringOf, unquote } from '../literals.ts';
import { elementOf, isComputed, type ItemKind, type LogicOperator, type Node, type OrderOperator } from './ir.ts';
import { lowerCall } from './lower-call.ts';
import { child, literal, pick, Unsupported, type LoweringScope } from './lowering.ts';

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
  if (input !== undefined) return child(scope.model, input, name, scope.lenient);
  if (!/^[A-Z]/.test(name)) return child(scope.model, scope.self, name, scope.lenient);
  const type = elementOf(scope.self)?.fhirType;
  if (node.atRoot !== 1 || type === undefined || !isSubtype(scope.model, type, name))
    throw new Unsupported(`type name ${name} as a path`);
  return scope.self;
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
