import r4 from 'fhirpath/fhir-context/r4';
import type { LabSwitches } from './options.ts';
import { isObject, omit, stringOf, textOf, type Json, type JsonObject, type Resource } from './resource.ts';

type FormatSwitches = Pick<LabSwitches, 'aidboxPrimitiveExtension' | 'correctAidboxFormat'>;

export interface FormatRules extends FormatSwitches {
  readonly createdAtUrl: string;
}

/** Name of a choice element → the type names that may follow it, from the R4 model. */
const CHOICES = new Map<string, Set<string>>();
for (const [path, types] of Object.entries(r4.choiceTypePaths)) {
  const name = path.slice(path.lastIndexOf('.') + 1);
  const known = CHOICES.get(name) ?? new Set<string>();
  for (const type of types) known.add(type);
  CHOICES.set(name, known);
}

/** `valueUrl` → `['value', 'Url']`; undefined when the key is no choice element. */
function splitChoice(key: string): [name: string, type: string] | undefined {
  for (let at = key.length - 1; at > 0; at--) {
    const letter = key.charCodeAt(at);
    if (letter < 65 || letter > 90) continue;
    const name = key.slice(0, at);
    const type = key.slice(at);
    if (CHOICES.get(name)?.has(type)) return [name, type];
  }
  return undefined;
}

/** Primitive types begin with a small letter in FHIR; the model's list writes all with a capital. */
function typeKey(type: string): string {
  const small = type.charAt(0).toLowerCase() + type.slice(1);
  return small in r4.type2Parent && small !== type && !(type in r4.type2Parent) ? small : type;
}

/** Elements that hold free objects, not FHIR data types: never converted. */
const OPAQUE: Readonly<Record<string, readonly string[]>> = {
  AccessPolicy: ['matcho', 'schema', 'and', 'or'],
  App: ['endpoint', 'operations', 'resources'],
  Operation: ['request', 'data', 'transform', 'route-params', 'implicit-params'],
};

function opaqueKeys(object: JsonObject): readonly string[] {
  return OPAQUE[textOf(object['resourceType'])] ?? [];
}

/** FHIR form → Aidbox form (§1.10). */
export function toAidboxForm(resource: Resource, rules: FormatRules): Resource {
  const meta = resource.meta && { ...resource.meta };
  const extensions = Array.isArray(meta?.['extension']) ? meta['extension'].filter(isObject) : undefined;
  const created = extensions?.find((extension) => extension['url'] === rules.createdAtUrl);
  if (meta && extensions && created) {
    meta['createdAt'] = created['valueInstant'];
    const rest = extensions.filter((extension) => extension !== created);
    if (rest.length > 0) meta['extension'] = rest;
    else delete meta['extension'];
  }
  return objectToAidbox(meta ? { ...resource, meta } : resource, rules) as Resource;
}

function valueToAidbox(value: Json, rules: FormatRules): Json {
  if (Array.isArray(value)) return value.map((item) => valueToAidbox(item, rules));
  return isObject(value) ? objectToAidbox(value, rules) : value;
}

function objectToAidbox(object: JsonObject, rules: FormatRules): JsonObject {
  const result: JsonObject = {};
  const opaque = opaqueKeys(object);
  for (const [key, value] of Object.entries(object)) {
    if (value === undefined) continue;
    if (opaque.includes(key) || (key === 'extension' && !rules.correctAidboxFormat)) {
      result[key] = value;
      continue;
    }
    const bare = key.startsWith('_') ? key.slice(1) : key;
    const choice = splitChoice(bare);
    if (choice === undefined) {
      result[key] = valueToAidbox(value, rules);
      continue;
    }
    const [name, type] = choice;
    if (bare === key) mergeInto(result, name, { [typeKey(type)]: valueToAidbox(value, rules) });
    else if (rules.aidboxPrimitiveExtension === 'inside') mergeInto(result, name, { [`_${typeKey(type)}`]: value });
    else if (rules.aidboxPrimitiveExtension === 'sibling') mergeInto(result, `_${name}`, { [typeKey(type)]: value });
    else result[key] = value;
  }
  return typeof result['reference'] === 'string' ? referenceToAidbox(result, result['reference']) : result;
}

function mergeInto(target: JsonObject, key: string, part: JsonObject): void {
  const present = target[key];
  target[key] = isObject(present) ? { ...present, ...part } : part;
}

function referenceToAidbox({ reference: _reference, ...rest }: JsonObject, reference: string): JsonObject {
  if (reference.startsWith('#')) return { localRef: reference.slice(1), ...rest };
  const relative = /^([A-Z]\w+)\/([A-Za-z0-9._-]{1,64})$/.exec(reference);
  return relative?.[1] && relative[2] ? { resourceType: relative[1], id: relative[2], ...rest } : { uri: reference, ...rest };
}

/** Aidbox form → FHIR form. Elements that already have FHIR form stay as they are. */
export function toFhirForm(resource: Resource, rules: FormatRules): Resource {
  const result = objectToFhir(resource, rules, true) as Resource;
  const created = stringOf(result.meta?.['createdAt']);
  if (result.meta && created !== undefined) {
    const meta = omit(result.meta, 'createdAt');
    const extensions = Array.isArray(meta['extension']) ? meta['extension'] : [];
    result.meta = { ...meta, extension: [...extensions, { url: rules.createdAtUrl, valueInstant: created }] };
  }
  return result;
}

/** Contained resources and those of bundle entries: a resource of id and type alone is no reference. */
function wholeToFhir(value: Json, rules: FormatRules): Json {
  if (Array.isArray(value)) return value.map((item) => wholeToFhir(item, rules));
  return isObject(value) ? objectToFhir(value, rules, 'resourceType' in value) : value;
}

function valueToFhir(value: Json, rules: FormatRules): Json {
  if (Array.isArray(value)) return value.map((item) => valueToFhir(item, rules));
  return isObject(value) ? objectToFhir(value, rules, false) : value;
}

function objectToFhir(object: JsonObject, rules: FormatRules, isRoot: boolean): JsonObject {
  const result: JsonObject = {};
  const opaque = opaqueKeys(object);
  for (const [key, value] of Object.entries(object)) {
    if (value === undefined) continue;
    if (opaque.includes(key) || key === 'resource' || key === 'contained') {
      result[key] = opaque.includes(key) ? value : wholeToFhir(value, rules);
      continue;
    }
    const bare = key.startsWith('_') ? key.slice(1) : key;
    const keys = isObject(value) ? choiceKeys(bare, value) : undefined;
    if (!keys || !isObject(value) || (bare !== key && rules.aidboxPrimitiveExtension !== 'sibling')) {
      result[key] = valueToFhir(value, rules);
      continue;
    }
    for (const inner of keys) {
      const isExtension = bare !== key || inner.startsWith('_');
      const type = inner.replace(/^_/, '');
      if (inner !== type && rules.aidboxPrimitiveExtension !== 'inside') continue;
      const name = bare + type.charAt(0).toUpperCase() + type.slice(1);
      result[isExtension ? `_${name}` : name] = valueToFhir(value[inner] ?? null, rules);
    }
  }
  return isRoot ? result : referenceToFhir(result);
}

/** The keys of `value` when it is the Aidbox form of choice element `name`: every key is one of its types. */
function choiceKeys(name: string, value: JsonObject): string[] | undefined {
  const types = CHOICES.get(name);
  const keys = Object.keys(value);
  if (types === undefined || keys.length === 0 || keys.length > 2) return undefined;
  const fits = keys.every((key) => [...types].some((type) => typeKey(type) === key.replace(/^_/, '')));
  return fits ? keys : undefined;
}

function referenceToFhir(object: JsonObject): JsonObject {
  const { resourceType, id, localRef, uri, ...rest } = object;
  if (typeof localRef === 'string') return { reference: `#${localRef}`, ...rest };
  const onlyReferenceKeys = Object.keys(rest).every((key) => ['display', 'identifier', 'type', 'extension'].includes(key));
  if (!onlyReferenceKeys) return object;
  if (typeof resourceType === 'string' && typeof id === 'string') return { reference: `${resourceType}/${id}`, ...rest };
  return typeof uri === 'string' ? { reference: uri, ...rest } : object;
}
