import type { ErrorCode } from '../errors/catalogue.ts';
import { ERROR_CODE_SYSTEM, type OutcomeIssue } from '../fhir/operation-outcome.ts';
import { asArray, asObject, type Json } from '../lib/json.ts';
import { nearestName } from '../lib/nearest-name.ts';
import { findPlaceholder, quote } from './parameter-checks.ts';
import {
  DEFAULT_WRITE_MODE,
  valueKey,
  valueKeysOf,
  variantOf,
  WRITE_MODES,
  type ParameterRule,
  type ServiceFacts,
  type WriteMode,
} from './parameter-rule.ts';
import { PARAMETER_RULES } from './parameter-rules.ts';
import { readSecretReference, type GivenSecret } from './secret-reference.ts';

/** The parameters of one destination after their check; absent ones have their default. */
export interface ParameterValues {
  readonly writeMode: WriteMode;
  readonly viewDefinition: string;
  readonly batchSize: number;
  readonly sendIntervalMs: number;
  readonly skipInitialExport: boolean;
  readonly createTable: boolean;
  readonly targetFileSizeMb: number;
  readonly initialExportChunkCount: number;
  readonly tablePath: string | undefined;
  readonly awsRegion: string | undefined;
  readonly s3Endpoint: string | undefined;
  /** Of a destination in Databricks; absent ones are undefined. */
  readonly databricks: Readonly<Record<DatabricksMember, string | undefined>>;
  /** True when Unity Catalog is to vend credentials (databricksWorkspaceUrl). */
  readonly usesUnity: boolean;
  /** All that were given, those without effect too. */
  readonly secrets: Readonly<Record<string, GivenSecret>>;
}

/** Parameters that describe a DatabricksTable, and its members. */
export const DATABRICKS_MEMBERS = {
  databricksWorkspaceUrl: 'workspaceUrl',
  tableName: 'tableName',
  databricksWarehouseId: 'warehouseId',
  databricksWorkspaceId: 'workspaceId',
  databricksRegion: 'region',
  zerobusEndpoint: 'zerobusEndpoint',
  databricksClientId: 'clientId',
} as const;
type DatabricksMember = (typeof DATABRICKS_MEMBERS)[keyof typeof DATABRICKS_MEMBERS];

export interface ParameterCheck {
  /** Every problem, in order of the parameters; the values may be used only when there is none. */
  readonly issues: readonly OutcomeIssue[];
  /** Parameters that are accepted without effect, and why. */
  readonly warnings: readonly string[];
  readonly values: ParameterValues;
  /** FHIRPath of a parameter's value for later messages; that of the list when it was not given. */
  readonly expressionOf: (name: string) => string;
}

/** A service that brings nothing along. */
export const NO_PRINCIPAL: ServiceFacts = { hasPrincipal: false };

const LIST = 'AidboxTopicDestination.parameter';
const MAX_PARAMETERS = 200;
const REFERENCE = '(reference)';
const RULES = new Map(PARAMETER_RULES.map((rule) => [rule.name, rule]));

interface ReadState {
  readonly given: Record<string, string | number | boolean>;
  readonly secrets: Record<string, GivenSecret>;
  readonly expressions: Record<string, string>;
  /** Names that appear, well-formed or not: a wrong value is one problem, not also a missing one. */
  readonly present: Set<string>;
  readonly issues: OutcomeIssue[];
  readonly warnings: string[];
}

/** Checks `parameter` of a destination of our kind against PARAMETER_RULES; finds every problem at once and never repeats a secret. */
export function checkParameters(parameter: unknown, service: ServiceFacts = NO_PRINCIPAL): ParameterCheck {
  const state: ReadState = { given: {}, secrets: {}, expressions: {}, present: new Set(), issues: [], warnings: [] };
  if (parameter !== undefined && !Array.isArray(parameter))
    state.issues.push(makeIssue('structure', LIST, `found ${typeof parameter}, expected a list of parameters`));
  const list = asArray(parameter);
  if (list.length > MAX_PARAMETERS)
    state.issues.push(makeIssue('structure', LIST, `found ${list.length} parameters, expected at most ${MAX_PARAMETERS}`));
  list.slice(0, MAX_PARAMETERS).forEach((item, index) => readParameter(state, item, `${LIST}[${index}]`));
  const mode = state.given['writeMode'];
  const hasKnownMode = !state.present.has('writeMode') || (WRITE_MODES as readonly unknown[]).includes(mode);
  for (const rule of PARAMETER_RULES) checkRule(state, rule, hasKnownMode, service);
  return {
    issues: state.issues,
    warnings: state.warnings,
    values: makeValues(state),
    expressionOf: (name) => state.expressions[name] ?? LIST,
  };
}

/** A problem of the request. @param code of the FHIR value set issue-type */
export function makeIssue(
  code: string,
  expression: string,
  diagnostics: string,
  errorCode: ErrorCode = 'DESTINATION_INVALID',
): OutcomeIssue {
  return {
    severity: 'error',
    code,
    diagnostics,
    expression: [expression],
    details: { coding: [{ system: ERROR_CODE_SYSTEM, code: errorCode }] },
  };
}

function readParameter(state: ReadState, item: unknown, path: string): void {
  const parameter = asObject(item);
  const name = parameter?.['name'];
  if (parameter === undefined || typeof name !== 'string' || name === '') {
    state.issues.push(makeIssue('structure', path, 'found a parameter without a name, expected {"name": …, "value…": …}'));
    return;
  }
  const rule = RULES.get(name);
  if (rule === undefined) {
    const nearest = nearestName(name, [...RULES.keys()]);
    state.issues.push(
      makeIssue(
        'invalid',
        `${path}.name`,
        `found the unknown parameter ${quote(name)}; ${nearest === undefined ? 'remove it' : `did you mean ${nearest}?`}`,
      ),
    );
    return;
  }
  if (state.present.has(name)) {
    state.issues.push(makeIssue('invalid', path, `found ${name} again, expected it once`));
    return;
  }
  state.present.add(name);
  state.expressions[name] = `${path}.${valueKey(rule)}`;
  const problem = readValue(state, rule, parameter);
  if (problem !== undefined) state.issues.push(makeIssue('structure', path, `${name}: ${problem}`));
}

/** Stores the value of a parameter; returns what is wrong with its form. */
function readValue(state: ReadState, rule: ParameterRule, parameter: Json): string | undefined {
  const wanted = valueKey(rule);
  const found = valueKeysOf(parameter);
  if (found.length === 0) return `found no value, expected ${wanted}`;
  if (found.length > 1) return `found ${found.map(quote).join(' and ')}, expected ${wanted} alone`;
  const key = found[0]!;
  if (key === `_${wanted}` && rule.credential !== undefined) {
    const reference = readSecretReference(parameter[key]);
    if ('problem' in reference) return reference.problem;
    state.given[rule.name] = REFERENCE;
    state.secrets[rule.name] = { kind: 'reference', name: reference.name };
    return undefined;
  }
  if (key === `_${wanted}`) return `found a secret reference, expected ${wanted}: only credentials can be given by reference`;
  if (key === 'value') return `found the Aidbox format "value", expected FHIR format: ${wanted}`;
  if (key !== wanted) return `found ${quote(key)}, expected ${wanted}`;
  const value = parameter[key];
  const isWellTyped =
    rule.type === 'string'
      ? typeof value === 'string' && value.trim() !== ''
      : rule.type === 'boolean'
        ? typeof value === 'boolean'
        : Number.isSafeInteger(value);
  if (!isWellTyped)
    return `found ${describeValue(value)}, expected ${{ string: 'a text', boolean: 'true or false', unsignedInt: 'a whole number' }[rule.type]}`;
  state.given[rule.name] = value as string | number | boolean;
  if (rule.credential === 'secret') state.secrets[rule.name] = { kind: 'inline', value: value as string };
  return undefined;
}

/** The kind of a value, or the number itself; never a text, which may be a secret. */
function describeValue(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (value === null) return 'null';
  if (typeof value === 'string') return value.trim() === '' ? 'an empty text' : 'a text';
  return Array.isArray(value) ? 'a list' : 'an object';
}

/** Presence by write mode (skipped when the mode itself is wrong: its rules are not known), bounds, placeholders, the rule's own check. */
function checkRule(state: ReadState, rule: ParameterRule, hasKnownMode: boolean, service: ServiceFacts): void {
  const { given, issues, present, warnings } = state;
  const expression = state.expressions[rule.name] ?? LIST;
  const presence = rule.presence[variantOf(given)];
  if (!present.has(rule.name)) {
    const reason =
      presence === 'required'
        ? ''
        : typeof presence === 'object' && 'requiredWhen' in presence
          ? presence.requiredWhen(given, service)
          : undefined;
    const applies = hasKnownMode || Object.values(rule.presence).every((each) => each === 'required');
    if (reason !== undefined && applies) {
      issues.push(
        makeIssue(
          'required',
          LIST,
          `${rule.name} is missing; it is required${reason === '' ? '' : ` ${reason}`}: ${rule.meaning} (${valueKey(rule)})`,
        ),
      );
    }
    return;
  }
  if (hasKnownMode && typeof presence === 'object' && 'ignored' in presence) {
    warnings.push(`${rule.name} has no effect: ${presence.ignored}`);
    return;
  }
  if (hasKnownMode && typeof presence === 'object' && 'forbidden' in presence) {
    issues.push(
      makeIssue('invalid', expression, `${rule.name} is not allowed here: ${presence.forbidden}. Remove it or correct writeMode`),
    );
  }
  const problem = findValueProblem(rule, state);
  if (problem !== undefined) issues.push(makeIssue('value', expression, `${rule.name}: ${problem}`));
}

function findValueProblem(rule: ParameterRule, { given, secrets }: ReadState): string | undefined {
  const value = given[rule.name];
  if (value === undefined || secrets[rule.name]?.kind === 'reference') return undefined;
  if (typeof value === 'number') {
    const { min, max } = rule.bounds ?? { min: 0, max: Number.MAX_SAFE_INTEGER };
    return value >= min && value <= max ? undefined : `found ${value}, expected ${min} to ${max}`;
  }
  if (typeof value !== 'string') return undefined;
  const placeholder = findPlaceholder(value, rule.credential === 'secret');
  const shown =
    rule.credential === 'secret' || placeholder === undefined ? 'a placeholder' : `the placeholder ${quote(placeholder)}`;
  if (placeholder !== undefined) return `found ${shown}, expected the real value: nobody fills placeholders in`;
  return rule.check?.(value, given);
}

function makeValues({ given, secrets }: ReadState): ParameterValues {
  const text = (name: string): string | undefined => (typeof given[name] === 'string' ? given[name] : undefined);
  const number = (name: string, otherwise: number): number => (typeof given[name] === 'number' ? given[name] : otherwise);
  return {
    writeMode: (text('writeMode') ?? DEFAULT_WRITE_MODE) as WriteMode,
    viewDefinition: text('viewDefinition') ?? '',
    batchSize: number('batchSize', 0),
    sendIntervalMs: number('sendIntervalMs', 0),
    skipInitialExport: given['skipInitialExport'] === true,
    createTable: given['createTable'] === true,
    targetFileSizeMb: number('targetFileSizeMb', 128),
    initialExportChunkCount: number('initialExportChunkCount', 1),
    tablePath: text('tablePath'),
    awsRegion: text('awsRegion'),
    s3Endpoint: text('s3Endpoint'),
    databricks: Object.fromEntries(
      Object.entries(DATABRICKS_MEMBERS).map(([name, member]) => [member, secrets[name] === undefined ? text(name) : undefined]),
    ) as ParameterValues['databricks'],
    usesUnity: given['databricksWorkspaceUrl'] !== undefined,
    secrets,
  };
}
