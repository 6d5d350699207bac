import r4 from 'fhirpath/fhir-context/r4';

/**
 * Static types of FHIRPath expressions: names of FHIR types (`HumanName`, `dateTime`), paths of elements that are defined in place
 * (`Patient.contact`), or ANY. A list holds every type that an expression may yield; an empty list says that it never yields anything.
 */
export type Types = readonly string[];

/** A type that is known only at run time, for example that of a contained resource. */
export const ANY = '*';

/** FHIR type of each FHIRPath system type. */
const SYSTEM_TYPES: Readonly<Record<string, string>> = {
  Boolean: 'boolean',
  String: 'string',
  Integer: 'integer',
  Long: 'integer64',
  Decimal: 'decimal',
  Date: 'date',
  DateTime: 'dateTime',
  Time: 'time',
  Quantity: 'Quantity',
};

/** Not in the typings of fhirpath.js 5.2.0: every type name of the model. */
const availableTypes = (r4 as unknown as { readonly availableTypes: ReadonlySet<string> }).availableTypes;

const PRIMITIVES: ReadonlySet<string> = new Set([...availableTypes, 'integer64'].filter((name) => /^[a-z]/.test(name)));

/** True for a FHIR primitive type of R4, and for integer64. */
export function isPrimitiveType(type: string): boolean {
  return PRIMITIVES.has(type);
}

/** True when `type` is `ancestor` or derived from it (`code` from `string`, `Patient` from `Resource`). */
export function isSubtype(type: string, ancestor: string): boolean {
  for (let current: string | undefined = type; current !== undefined; current = r4.type2Parent[current]) {
    if (current === ancestor) return true;
  }
  return false;
}

/** True for the name of an R4 resource type that data can have. */
export function isResourceType(name: string): boolean {
  return availableTypes.has(name) && isSubtype(name, 'Resource') && name !== 'Resource' && name !== 'DomainResource';
}

/**
 * Type named by a type specifier (`Patient`, `FHIR.Quantity`, `System.String`, with or without backquotes), or undefined when R4 has
 * no such type.
 */
export function readTypeName(text: string): string | undefined {
  const parts = text.split('.').map((part) => part.replace(/^`(.*)`$/, '$1'));
  const name = parts.at(-1) ?? '';
  const namespace = parts.length === 2 ? parts[0] : undefined;
  if (parts.length > 2 || (namespace !== undefined && namespace !== 'FHIR' && namespace !== 'System')) return undefined;
  if (namespace !== 'System' && availableTypes.has(name)) return name;
  if (namespace !== 'FHIR' && Object.hasOwn(SYSTEM_TYPES, name)) return SYSTEM_TYPES[name];
  return undefined;
}

/** FHIR type named by a column's `type`: a name, or the URL of a StructureDefinition or system type. Undefined when there is none. */
export function readColumnType(declared: string): string | undefined {
  const name = declared.replace(/^http:\/\/hl7\.org\/(fhir\/StructureDefinition|fhirpath)\//, '');
  return name === 'integer64' ? name : readTypeName(name);
}

/** Types of the element `name` on one type, or undefined when that type has no such element. */
export function elementTypes(type: string, name: string): Types | undefined {
  // A contained or bundled resource shows its own elements only at run time.
  if (type === ANY || type === 'Resource' || type === 'DomainResource') return [ANY];
  for (let owner: string | undefined = type; owner !== undefined; owner = r4.type2Parent[owner]) {
    // The model also lists `deceasedBoolean`, which is a property of the JSON but no element of FHIRPath.
    if (suggestChoice(owner, name) !== undefined) return undefined;
    const path = definedPath(`${owner}.${name}`);
    const choices = r4.choiceTypePaths[path];
    if (choices !== undefined)
      return choices.map((suffix) => typeAt(`${path}${suffix}`, r4.path2Type[`${path}${suffix}`] ?? suffix));
    const found = r4.path2Type[path];
    if (found !== undefined) return [name === 'id' && isSubtype(type, 'Resource') ? 'id' : typeAt(path, found)];
  }
  return undefined;
}

/** For `valueQuantity` on a type whose `value` is a choice: `value.ofType(Quantity)`, what FHIRPath wants instead. */
export function suggestChoice(type: string, name: string): string | undefined {
  for (let end = name.length - 1; end > 0; end--) {
    const suffix = name.slice(end);
    const path = definedPath(`${type}.${name.slice(0, end)}`);
    if (r4.choiceTypePaths[path]?.includes(suffix) === true)
      return `${name.slice(0, end)}.ofType(${r4.path2Type[path + suffix] ?? suffix})`;
  }
  return undefined;
}

function definedPath(path: string): string {
  return r4.pathsDefinedElsewhere[path] ?? path;
}

/** An element defined in place is named by its path, a system type by its FHIR counterpart. */
function typeAt(path: string, type: string): string {
  if (type === 'BackboneElement' || type === 'Element') return path;
  return type.startsWith('System.') ? (SYSTEM_TYPES[type.slice('System.'.length)] ?? ANY) : type;
}
