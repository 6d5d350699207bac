import fhirpath from 'fhirpath';
import { fhirModel } from './fhir-model.ts';
import type { Report } from './view-problem.ts';

/** A constant of a view: its FHIR type, and its value as fhirpath.js wants it. */
export interface ViewConstant {
  readonly name: string;
  readonly fhirType: string;
  readonly value: unknown;
}

/** Names that FHIRPath or SQL-on-FHIR define; a constant may not hide them. */
const RESERVED = [
  'rowIndex',
  'context',
  'resource',
  'rootResource',
  'ucum',
  'sct',
  'loinc',
  'factory',
  'terminologies',
  'vs',
  'ext',
];

const DATE = String.raw`\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?`;
const TIME = String.raw`([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?`;
const ZONE = String.raw`(Z|[+-](0\d|1[0-4]):[0-5]\d)`;

const isText = (value: unknown): boolean => typeof value === 'string';
const isInteger = (value: unknown): boolean => Number.isSafeInteger(value);
const matches =
  (pattern: string) =>
  (value: unknown): boolean =>
    typeof value === 'string' && new RegExp(`^(?:${pattern})$`).test(value);

/** `value[x]` of a constant: what each type's JSON must look like. */
const KINDS: Readonly<Record<string, { readonly accepts: (value: unknown) => boolean; readonly expected: string }>> = {
  ...Object.fromEntries(
    ['canonical', 'code', 'id', 'markdown', 'oid', 'string', 'uri', 'url', 'uuid'].map((type) => [
      type,
      { accepts: isText, expected: 'a string' },
    ]),
  ),
  base64Binary: { accepts: isText, expected: 'a base64 string' },
  boolean: { accepts: (value) => typeof value === 'boolean', expected: 'true or false' },
  integer: { accepts: isInteger, expected: 'an integer' },
  positiveInt: { accepts: (value) => isInteger(value) && (value as number) > 0, expected: 'an integer above 0' },
  unsignedInt: { accepts: (value) => isInteger(value) && (value as number) >= 0, expected: 'an integer not below 0' },
  integer64: { accepts: matches(String.raw`-?\d{1,19}`), expected: 'a string of digits' },
  decimal: { accepts: (value) => typeof value === 'number', expected: 'a number' },
  date: { accepts: matches(DATE), expected: 'a date such as 2020-01-31' },
  dateTime: { accepts: matches(`${DATE}|${DATE}T${TIME}${ZONE}`), expected: 'a dateTime such as 2020-01-31T10:00:00Z' },
  instant: { accepts: matches(`${DATE}T${TIME}${ZONE}`), expected: 'an instant such as 2020-01-31T10:00:00Z' },
  time: { accepts: matches(TIME), expected: 'a time such as 10:00:00' },
};

/**
 * Reads `ViewDefinition.constant`; what is wrong with it is reported.
 * Temporal values become FHIRPath temporal values: fhirpath.js never finds a date equal to a plain string.
 */
export function readConstants(input: unknown, report: Report): readonly ViewConstant[] {
  if (input === undefined) return [];
  if (!Array.isArray(input)) {
    report('constant', 'expected a list');
    return [];
  }
  const constants: ViewConstant[] = [];
  input.forEach((entry: unknown, index) => {
    const constant = readConstant(entry, `constant[${index}]`, report);
    if (constant === undefined) return;
    if (constants.some(({ name }) => name === constant.name))
      report(`constant[${index}].name`, `constant "${constant.name}" is defined twice`);
    else constants.push(constant);
  });
  return constants;
}

function readConstant(entry: unknown, path: string, report: Report): ViewConstant | undefined {
  if (typeof entry !== 'object' || entry === null) {
    report(path, 'expected an object with a name and one value[x]');
    return undefined;
  }
  const { name } = entry as { name?: unknown };
  if (typeof name !== 'string' || !/^[A-Za-z][A-Za-z0-9_]*$/.test(name)) {
    report(`${path}.name`, 'expected a name of letters, digits and underscores that begins with a letter');
    return undefined;
  }
  if (RESERVED.includes(name)) {
    report(`${path}.name`, `"${name}" is a name of FHIRPath itself; choose another`);
    return undefined;
  }
  const values: [string, unknown][] = Object.entries(entry).filter(([key]) => /^value[A-Z]/.test(key));
  const [key, value] = values[0] ?? ['', undefined];
  if (values.length !== 1) {
    report(path, `constant "${name}" has ${values.length} values; expected exactly one value[x]`);
    return undefined;
  }
  const suffix = key.slice('value'.length);
  const fhirType = suffix.charAt(0).toLowerCase() + suffix.slice(1);
  const kind = Object.hasOwn(KINDS, fhirType) ? KINDS[fhirType] : undefined;
  if (kind?.accepts(value) !== true) {
    report(`${path}.${key}`, kind === undefined ? 'a constant cannot have this type' : `expected ${kind.expected}`);
    return undefined;
  }
  return { name, fhirType, value: toFhirPathValue(fhirType, value) };
}

/** The value was checked above, so nothing but a literal can stand in the expression. */
function toFhirPathValue(fhirType: string, value: unknown): unknown {
  if (fhirType === 'integer64') return BigInt(value as string);
  const literal = temporalLiteral(fhirType, String(value));
  return literal === undefined
    ? value
    : fhirpath.compile(literal, fhirModel('R4').tables, { resolveInternalTypes: false })({})[0];
}

function temporalLiteral(fhirType: string, text: string): string | undefined {
  if (fhirType === 'date') return `@${text}`;
  if (fhirType === 'time') return `@T${text}`;
  if (fhirType !== 'dateTime' && fhirType !== 'instant') return undefined;
  return text.includes('T') ? `@${text}` : `@${text}T`;
}
