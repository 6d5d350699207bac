import {
  ANY,
  fhirModel,
  isResourceType,
  readColumnType,
  readFhirVersion,
  type FhirModel,
  type FhirRelease,
} from './fhir-model.ts';
import { readConstants, type ViewConstant } from './view-constants.ts';
import type { Report } from './view-problem.ts';

/** A FHIRPath expression of a view and where it stands. */
export interface ViewExpression {
  readonly path: string;
  readonly text: string;
}

export interface ColumnDefinition {
  readonly path: string;
  readonly name: string;
  readonly expression: ViewExpression;
  /** Primitive FHIR type that the view declares. */
  readonly declaredType: string | undefined;
  /** Value of the tag `ansi/type`. */
  readonly ansiType: string | undefined;
  readonly collection: boolean;
}

export type Iteration =
  | { readonly kind: 'none' }
  | { readonly kind: 'forEach' | 'forEachOrNull'; readonly expression: ViewExpression }
  | { readonly kind: 'repeat'; readonly expressions: readonly ViewExpression[] };

export interface SelectDefinition {
  readonly path: string;
  readonly iteration: Iteration;
  readonly columns: readonly ColumnDefinition[];
  readonly selects: readonly SelectDefinition[];
  readonly unionAll: readonly SelectDefinition[];
}

/** A ViewDefinition whose structure was checked; its expressions were not parsed yet. */
export interface ViewDefinition {
  readonly name: string;
  /** Of the release that the view names, or of the default. */
  readonly model: FhirModel;
  /** ANY when the view names none that exists: the rest is then checked without types. */
  readonly resourceType: string;
  readonly constants: readonly ViewConstant[];
  readonly where: readonly ViewExpression[];
  readonly selects: readonly SelectDefinition[];
}

/** What a view without a name is called in messages. */
const UNNAMED = '(unnamed)';
const NAME = /^[A-Za-z][A-Za-z0-9_]*$/;
const NAME_RULE = 'letters, digits and underscores, beginning with a letter';
/** Bounds on what a view may cost to check and to hold. */
const MAX_EXPRESSION_LENGTH = 4_000;
const MAX_EXPRESSIONS = 2_000;
const MAX_DEPTH = 16;

type JsonObject = Readonly<Record<string, unknown>>;

/** Reads one view; made for each, as it counts the expressions. */
interface Reader {
  readonly report: Report;
  readonly model: FhirModel;
  expressions: number;
}

/** Name of a view for messages, whatever else is wrong with it. */
export function readViewName(input: unknown): string {
  const name = isObject(input) ? input['name'] : undefined;
  return typeof name === 'string' && NAME.test(name) && name.length <= 255 ? name : UNNAMED;
}

/**
 * Checks the structure of untrusted JSON and reads it; every problem is reported, and parts with a problem are left out.
 * The rules are those of SQL on FHIR v2; `resourceType` and `status` may be absent, as in its own tests.
 */
export function readViewDefinition(input: unknown, defaultRelease: FhirRelease, report: Report): ViewDefinition | undefined {
  if (!isObject(input)) {
    report('', 'expected a ViewDefinition as a JSON object');
    return undefined;
  }
  const { resourceType, name, resource } = input;
  if (resourceType !== undefined && resourceType !== 'ViewDefinition') report('resourceType', 'expected "ViewDefinition"');
  if (name !== undefined && readViewName(input) === UNNAMED) report('name', `expected ${NAME_RULE}`);
  const model = fhirModel(readRelease(input['fhirVersion'], defaultRelease, report));
  const isKnown = typeof resource === 'string' && isResourceType(model, resource);
  if (!isKnown)
    report(
      'resource',
      `found ${typeof resource === 'string' ? JSON.stringify(resource.slice(0, 80)) : typeof resource}, expected the name of a FHIR ${model.release} resource type`,
    );

  const reader: Reader = { report, model, expressions: 0 };
  const where = readList(reader, input['where'], 'where', (entry, path) => {
    checkKeys(reader, entry, path, ['path', 'description']);
    return readExpression(reader, entry['path'], `${path}.path`);
  });
  if (!Array.isArray(input['select']) || input['select'].length === 0)
    report('select', 'expected a list with at least one select');
  const selects = readSelects(reader, input['select'], 'select', 1);
  const constants = readConstants(input['constant'], report);
  if (reader.expressions > MAX_EXPRESSIONS)
    report('', `${reader.expressions} expressions; at most ${MAX_EXPRESSIONS} are allowed`);
  return { name: readViewName(input), model, resourceType: isKnown ? resource : ANY, constants, where, selects };
}

/** Codes of `fhirVersion`. */
const CODES: Readonly<Record<FhirRelease, string>> = { R4: '4.0.1', R5: '5.0.0' };

/** A copy of a view that names the release, unless it names another one only: what is kept must not change its meaning with a setting. */
export function nameFhirVersion<T>(input: T, release: FhirRelease): T {
  if (!isObject(input)) return input;
  const { fhirVersion = [] } = input;
  const isOpen =
    Array.isArray(fhirVersion) &&
    (fhirVersion.length === 0 || fhirVersion.some((code) => typeof code === 'string' && readFhirVersion(code) === release));
  return isOpen ? { ...input, fhirVersion: [CODES[release]] } : input;
}

/** The view may name several releases that it works with. @returns the default when it is one of them, or when none is named */
function readRelease(input: unknown, defaultRelease: FhirRelease, report: Report): FhirRelease {
  if (input === undefined) return defaultRelease;
  if (!Array.isArray(input) || input.some((code) => typeof code !== 'string')) {
    report('fhirVersion', 'expected a list of codes such as ["4.0.1"]');
    return defaultRelease;
  }
  const codes = input as readonly string[];
  const releases = codes.flatMap((code) => readFhirVersion(code) ?? []);
  if (codes.length > 0 && releases.length === 0) {
    const found = codes.map((code) => JSON.stringify(code.slice(0, 20))).join(', ');
    report('fhirVersion', `found ${found}; supported are "${CODES.R4}" (R4) and "${CODES.R5}" (R5)`);
  }
  return releases.includes(defaultRelease) ? defaultRelease : (releases[0] ?? defaultRelease);
}

function readSelects(reader: Reader, input: unknown, path: string, depth: number): readonly SelectDefinition[] {
  if (input !== undefined && depth > MAX_DEPTH) {
    reader.report(path, `selects are nested more than ${MAX_DEPTH} deep`);
    return [];
  }
  return readList(reader, input, path, (entry, entryPath) => readSelect(reader, entry, entryPath, depth));
}

function readSelect(reader: Reader, select: JsonObject, path: string, depth: number): SelectDefinition {
  checkKeys(reader, select, path, ['column', 'select', 'unionAll', 'forEach', 'forEachOrNull', 'repeat']);
  if (select['column'] === undefined && select['select'] === undefined && select['unionAll'] === undefined) {
    reader.report(path, 'a select needs column, select or unionAll');
  }
  return {
    path,
    iteration: readIteration(reader, select, path),
    columns: readList(reader, select['column'], `${path}.column`, (entry, entryPath) => readColumn(reader, entry, entryPath)),
    selects: readSelects(reader, select['select'], `${path}.select`, depth + 1),
    unionAll: readSelects(reader, select['unionAll'], `${path}.unionAll`, depth + 1),
  };
}

function readIteration(reader: Reader, select: JsonObject, path: string): Iteration {
  const given = (['forEach', 'forEachOrNull', 'repeat'] as const).filter((key) => select[key] !== undefined);
  if (given.length > 1) reader.report(path, `${given.join(' and ')} exclude each other`);
  const [kind] = given;
  if (kind === undefined) return { kind: 'none' };
  if (kind !== 'repeat') {
    const expression = readExpression(reader, select[kind], `${path}.${kind}`);
    return expression === undefined ? { kind: 'none' } : { kind, expression };
  }
  const paths = select['repeat'];
  if (!Array.isArray(paths) || paths.length === 0) {
    reader.report(`${path}.repeat`, 'expected a list of FHIRPath expressions');
    return { kind: 'none' };
  }
  const expressions = paths.flatMap((text: unknown, index) => readExpression(reader, text, `${path}.repeat[${index}]`) ?? []);
  return { kind, expressions };
}

function readColumn(reader: Reader, column: JsonObject, path: string): ColumnDefinition | undefined {
  checkKeys(reader, column, path, ['name', 'path', 'type', 'collection', 'description', 'tag']);
  const { name, type, collection } = column;
  const hasName = typeof name === 'string' && NAME.test(name) && name.length <= 255;
  if (!hasName) reader.report(`${path}.name`, `expected ${NAME_RULE}`);
  if (collection !== undefined && typeof collection !== 'boolean') reader.report(`${path}.collection`, 'expected true or false');
  const declaredType = typeof type === 'string' ? readColumnType(reader.model, type) : undefined;
  if (type !== undefined && (declaredType === undefined || !/^[a-z]/.test(declaredType))) {
    reader.report(`${path}.type`, 'expected a primitive FHIR type such as string, date or decimal');
  }
  const expression = readExpression(reader, column['path'], `${path}.path`);
  if (!hasName || expression === undefined) return undefined;
  return { path, name, expression, declaredType, ansiType: readAnsiType(reader, column, path), collection: collection === true };
}

function readAnsiType(reader: Reader, column: JsonObject, path: string): string | undefined {
  const tags = readList(reader, column['tag'], `${path}.tag`, ({ name, value }) => ({ name, value }));
  const value = tags.find(({ name }) => name === 'ansi/type')?.value;
  return typeof value === 'string' ? value : undefined;
}

function readExpression(reader: Reader, text: unknown, path: string): ViewExpression | undefined {
  reader.expressions++;
  if (typeof text !== 'string' || text.trim() === '') reader.report(path, 'expected a FHIRPath expression as a string');
  else if (text.length > MAX_EXPRESSION_LENGTH)
    reader.report(path, `expression of ${text.length} characters; at most ${MAX_EXPRESSION_LENGTH} are allowed`);
  else return { path, text };
  return undefined;
}

/** Reads each object of a list; an absent list is empty. */
function readList<T>(
  reader: Reader,
  input: unknown,
  path: string,
  read: (entry: JsonObject, path: string) => T | undefined,
): readonly T[] {
  if (input === undefined) return [];
  if (!Array.isArray(input)) {
    reader.report(path, 'expected a list');
    return [];
  }
  return input.flatMap((entry: unknown, index) => {
    const entryPath = `${path}[${index}]`;
    if (isObject(entry)) return read(entry, entryPath) ?? [];
    reader.report(entryPath, 'expected an object');
    return [];
  });
}

/** A misspelt element would be ignored in silence and change the rows; so every unknown one is a problem. */
function checkKeys(reader: Reader, entry: JsonObject, path: string, known: readonly string[]): void {
  for (const key of Object.keys(entry)) {
    if (known.includes(key) || key === 'id' || key === 'extension' || key === 'modifierExtension' || key.startsWith('_'))
      continue;
    reader.report(path, `unknown element "${key.slice(0, 40)}"; expected ${known.join(', ')}`);
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
