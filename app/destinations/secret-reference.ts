import { asArray, asObject, asText, type Json } from '../lib/json.ts';
import { PARAMETER_RULES } from './parameter-rules.ts';

/** Extensions by which Aidbox marks a value as kept elsewhere (S0.36, contract §7.3). */
const DATA_ABSENT_REASON = 'http://hl7.org/fhir/StructureDefinition/data-absent-reason';
const SECRET_REFERENCE = 'http://health-samurai.io/fhir/secret-reference';

/** A secret as the user gave it. */
export type GivenSecret =
  { readonly kind: 'inline'; readonly value: string } | { readonly kind: 'reference'; readonly name: string };

/** Names of secrets are file names: nothing that leads out of the directory, nothing hidden. */
export function isSecretName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(name);
}

/** The name in a `_valueString` that refers to a secret, or what is wrong with it. */
export function readSecretReference(primitive: unknown): { readonly name: string } | { readonly problem: string } {
  const extensions = asArray(asObject(primitive)?.['extension']).map(asObject);
  const find = (url: string): Json | undefined => extensions.find((extension) => extension?.['url'] === url);
  const name = asText(find(SECRET_REFERENCE)?.['valueString']);
  if (find(DATA_ABSENT_REASON)?.['valueCode'] !== 'masked' || name === undefined) {
    return {
      problem: `found no secret reference, expected the extensions ${DATA_ABSENT_REASON} (valueCode masked) and ${SECRET_REFERENCE} (valueString)`,
    };
  }
  if (!isSecretName(name))
    return { problem: 'found a secret name that is no plain file name, expected letters, digits, dots, hyphens and underscores' };
  return { name };
}

/** Names of the parameters whose value is never shown. */
const SECRETS = new Set(PARAMETER_RULES.filter((rule) => rule.credential === 'secret').map((rule) => rule.name));

/** A destination of our kind, in either format, without the values of its secrets. */
export function maskSecrets(resource: Json): Json {
  if (resource['parameter'] === undefined) return resource;
  const parameter = asArray(resource['parameter']).map((item) => {
    const name = asText(asObject(item)?.['name']) ?? '';
    const hasValue = Object.keys(asObject(item) ?? {}).some((key) => key.startsWith('value'));
    return SECRETS.has(name) && hasValue ? maskSecret(name, { kind: 'inline', value: '' }) : item;
  });
  return { ...resource, parameter };
}

/** A secret parameter as it is returned: the reference by its name, an inline value as masked. */
export function maskSecret(parameterName: string, secret: GivenSecret): Json {
  const masked = { url: DATA_ABSENT_REASON, valueCode: 'masked' };
  const extension = secret.kind === 'inline' ? [masked] : [masked, { url: SECRET_REFERENCE, valueString: secret.name }];
  return { name: parameterName, _valueString: { extension } };
}
