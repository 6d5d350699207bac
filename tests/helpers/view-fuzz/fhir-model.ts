import r4 from 'fhirpath/fhir-context/r4';

/** A child element as the R4 tables list it. `variants`: of a choice element, with the type of each. */
export interface ModelChild {
  readonly name: string;
  readonly type: string;
  readonly repeats: boolean;
  readonly variants?: readonly { readonly property: string; readonly type: string }[];
}

const children = new Map<string, readonly ModelChild[]>();

/** Children of a type (`HumanName`) or of an element that is defined in place (`Patient.contact`); none of a primitive. */
export function childrenOf(path: string): readonly ModelChild[] {
  if (children.size === 0) indexModel();
  return kindOf(path) === 'object' ? (children.get(path) ?? []) : [];
}

function indexModel(): void {
  const found = new Map<string, ModelChild[]>();
  const add = (path: string, make: (parent: string, name: string) => ModelChild): void => {
    const dot = path.lastIndexOf('.');
    if (dot < 0) return;
    const parent = path.slice(0, dot);
    found.set(parent, [...(found.get(parent) ?? []), make(parent, path.slice(dot + 1))]);
  };
  const variants = new Set<string>();
  for (const [path, suffixes] of Object.entries(r4.choiceTypePaths)) {
    for (const suffix of suffixes) variants.add(path + suffix);
    add(path, (_parent, name) => ({
      name,
      type: '',
      repeats: false,
      variants: suffixes.map((suffix) => ({ property: name + suffix, type: typeAt(path + suffix) })),
    }));
  }
  for (const path of Object.keys(r4.path2Type)) {
    if (!variants.has(path)) add(path, (_parent, name) => ({ name, type: typeAt(path), repeats: path in r4.path2Repeating }));
  }
  for (const [path, target] of Object.entries(r4.pathsDefinedElsewhere)) {
    if (r4.path2Type[path] === undefined)
      add(path, (_parent, name) => ({ name, type: target, repeats: target in r4.path2Repeating }));
  }
  for (const [path, list] of found) children.set(path, list);
}

function typeAt(path: string): string {
  const type = r4.path2Type[path] ?? 'string';
  if (type === 'BackboneElement' || type === 'Element') return path;
  return type.startsWith('System.') ? 'string' : type;
}

const variants = new Map<string, (readonly string[])[]>();

/** The properties of each choice element that has this one among them (`valueString`: those of each `value` of the model). */
export function choicesWith(property: string): readonly (readonly string[])[] {
  if (variants.size === 0) {
    for (const [path, suffixes] of Object.entries(r4.choiceTypePaths)) {
      const properties = suffixes.map((suffix) => path.slice(path.lastIndexOf('.') + 1) + suffix);
      for (const each of properties) variants.set(each, [...(variants.get(each) ?? []), properties]);
    }
  }
  return variants.get(property) ?? [];
}

/** What values of a type look like. */
export function kindOf(type: string): 'object' | 'text' | 'number' | 'boolean' | 'temporal' | 'resource' {
  if (type === 'Resource') return 'resource';
  if (type.includes('.') || /^[A-Z]/.test(type)) return 'object';
  if (['integer', 'positiveInt', 'unsignedInt', 'decimal'].includes(type)) return 'number';
  if (['date', 'dateTime', 'instant', 'time'].includes(type)) return 'temporal';
  return type === 'boolean' ? 'boolean' : 'text';
}

/** Properties that resources have, by the type of the element that holds them. */
export function propertiesSeen(resources: readonly object[], rootType: string): ReadonlyMap<string, ReadonlySet<string>> {
  const seen = new Map<string, Set<string>>();
  const visit = (value: unknown, type: string): void => {
    if (Array.isArray(value)) return value.forEach((item) => visit(item, type));
    if (typeof value !== 'object' || value === null) return;
    const names = seen.get(type) ?? new Set<string>();
    seen.set(type, names);
    for (const [name, inner] of Object.entries(value)) {
      names.add(name);
      const child = childrenOf(type).find(
        (each) => each.name === name || each.variants?.some(({ property }) => property === name),
      );
      if (child !== undefined) visit(inner, child.variants?.find(({ property }) => property === name)?.type ?? child.type);
    }
  };
  for (const resource of resources) visit(resource, rootType);
  return seen;
}
