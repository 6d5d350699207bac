import r4 from 'fhirpath/fhir-context/r4';
import { isDecimal } from '../../../scripts/generator/exact-json.ts';
import type { Problem } from './outcome.ts';
import { isObject, type Json, type JsonObject, type Resource } from './resource.ts';

/** Types that only Aidbox knows: stored without a look at their elements (aidbox-check.ts looks at some). */
const AIDBOX_TYPES = new Set(
  `App Operation Client User AccessPolicy AidboxSubscriptionTopic AidboxTopicDestination ViewDefinition AidboxMigration Role Session
   TokenIntrospector IdentityProvider`.split(/\s+/),
);

const DATE = String.raw`\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?`;
const TIME = String.raw`([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d{1,9})?`;
const ZONE = String.raw`(Z|[+-](0\d|1[0-4]):[0-5]\d)`;
const FORMATS: Readonly<Record<string, RegExp>> = {
  date: new RegExp(`^${DATE}$`),
  dateTime: new RegExp(`^(${DATE}|\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])T${TIME}${ZONE})$`),
  instant: new RegExp(`^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])T${TIME}${ZONE}$`),
  time: new RegExp(`^${TIME}$`),
  code: /^[^\s]+(\s[^\s]+)*$/,
  id: /^[A-Za-z0-9._-]{1,64}$/,
  uri: /^\S+$/,
  url: /^\S+$/,
  canonical: /^\S+$/,
};
const INTEGERS = new Set(['integer', 'positiveInt', 'unsignedInt']);

/** True for a resource type of R4 or of Aidbox. */
export function isKnownType(type: string): boolean {
  return AIDBOX_TYPES.has(type) || isResourceType(type);
}

function isResourceType(type: string): boolean {
  const parent = r4.type2Parent[type];
  return parent === 'DomainResource' || parent === 'Resource';
}

/** Elements that R4 does not have and primitive values of the wrong form. Aidbox's own types are not looked at. */
export function findFhirProblems(resource: Resource): Problem[] {
  const problems: Problem[] = [];
  if (!AIDBOX_TYPES.has(resource.resourceType)) checkObject(resource, resource.resourceType, resource.resourceType, problems);
  return problems;
}

function checkObject(object: JsonObject, definedAt: string, shownPath: string, problems: Problem[]): void {
  for (const [key, value] of Object.entries(object)) {
    if (key === 'resourceType' || value === undefined) continue;
    const shown = `${shownPath}.${key}`;
    const element = findElement(definedAt, key.replace(/^_/, ''));
    if (element === undefined) {
      problems.push({ code: 'structure', diagnostics: `${shown} is not an element of R4`, expression: shown });
    } else if (element.repeats !== Array.isArray(value)) {
      const diagnostics = `${shown} must ${element.repeats ? '' : 'not '}be an array`;
      problems.push({ code: 'structure', diagnostics, expression: shown });
    } else if (!key.startsWith('_')) {
      for (const item of Array.isArray(value) ? value : [value]) checkValue(item, element, shown, problems);
    }
  }
}

interface Element {
  readonly type: string;
  /** The path under which the model lists the children. */
  readonly path: string;
  readonly repeats: boolean;
}

/** The element `name` of the type or backbone at `path`, its parents included. */
function findElement(path: string, name: string): Element | undefined {
  for (let owner: string | undefined = path; owner !== undefined; owner = parentOf(owner)) {
    const own = `${owner}.${name}`;
    const elsewhere = r4.pathsDefinedElsewhere[own] ?? own;
    const type = r4.path2Type[elsewhere];
    if (type !== undefined) return { type, path: elsewhere, repeats: r4.path2Repeating[elsewhere] === true };
    const choice = findChoice(owner, name);
    if (choice !== undefined) return { type: choice, path: own, repeats: false };
  }
  return undefined;
}

function findChoice(owner: string, name: string): string | undefined {
  for (let at = name.length - 1; at > 0; at--) {
    const type = name.slice(at);
    const types = r4.choiceTypePaths[`${owner}.${name.slice(0, at)}`];
    if (types?.includes(type)) return type in r4.type2Parent ? type : type.charAt(0).toLowerCase() + type.slice(1);
  }
  return undefined;
}

function parentOf(owner: string): string | undefined {
  if (owner.includes('.')) return 'BackboneElement';
  const parent = r4.type2Parent[owner];
  return parent === owner ? undefined : parent;
}

function checkValue(value: Json, element: Element, shown: string, problems: Problem[]): void {
  if (value === null) return;
  if (isObject(value)) {
    if (element.type === 'Resource') return;
    const isBackbone = element.type === 'BackboneElement' || element.type === 'Element';
    checkObject(value, isBackbone ? element.path : element.type, shown, problems);
    return;
  }
  if (!isPrimitiveOf(element.type, value)) {
    problems.push({ code: 'value', diagnostics: `${shown} is not a ${element.type}`, expression: shown });
  }
}

function isPrimitiveOf(type: string, value: Json): boolean {
  if (type === 'boolean') return typeof value === 'boolean';
  if (type === 'decimal') return typeof value === 'number' || isDecimal(value);
  if (INTEGERS.has(type)) return typeof value === 'number' && Number.isInteger(value);
  return typeof value === 'string' && value !== '' && !isDecimal(value) && (FORMATS[type]?.test(value) ?? true);
}
