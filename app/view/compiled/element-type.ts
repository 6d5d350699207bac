import type { FhirModel } from '../fhir-model.ts';

/** What is known of an element before any data is seen, with the same tables and rules that fhirpath.js applies to a node of the resource. */
export interface ElementType {
  /** Where children are looked up: a type name (`HumanName`, `date`), or the path of an element that is defined in place (`Patient.contact`). */
  readonly path: string;
  /** FHIR type that ofType() sees; undefined when fhirpath.js has none (`extension`). */
  readonly fhirType: string | undefined;
  /** True when it may be a type derived from this one (`Age` from `Quantity`), which has the same elements. */
  readonly isBase?: true;
}

/** How values of an element look in JSON, and which comparisons plain JavaScript may do on them. */
export type ElementKind = 'object' | 'text' | 'temporal' | 'number' | 'boolean' | 'unknown';

/** One property that may hold the value of a choice element (`valueQuantity` of `value`). */
export interface ChoiceVariant {
  readonly property: string;
  readonly type: ElementType;
}

export type Child =
  | { readonly kind: 'element'; readonly type: ElementType; readonly repeats: boolean }
  | { readonly kind: 'choice'; readonly variants: readonly ChoiceVariant[] };

const NUMBERS: readonly string[] = ['integer', 'positiveInt', 'unsignedInt', 'decimal'];
const TEMPORALS: readonly string[] = ['date', 'dateTime', 'instant', 'time'];

/** The type of a resource at the root. */
export function resourceElementType(name: string): ElementType {
  return { path: name, fhirType: name };
}

/** The child `name` of an element, or undefined when the model does not have it there. */
export function findChild(model: FhirModel, parent: ElementType, name: string): Child | undefined {
  const { tables } = model;
  const inPlace = `${parent.path}.${name}`;
  const path = tables.pathsDefinedElsewhere[inPlace] ?? inPlace;
  const choices = tables.choiceTypePaths[path];
  if (choices !== undefined) {
    const variants = choices.map((suffix) => ({ property: name + suffix, type: typeAt(model, path + suffix) }));
    return variants.every(({ type }) => type.fhirType !== undefined) ? { kind: 'choice', variants } : undefined;
  }
  if (tables.path2Type[path] === undefined) return undefined;
  return {
    kind: 'element',
    type: name === 'extension' ? { path: 'Extension', fhirType: undefined } : typeAt(model, path),
    repeats: tables.path2Repeating[path] === true,
  };
}

function typeAt({ tables, childrenAt }: FhirModel, path: string): ElementType {
  return { path: childrenAt[path] ?? path, fhirType: tables.path2Type[path] };
}

/** `unknown`: a resource inside a resource, or a type that needs more than JSON gives (integer64). */
export function kindOf({ path, fhirType }: ElementType): ElementKind {
  if (fhirType === 'Resource' || fhirType === 'integer64') return 'unknown';
  if (fhirType === undefined || /^[A-Z]/.test(fhirType.replace(/^System\./, ''))) {
    return path.startsWith('System.') ? 'text' : 'object';
  }
  if (NUMBERS.includes(fhirType)) return 'number';
  if (TEMPORALS.includes(fhirType)) return 'temporal';
  return fhirType === 'boolean' ? 'boolean' : 'text';
}
