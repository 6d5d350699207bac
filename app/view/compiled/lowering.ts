import type { AstNode } from '../expression-types.ts';
import type { FhirModel } from '../fhir-model.ts';
import { findChild, kindOf, type ElementType } from './element-type.ts';
import { elementOf, type ItemKind, type Node } from './ir.ts';

/** Says why an expression is left to fhirpath.js. */
export class Unsupported extends Error {}

/** What the names in an expression mean. */
export interface LoweringScope {
  readonly model: FhirModel;
  /** Translates an expression inside of another one (lower-expression.ts). */
  readonly lower: (node: AstNode, scope: LoweringScope, input?: Node) => Node;
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

/** @throws Unsupported where the type of the input, or the element, is not known */
export function child(model: FhirModel, input: Node, name: string, lenient = false): Node {
  if (input.op === 'absent') return input;
  const parent = elementOf(input);
  if (parent === undefined || input.kind !== 'object') throw new Unsupported(`.${name} on something that has no one known type`);
  const found = findChild(model, parent, name);
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

/** @throws Unsupported for values of fhirpath.js (dates, quantities, 64-bit integers) */
export function literal(value: unknown): Node {
  if (typeof value === 'string') return { op: 'literal', value, many: false, kind: 'text', mayFail: false };
  if (typeof value === 'number') return { op: 'literal', value, many: false, kind: 'number', mayFail: false };
  if (typeof value === 'boolean') return { op: 'literal', value, many: false, kind: 'boolean', mayFail: false };
  throw new Unsupported('a date, time, quantity or long number');
}
