import fhirpath, { type UserInvocationTable } from 'fhirpath';
import type { FhirModel } from './fhir-model.ts';
import { QUICK_BOUNDS, VIEW_TOO_SLOW, type Bounds } from './limits.ts';
import { compileRegex, type BoundedRegex, type RegexUse } from './regex-functions.ts';
import { MAX_REGEX_INPUT, QUICK_REGEX_INPUT } from './simple-regex.ts';

/** The resource being flattened, as a node of fhirpath.js; set before and cleared after each resource. */
export interface RootScope {
  root: unknown;
}

/** A failure whose text is ours and holds nothing of the resource. */
export class ExpressionFailure extends Error {}

/** What fhirpath.js binds `this` to when it calls a function. */
interface CallContext {
  $index: number;
}

type Nodes = readonly unknown[];
type Criteria = (node: unknown) => Nodes;

/** `Type/id` at the end of a reference, relative or absolute, with or without a version; fragments and URNs are no keys. Aidbox allows `_` in ids. */
const REFERENCE = /(?:^|\/)([A-Z][A-Za-z]+)\/([A-Za-z0-9\-._]{1,64})(?:\/_history\/[A-Za-z0-9\-.]{1,64})?$/;

/** Extensions in which Aidbox tells the time of creation, as its documentation shows them. */
export const CREATED_AT_URLS: readonly string[] = [
  'ex:createdAt',
  'https://aidbox.app/ex/createdAt',
  'https://fhir.aidbox.app/fhir/StructureDefinition/created-at',
];

/**
 * Functions that SQL on FHIR and Aidbox add to FHIRPath, and replacements for those of fhirpath.js 5.2.0 that are wrong:
 * `where` and `exists` keep elements whose criterion is false (they test the node, not its value); boundaries of a dateTime lack the zone;
 * `extension` fails on null in a list of extensions.
 *
 * @param scope where getAidboxTs() and getAidboxCts() find the resource; they mean the whole resource on every level
 * @param createdAtUrls URLs of the extension in `meta` that holds the time of creation
 */
export function makeFunctions(
  scope: RootScope,
  model: FhirModel,
  createdAtUrls: readonly string[],
  bounds: Bounds,
): UserInvocationTable {
  const onText = makeOnText(bounds);
  const lastUpdated = compile(model, 'meta.lastUpdated');
  const createdAt = compile(model, 'meta.extension.where(url in %urls).value.ofType(instant)');
  const toExtensions = compile(model, '$this', 'Extension');
  return {
    where: entry({ 1: ['Expr'] }, function (this: CallContext, nodes: Nodes, criteria: Criteria) {
      return nodes.filter((node, index) => holds(this, node, index, criteria));
    }),
    exists: entry({ 0: [], 1: ['Expr'] }, function (this: CallContext, nodes: Nodes, criteria?: Criteria) {
      return criteria === undefined ? nodes.length > 0 : nodes.some((node, index) => holds(this, node, index, criteria));
    }),
    extension: entry({ 1: ['String'] }, (nodes: Nodes, url: unknown) =>
      typeof url === 'string' && url !== '' ? nodes.flatMap((node) => toExtensions(extensionsOf(node, url))) : [],
    ),
    getResourceKey: entry({ 0: [] }, (nodes: Nodes) => nodes.flatMap((node) => textAt(node, 'id') ?? [])),
    getReferenceKey: entry({ 0: [], 1: ['TypeSpecifier'] }, (nodes: Nodes, type?: { readonly name: string }) =>
      nodes.flatMap((node) => readReferenceKey(textAt(node, 'reference'), type?.name) ?? []),
    ),
    getAidboxTs: entry({ 0: [] }, () => lastUpdated([scope.root])),
    getAidboxCts: entry({ 0: [] }, () => createdAt([scope.root], { urls: createdAtUrls }).slice(0, 1)),
    lowBoundary: entry({ 0: [], 1: ['Integer'] }, makeBoundary(model, 'lowBoundary', '+14:00')),
    highBoundary: entry({ 0: [], 1: ['Integer'] }, makeBoundary(model, 'highBoundary', '-12:00')),
    matches: entry({ 1: ['String'] }, (nodes: Nodes, pattern: string) =>
      onText(nodes, 'matches', pattern, (regex, text) => regex.test(text)),
    ),
    matchesFull: entry({ 1: ['String'] }, (nodes: Nodes, pattern: string) =>
      onText(nodes, 'matchesFull', pattern, (regex, text) => regex.test(text)),
    ),
    replaceMatches: entry({ 2: ['String', 'String'] }, (nodes: Nodes, pattern: string, replacement: string) =>
      onText(nodes, 'replaceMatches', pattern, (regex, text) => regex.replace(text, replacement)),
    ),
  };
}

type Evaluate = (nodes: Nodes, variables?: Record<string, unknown>) => Nodes;

/** Parses when it is first called, as most views need none of these. */
function compile({ tables }: FhirModel, expression: string, base?: string): Evaluate {
  let run: ReturnType<typeof fhirpath.compile> | undefined;
  return (nodes, variables) => {
    if (nodes.length === 0) return [];
    run ??= fhirpath.compile(base === undefined ? expression : { base, expression }, tables, {
      resolveInternalTypes: false,
      preciseMath: true,
    });
    return run(nodes, variables) as Nodes;
  };
}

function entry(
  arity: UserInvocationTable[string]['arity'],
  fn: (this: CallContext, ...args: never[]) => unknown,
): UserInvocationTable[string] {
  return { fn, arity, internalStructures: true };
}

function holds(context: CallContext, node: unknown, index: number, criteria: Criteria): boolean {
  context.$index = index;
  return isTrue(criteria(node), 'a criterion');
}

/** FHIRPath's evaluation of a collection where a boolean is wanted: nothing is false, one value of another type is true. */
function isTrue(result: Nodes, what: string): boolean {
  if (result.length > 1) throw new ExpressionFailure(`${what} gave ${result.length} values where one boolean is expected`);
  const value = valueOf(result[0]);
  return value !== undefined && value !== null && value !== false;
}

function valueOf(node: unknown): unknown {
  return fhirpath.util.valData(node) as unknown;
}

function textAt(node: unknown, element: string): string | undefined {
  const value = valueOf(node);
  if (typeof value !== 'object' || value === null) return undefined;
  const text = (value as Record<string, unknown>)[element];
  return typeof text === 'string' ? text : undefined;
}

/** Extensions with this URL of an element, or of the metadata beside a primitive. */
function extensionsOf(node: unknown, url: string): Nodes {
  const { _data: metadata } = (node ?? {}) as { readonly _data?: Extensible };
  const list = (valueOf(node) as Extensible)?.extension ?? metadata?.extension;
  return Array.isArray(list) ? list.filter((each: { readonly url?: unknown } | null) => each?.url === url) : [];
}

type Extensible = { readonly extension?: unknown } | null | undefined;

/** The id of the resource that a reference names, equal to its getResourceKey(); undefined when it is of another type or has no id. */
export function readReferenceKey(reference: string | undefined, type: string | undefined): string | undefined {
  const found = reference === undefined ? null : REFERENCE.exec(reference);
  return found === null || (type !== undefined && found[1] !== type) ? undefined : found[2];
}

/** A dateTime without a zone may be anywhere on earth: its bounds are those of the easternmost and the westernmost zone. */
function makeBoundary(model: FhirModel, name: string, zone: string): (nodes: Nodes, precision?: unknown) => Nodes {
  const plain = compile(model, `$this.${name}()`);
  const withPrecision = compile(model, `$this.${name}(%precision)`);
  const toDateTime = compile(model, '$this.toDateTime()');
  return (nodes, precision) => {
    const result = precision === undefined ? plain(nodes) : withPrecision(nodes, { precision });
    const text = String(valueOf(result[0]));
    return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+$/.test(text) ? toDateTime([text + zone]) : result;
  };
}

/** Makes the function that runs regular expressions, which were checked before; the length of the text bounds their time. */
function makeOnText(
  bounds: Bounds,
): <T>(nodes: Nodes, use: RegexUse, pattern: string, run: (regex: BoundedRegex, text: string) => T) => T | Nodes {
  const compiled = new Map<string, BoundedRegex>();
  return (nodes, use, pattern, run) => {
    if (nodes.length > 1)
      throw new ExpressionFailure(`a regular expression stands on ${nodes.length} values where one is expected`);
    const text = valueOf(nodes[0]);
    if (typeof text !== 'string') return [];
    if (text.length > MAX_REGEX_INPUT) {
      throw new ExpressionFailure(
        `a regular expression stands on a text of ${text.length} characters; at most ${MAX_REGEX_INPUT} are allowed`,
      );
    }
    const key = `${use} ${pattern}`;
    const regex = compiled.get(key) ?? compileRegex(pattern, use);
    compiled.set(key, regex);
    if (regex.isLinear && text.length > QUICK_REGEX_INPUT && bounds === QUICK_BOUNDS) throw VIEW_TOO_SLOW;
    return run(regex, text);
  };
}
