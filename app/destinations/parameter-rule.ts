import type { Json } from '../lib/json.ts';

/** Values of `writeMode` (S0.17). */
export const WRITE_MODES = ['managed-zerobus', 'managed-sql', 'external-direct'] as const;
export type WriteMode = (typeof WRITE_MODES)[number];
export const DEFAULT_WRITE_MODE: WriteMode = 'managed-zerobus';

/** The four sets of rules: `external-direct` has different ones with Unity Catalog (databricksWorkspaceUrl given) and without. */
export type Variant = 'zerobus' | 'sql' | 'unity' | 'direct';

/** Parameter values by name, as far as they were well-formed. Secrets given by reference hold the text `(reference)`. */
export type Given = Readonly<Record<string, string | number | boolean>>;

/** What the service itself brings along. */
export interface ServiceFacts {
  /** A service principal for destinations that name none (DATABRICKS_CLIENT_ID). */
  readonly hasPrincipal: boolean;
}

export type Presence =
  | 'required'
  | 'optional'
  /** Required when it returns a reason; the reason ends the sentence "… is required". */
  | { readonly requiredWhen: (given: Given, service: ServiceFacts) => string | undefined }
  /** Accepted without effect, with a warning, and why: the profile knows the parameter (contract §4.1) but it means nothing here. */
  | { readonly ignored: string }
  /** A contradiction, and why; what to do follows from it. */
  | { readonly forbidden: string };

export interface ParameterRule {
  readonly name: string;
  /** Suffix of `value[x]` as FHIR spells it. */
  readonly type: 'string' | 'unsignedInt' | 'boolean';
  /** One line for docs/configuration and the profile. */
  readonly meaning: string;
  /** `secret`: never shown again. Both kinds may be given as a vault reference. */
  readonly credential?: 'secret' | 'identifier';
  readonly presence: Readonly<Record<Variant, Presence>>;
  /** Inclusive bounds of an unsignedInt. */
  readonly bounds?: { readonly min: number; readonly max: number };
  /** What is wrong with a well-typed value: "found …, expected …"; undefined when it is good. Never called with a secret's value unless `credential`. */
  readonly check?: (value: string, given: Given) => string | undefined;
}

/** The rules that apply to a resource with these values; an unknown writeMode counts as the default one. */
export function variantOf(given: Given): Variant {
  if (given['writeMode'] === 'external-direct') return given['databricksWorkspaceUrl'] === undefined ? 'direct' : 'unity';
  return given['writeMode'] === 'managed-sql' ? 'sql' : 'zerobus';
}

/** Where `value` of a rule stands in a FHIR parameter: `valueString`, `valueUnsignedInt`, `valueBoolean`. */
export function valueKey(rule: Pick<ParameterRule, 'type'>): string {
  return `value${rule.type[0]!.toUpperCase()}${rule.type.slice(1)}`;
}

/** Members of a parameter that carry a value: `valueString`, `_valueString`, … */
export function valueKeysOf(parameter: Json): readonly string[] {
  return Object.keys(parameter).filter((key) => /^_?value/.test(key));
}
