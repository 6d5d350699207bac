import { asArray, asObject, omit, type Json } from '../lib/json.ts';

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

/** See `toAidboxFormat`. @param createdAtUrl extension that holds the creation time in FHIR format (setting of Aidbox) */
export function toFhirFormat(resource: Json, createdAtUrl: string): Json | undefined {
  const meta = asObject(resource['meta']);
  const { createdAt, ...otherMeta } = meta ?? {};
  const fhirMeta = createdAt === undefined ? meta : { ...otherMeta, extension: [{ url: createdAtUrl, valueInstant: createdAt }] };
  return mapParameters(fhirMeta === undefined ? resource : { ...resource, meta: fhirMeta }, (parameter) => {
    if (parameter['value'] === undefined) return parameter;
    const entries = Object.entries(asObject(parameter['value']) ?? {});
    const [type, value] = entries[0] ?? [];
    if (entries.length !== 1 || type === undefined || !isPrimitive(value)) return undefined;
    return { ...omit(parameter, 'value'), [`value${type[0]!.toUpperCase()}${type.slice(1)}`]: value };
  });
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

function isPrimitive(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}
