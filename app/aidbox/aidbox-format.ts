import { asArray, asObject, omit, type Json } from '../lib/json.ts';

/** Of Aidbox, when its setting BOX_FHIR_CREATEDAT_URL is not given. */
const DEFAULT_CREATED_AT_URL = 'ex:createdAt';

/**
 * FHIR format ↔ Aidbox format of what an AidboxTopicDestination and the Parameters of its `$status` are made of (contract §1.10).
 * Only shapes whose two forms are documented are converted; for anything else the result is undefined, and Aidbox's own
 * `$to-format` has to do it.
 */
export function toAidboxFormat(resource: Json): Json | undefined {
  if (hasUndocumentedParts(resource)) return undefined;
  return mapParameters(resource, (parameter) => {
    const values = Object.keys(parameter).filter((key) => key.startsWith('value'));
    if (values.length === 0) return parameter;
    const key = values[0]!;
    const type = key.slice('value'.length);
    if (values.length > 1 || type === '' || !isPrimitive(parameter[key])) return undefined;
    return { ...omit(parameter, key), value: { [type[0]!.toLowerCase() + type.slice(1)]: parameter[key] } };
  });
}

/**
 * See `toAidboxFormat`; what is in FHIR format already stays as it is.
 *
 * @param createdAtUrl extension that holds the creation time in FHIR format (setting of Aidbox)
 */
export function toFhirFormat(resource: Json, createdAtUrl = DEFAULT_CREATED_AT_URL): Json | undefined {
  if (hasAidboxExtensions(resource)) return undefined;
  const meta = asObject(resource['meta']);
  return mapParameters(meta === undefined ? resource : { ...resource, meta: toFhirMeta(meta, createdAtUrl) }, (parameter) => {
    if (parameter['value'] === undefined) return parameter;
    const entries = Object.entries(asObject(parameter['value']) ?? {});
    const [type, value] = entries[0] ?? [];
    if (entries.length !== 1 || type === undefined || !isPrimitive(value)) return undefined;
    return { ...omit(parameter, 'value'), [`value${type[0]!.toUpperCase()}${type.slice(1)}`]: value };
  });
}

/** The time of creation is an extension in FHIR format, beside those that there are. */
export function toFhirMeta({ createdAt, ...meta }: Json, createdAtUrl = DEFAULT_CREATED_AT_URL): Json {
  if (createdAt === undefined) return meta;
  return { ...meta, extension: [...asArray(meta['extension']), { url: createdAtUrl, valueInstant: createdAt }] };
}

/** Applies `map` to each parameter and to the parts of parameters; undefined as soon as one of them is undefined. */
function mapParameters(resource: Json, map: (parameter: Json) => Json | undefined): Json | undefined {
  const mapList = (list: readonly unknown[]): Json[] | undefined => {
    const mapped = list.map((item) => {
      const parameter = asObject(item);
      const result = parameter === undefined ? undefined : map(parameter);
      if (result?.['part'] === undefined) return result;
      const part = mapList(asArray(result['part']));
      return part === undefined ? undefined : { ...result, part };
    });
    return mapped.every((item) => item !== undefined) ? mapped : undefined;
  };
  if (resource['parameter'] === undefined) return resource;
  const parameter = mapList(asArray(resource['parameter']));
  return parameter === undefined ? undefined : { ...resource, parameter };
}

/** Extensions keep or change their form depending on a setting of Aidbox; that of primitive extensions is not known. */
function hasUndocumentedParts(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasUndocumentedParts);
  const object = asObject(value);
  return (
    object !== undefined &&
    Object.entries(object).some(([key, member]) => key === 'extension' || key.startsWith('_') || hasUndocumentedParts(member))
  );
}

/** Extensions in Aidbox's own form (`value: {…}`), or those of a primitive value wherever they are put (`_value`). */
function hasAidboxExtensions(value: unknown, isExtension = false): boolean {
  if (Array.isArray(value)) return value.some((item) => hasAidboxExtensions(item, isExtension));
  const object = asObject(value);
  return (
    object !== undefined &&
    ('_value' in object ||
      (isExtension && 'value' in object) ||
      Object.entries(object).some(([key, member]) => hasAidboxExtensions(member, key === 'extension')))
  );
}

function isPrimitive(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}
