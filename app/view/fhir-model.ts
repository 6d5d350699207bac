import { createRequire } from 'node:module';
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

/** Releases of FHIR that a view can be made for. */
export type FhirRelease = 'R4' | 'R5';

/** The tables of one release: what fhirpath.js works with, and what views are checked and compiled against. */
export interface FhirModel {
  readonly release: FhirRelease;
  /** As fhirpath.js wants it. */
  readonly tables: typeof r4;
  /** Every type name. */
  readonly typeNames: ReadonlySet<string>;
  /** Where the children of an element are looked up, if not at its own path. */
  readonly childrenAt: Readonly<Record<string, string>>;
}

const models = new Map<FhirRelease, FhirModel>();

/** The model of a release. That of R5 is read when it is first asked for, which takes some 0.1 s. */
export function fhirModel(release: FhirRelease): FhirModel {
  const known = models.get(release);
  if (known !== undefined) return known;
  const tables = release === 'R4' ? r4 : (createRequire(import.meta.url)('fhirpath/fhir-context/r5') as typeof r4);
  // Not in the typings of fhirpath.js 5.2.0.
  const { availableTypes, path2TypeWithoutElements } = tables as unknown as {
    readonly availableTypes: ReadonlySet<string>;
    readonly path2TypeWithoutElements: Readonly<Record<string, string>>;
  };
  const model = { release, tables, typeNames: availableTypes, childrenAt: path2TypeWithoutElements };
  models.set(release, model);
  return model;
}

/** The release that a code of `ViewDefinition.fhirVersion` names (`4.0.1`, `5.0`), or undefined when we have no model of it. */
export function readFhirVersion(code: string): FhirRelease | undefined {
  if (/^4\.0(\.[01])?$/.test(code)) return 'R4';
  return /^5\.0(\.0)?$/.test(code) ? 'R5' : undefined;
}

/** True for a FHIR primitive type: their names, and only theirs, begin with a small letter. */
export function isPrimitiveType(type: string): boolean {
  return /^[a-z]/.test(type);
}

/** True when `type` is `ancestor` or derived from it (`code` from `string`, `Patient` from `Resource`). */
export function isSubtype(model: FhirModel, type: string, ancestor: string): boolean {
  for (let current: string | undefined = type; current !== undefined; current = model.tables.type2Parent[current]) {
    if (current === ancestor) return true;
  }
  return false;
}

/** True for the name of a resource type that data can have. */
export function isResourceType(model: FhirModel, name: string): boolean {
  return model.typeNames.has(name) && isSubtype(model, name, 'Resource') && name !== 'Resource' && name !== 'DomainResource';
}

/**
 * Type named by a type specifier (`Patient`, `FHIR.Quantity`, `System.String`, with or without backquotes), or undefined when there
 * is no such type.
 */
export function readTypeName(model: FhirModel, text: string): string | undefined {
  const parts = text.split('.').map((part) => part.replace(/^`(.*)`$/, '$1'));
  const name = parts.at(-1) ?? '';
  const namespace = parts.length === 2 ? parts[0] : undefined;
  if (parts.length > 2 || (namespace !== undefined && namespace !== 'FHIR' && namespace !== 'System')) return undefined;
  if (namespace !== 'System' && model.typeNames.has(name)) return name;
  if (namespace !== 'FHIR' && Object.hasOwn(SYSTEM_TYPES, name)) return SYSTEM_TYPES[name];
  return undefined;
}

/** FHIR type named by a column's `type`: a name, or the URL of a StructureDefinition or system type. Undefined when there is none. */
export function readColumnType(model: FhirModel, declared: string): string | undefined {
  const name = declared.replace(/^http:\/\/hl7\.org\/(fhir\/StructureDefinition|fhirpath)\//, '');
  return name === 'integer64' ? name : readTypeName(model, name);
}

/** Types of the element `name` on one type, or undefined when that type has no such element. */
export function elementTypes(model: FhirModel, type: string, name: string): Types | undefined {
  // A contained or bundled resource shows its own elements only at run time.
  if (type === ANY || type === 'Resource' || type === 'DomainResource') return [ANY];
  for (let owner: string | undefined = type; owner !== undefined; owner = model.tables.type2Parent[owner]) {
    // The model also lists `deceasedBoolean`, which is a property of the JSON but no element of FHIRPath.
    if (suggestChoice(model, owner, name) !== undefined) return undefined;
    const path = definedPath(model, `${owner}.${name}`);
    const choices = model.tables.choiceTypePaths[path];
    if (choices !== undefined)
      return choices.map((suffix) => typeAt(`${path}${suffix}`, model.tables.path2Type[`${path}${suffix}`] ?? suffix));
    const found = model.tables.path2Type[path];
    if (found !== undefined) return [name === 'id' && isSubtype(model, type, 'Resource') ? 'id' : typeAt(path, found)];
  }
  return undefined;
}

/** For `valueQuantity` on a type whose `value` is a choice: `value.ofType(Quantity)`, what FHIRPath wants instead. */
export function suggestChoice(model: FhirModel, type: string, name: string): string | undefined {
  for (let end = name.length - 1; end > 0; end--) {
    const suffix = name.slice(end);
    const path = definedPath(model, `${type}.${name.slice(0, end)}`);
    if (model.tables.choiceTypePaths[path]?.includes(suffix) === true)
      return `${name.slice(0, end)}.ofType(${model.tables.path2Type[path + suffix] ?? suffix})`;
  }
  return undefined;
}

function definedPath(model: FhirModel, path: string): string {
  return model.tables.pathsDefinedElsewhere[path] ?? path;
}

/** An element defined in place is named by its path, a system type by its FHIR counterpart. */
function typeAt(path: string, type: string): string {
  if (type === 'BackboneElement' || type === 'Element') return path;
  return type.startsWith('System.') ? (SYSTEM_TYPES[type.slice('System.'.length)] ?? ANY) : type;
}
