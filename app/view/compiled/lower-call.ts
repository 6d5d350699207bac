import { parseExpression, type AstNode } from '../expression-types.ts';
import { isSubtype, readTypeName, type FhirModel } from '../fhir-model.ts';
import { unquote } from '../literals.ts';
import { kindOf } from './element-type.ts';
import { elementOf, isComputed, type Node, type TextFunction } from './ir.ts';
import { child, choose, pick, Unsupported, type LoweringScope } from './lowering.ts';

/** Functions on one text: which arguments they take, and what they yield. */
const TEXT_FUNCTIONS: Readonly<Record<TextFunction, { readonly args: string; readonly kind: 'text' | 'number' | 'boolean' }>> = {
  upper: { args: '', kind: 'text' },
  lower: { args: '', kind: 'text' },
  trim: { args: '', kind: 'text' },
  length: { args: '', kind: 'number' },
  startsWith: { args: 's', kind: 'boolean' },
  endsWith: { args: 's', kind: 'boolean' },
  contains: { args: 's', kind: 'boolean' },
  indexOf: { args: 's', kind: 'number' },
  lastIndexOf: { args: 's', kind: 'number' },
  substring: { args: 'nn', kind: 'text' },
};

/** Translates a call. @throws Unsupported for what fhirpath.js must evaluate */
export function lowerCall(node: AstNode, scope: LoweringScope, before: Node | undefined): Node {
  const call = node.children?.[0];
  const name = unquote(node.text ?? call?.text ?? '');
  const args = call?.children?.find(({ type }) => type === 'ParamList')?.children ?? [];
  const [first] = args;
  const input = before ?? scope.self;
  const { mayFail } = input;
  const boolean = { many: false, kind: 'boolean' } as const;
  switch (name) {
    case 'where': {
      const { slot, body } = lowerOnEach(input, need(first), scope);
      return {
        ...same(input),
        op: 'where',
        input,
        slot,
        criterion: checkCriterion(body),
        mayFail: mayFail || failsAsCriterion(body),
      };
    }
    case 'select': {
      const { slot, body } = lowerOnEach(input, need(first), scope);
      const many = input.many || body.many;
      return {
        op: 'select',
        input,
        slot,
        body,
        element: elementOf(body),
        kind: body.kind,
        many,
        mayFail: mayFail || body.mayFail,
      };
    }
    case 'exists':
    case 'empty':
      return lowerExists(input, first, scope, name === 'empty');
    case 'all': {
      const { slot, body } = lowerOnEach(input, need(first), scope);
      return { ...boolean, op: 'all', input, slot, criterion: checkCriterion(body), mayFail: mayFail || failsAsCriterion(body) };
    }
    case 'not':
      if (input.kind !== 'boolean') throw new Unsupported('not() on something else than a boolean');
      return { ...boolean, op: 'not', input, mayFail: mayFail || !isComputed(input) };
    case 'count':
      return { op: 'count', input, many: false, kind: 'number', mayFail };
    case 'hasValue':
      if (input.kind === 'object' || input.kind === 'mixed')
        throw new Unsupported('hasValue() on something else than a primitive');
      return { ...boolean, op: 'hasValue', input, mayFail };
    case 'first':
    case 'last':
    case 'single':
      return pick(input, name);
    case 'tail':
      return range(input, 1, Infinity);
    case 'skip':
      return range(input, readWhole(first), Infinity);
    case 'take':
      return range(input, 0, readWhole(first));
    case 'ofType':
      return lowerOfType(scope.model, input, need(first).text ?? '');
    case 'extension':
      return lowerExtension(input, readText(first));
    case 'getResourceKey':
      if (input !== scope.root) throw new Unsupported('getResourceKey() inside of the resource');
      return { op: 'resourceKey', input, many: false, kind: 'text', mayFail };
    case 'getReferenceKey':
      if (input.kind !== 'object') throw new Unsupported('getReferenceKey() on something else than a Reference');
      return {
        op: 'referenceKey',
        input,
        resourceType: typeArgument(scope.model, first),
        many: input.many,
        kind: 'text',
        mayFail,
      };
    case 'getAidboxTs':
      checkBare(before, name);
      return child(scope.model, child(scope.model, scope.root, 'meta'), 'lastUpdated');
    case 'getAidboxCts':
      checkBare(before, name);
      return lowerCreatedAt(scope);
    case 'join':
      if (input.kind === 'object' || input.kind === 'boolean' || input.kind === 'number')
        throw new Unsupported('join() on something else than texts');
      return {
        op: 'join',
        input,
        separator: first === undefined ? '' : readText(first),
        many: false,
        kind: 'text',
        mayFail: true,
      };
    case 'iif':
      return lowerIif(args, scope, before);
    default:
      if (Object.hasOwn(TEXT_FUNCTIONS, name)) return lowerText(name as TextFunction, input, args, scope);
      throw new Unsupported(`function ${name}()`);
  }

  function readText(arg: AstNode | undefined): string {
    const value = arg === undefined ? undefined : literalValue(arg, scope);
    if (typeof value !== 'string' || value === '') throw new Unsupported(`${name}() with an argument that is not a literal`);
    return value;
  }

  function readWhole(arg: AstNode | undefined): number {
    const value = arg === undefined ? undefined : literalValue(arg, scope);
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
      throw new Unsupported(`${name}() with an argument that is not a literal`);
    return value;
  }
}

function need(node: AstNode | undefined): AstNode {
  if (node === undefined) throw new Unsupported('a call without its argument');
  return node;
}

function same(input: Node): Pick<Node, 'many' | 'kind'> & { readonly element: ReturnType<typeof elementOf> } {
  return { many: input.many, kind: input.kind, element: elementOf(input) };
}

function literalValue(node: AstNode, scope: LoweringScope): unknown {
  const lowered = scope.lower(node, scope);
  return lowered.op === 'literal' ? lowered.value : undefined;
}

/** An argument that is evaluated on each item, which is `$this` there. */
function lowerOnEach(input: Node, argument: AstNode, scope: LoweringScope): { readonly slot: number; readonly body: Node } {
  const slot = scope.nextSlot;
  const self: Node = { op: 'slot', slot, element: elementOf(input), kind: input.kind, many: false, mayFail: false };
  return { slot, body: scope.lower(argument, { ...scope, self, nextSlot: slot + 1 }) };
}

function checkCriterion(criterion: Node): Node {
  if (criterion.kind !== 'boolean') throw new Unsupported('a criterion that is not boolean');
  return criterion;
}

/** A criterion that is an element may turn out to have several values. */
function failsAsCriterion(criterion: Node): boolean {
  return criterion.mayFail || !isComputed(criterion);
}

function lowerExists(input: Node, argument: AstNode | undefined, scope: LoweringScope, negated: boolean): Node {
  const common = { op: 'exists', input, negated, many: false, kind: 'boolean' } as const;
  if (argument === undefined) return { ...common, slot: 0, criterion: undefined, mayFail: input.mayFail };
  const { slot, body } = lowerOnEach(input, argument, scope);
  return { ...common, slot, criterion: checkCriterion(body), mayFail: input.mayFail || failsAsCriterion(body) };
}

function range(input: Node, from: number, to: number): Node {
  return { ...same(input), op: 'range', input, from, to, mayFail: input.mayFail };
}

/** Only on a choice element, where the type decides which property is read. */
function lowerOfType(model: FhirModel, input: Node, text: string): Node {
  const type = readTypeName(model, text);
  if (input.op !== 'choice' || type !== text) throw new Unsupported(`ofType(${text}) on something else than a choice element`);
  const variants = input.variants.filter((variant) => isSubtype(model, variant.type.fhirType ?? '', type));
  if (variants.length === 0) throw new Unsupported(`ofType(${text}), which the element never has`);
  const likely = variants.find((variant) => variant.type.fhirType === type)?.property;
  if (variants.length > 1 && kindOf({ path: type, fhirType: type }) === 'object') {
    return { ...input, variants, likely, element: { path: type, fhirType: type, isBase: true }, kind: 'object' };
  }
  return { ...input, variants, likely, ...choose(variants) };
}

function lowerExtension(input: Node, url: string): Node {
  const isOnPrimitive = input.op === 'child' && !input.repeats && input.kind !== 'object';
  if (input.kind !== 'object' && !isOnPrimitive) throw new Unsupported('extension() on a list of primitives');
  return {
    op: 'extension',
    input,
    url,
    element: { path: 'Extension', fhirType: 'Extension' },
    kind: 'object',
    many: true,
    mayFail: input.mayFail,
  };
}

function typeArgument(model: FhirModel, argument: AstNode | undefined): string | undefined {
  if (argument === undefined) return undefined;
  const type = readTypeName(model, argument.text ?? '');
  if (type === undefined) throw new Unsupported('a type that the model does not have');
  return type;
}

/** Functions of Aidbox mean the whole resource, whatever stands before them; that is left to fhirpath.js where it could fail. */
function checkBare(before: Node | undefined, name: string): void {
  if (before !== undefined && before.op !== 'slot') throw new Unsupported(`${name}() behind a path`);
}

function lowerCreatedAt(scope: LoweringScope): Node {
  const tree = parseExpression('meta.extension.value.ofType(instant)', () => undefined);
  const value = scope.lower(need(tree), { ...scope, self: scope.root });
  if (value.op !== 'choice') throw new Unsupported('getAidboxCts()');
  const extensions = value.input;
  const slot = scope.nextSlot;
  const one: Node = { op: 'slot', slot, element: elementOf(extensions), kind: 'object', many: false, mayFail: false };
  const criterion: Node = {
    op: 'oneOf',
    left: child(scope.model, one, 'url'),
    values: scope.createdAtUrls,
    many: false,
    kind: 'boolean',
    mayFail: true,
  };
  const chosen: Node = { ...same(extensions), op: 'where', input: extensions, slot, criterion, mayFail: true };
  return pick({ ...value, input: chosen, mayFail: true }, 'first');
}

function lowerIif(args: readonly AstNode[], scope: LoweringScope, before: Node | undefined): Node {
  if (before !== undefined && before.op !== 'slot') throw new Unsupported('iif() behind a path');
  const inner = before === undefined ? scope : { ...scope, self: before };
  const [condition, then, otherwise] = args.map((arg) => scope.lower(arg, inner));
  if (condition === undefined || then === undefined) throw new Unsupported('iif() without its arguments');
  if (condition.kind !== 'boolean' || condition.many) throw new Unsupported('iif() on something else than one boolean');
  const kind = otherwise === undefined || otherwise.kind === then.kind ? then.kind : 'mixed';
  if (kind === 'object') throw new Unsupported('iif() that yields objects');
  return { op: 'iif', condition, then, otherwise, kind, many: then.many || otherwise?.many === true, mayFail: true };
}

function lowerText(name: TextFunction, input: Node, args: readonly AstNode[], scope: LoweringScope): Node {
  const { args: expected, kind } = TEXT_FUNCTIONS[name];
  if (input.kind !== 'text' && input.kind !== 'temporal') throw new Unsupported(`${name}() on something else than a text`);
  const values = args.map((arg) => literalValue(arg, scope));
  const fits = values.every((value, index) =>
    expected[index] === 's' ? typeof value === 'string' : Number.isSafeInteger(value),
  );
  if (!fits) throw new Unsupported(`${name}() with an argument that is not a literal`);
  return { op: 'text', fn: name, input, args: values as (string | number)[], many: false, kind, mayFail: true };
}
