import { DESTINATION_ERRORS } from '../errors/destination.ts';
import type { OutcomeIssue } from '../fhir/operation-outcome.ts';
import { asArray, asText, type Json } from '../lib/json.ts';
import { DESTINATION_KIND, DESTINATION_PROFILE } from './destination.ts';
import { quote } from './parameter-checks.ts';
import type { ServiceFacts } from './parameter-rule.ts';
import { checkParameters, makeIssue, NO_PRINCIPAL, type ParameterCheck, type ParameterValues } from './parameters.ts';

/** Elements of AidboxTopicDestination; those that steer notifications are ours to set and are accepted without effect. */
const ELEMENTS = new Set(
  'resourceType id meta implicitRules language text status topic kind parameter content includeEntryAction includeVersionId includeVersionIdInFocusReference enableLogging logLevel'.split(
    ' ',
  ),
);
const ROOT = 'AidboxTopicDestination';

/** What a create asks for. */
export interface DestinationRequest {
  /** Undefined: the server chooses one. */
  readonly id: string | undefined;
  readonly topic: string;
  readonly values: ParameterValues;
}

export interface RequestCheck {
  /** Every problem; with one or more of them nothing is created. */
  readonly issues: readonly OutcomeIssue[];
  /** What is accepted without effect; shown in `$status`. */
  readonly warnings: readonly string[];
  readonly request: DestinationRequest;
  readonly expressionOf: ParameterCheck['expressionOf'];
}

/** Checks a resource of our kind as a whole, and that this build can serve it. */
export function checkRequest(resource: Json, service: ServiceFacts = NO_PRINCIPAL): RequestCheck {
  const parameters = checkParameters(resource['parameter'], service);
  return {
    issues: [...checkElements(resource), ...parameters.issues, ...checkBuild(parameters)],
    warnings: parameters.warnings,
    request: { id: asText(resource['id']), topic: asText(resource['topic']) ?? '', values: parameters.values },
    expressionOf: parameters.expressionOf,
  };
}

/** Ids that Aidbox allows, and that cannot be mistaken for a path or for an operation such as `_history`. */
export function isDestinationId(id: string): boolean {
  return /^[A-Za-z0-9.-][A-Za-z0-9._-]{0,63}$/.test(id) && !/^\.+$/.test(id);
}

function checkElements(resource: Json): OutcomeIssue[] {
  const issues: OutcomeIssue[] = [];
  const add = (code: string, element: string, diagnostics: string): void =>
    void issues.push(makeIssue(code, `${ROOT}.${element}`, diagnostics));
  for (const key of Object.keys(resource)) {
    if (key === 'filterBy')
      add('not-supported', key, 'found filterBy, which this kind does not have; filter in the topic with fhirPathCriteria');
    else if (!ELEMENTS.has(key))
      issues.push(makeIssue('structure', ROOT, `found the unknown element ${quote(key)}; remove it, or correct its name`));
  }
  const { id, topic, content, status, meta } = resource;
  if (resource['resourceType'] !== undefined && resource['resourceType'] !== ROOT)
    add('structure', 'resourceType', `found another resource type, expected ${ROOT}`);
  if (id !== undefined && (typeof id !== 'string' || !isDestinationId(id))) {
    add(
      'value',
      'id',
      'found an id that cannot be used, expected 1 to 64 letters, digits, hyphens, dots and underscores, no underscore first',
    );
  }
  if (topic === undefined) add('required', 'topic', 'topic is missing; it is required: the url of an AidboxSubscriptionTopic');
  else if (typeof topic !== 'string' || !/^\S{1,2048}$/.test(topic))
    add('value', 'topic', 'found a topic that is no URI, expected the url of an AidboxSubscriptionTopic');
  if (content !== undefined && content !== 'full-resource') {
    add(
      'not-supported',
      'content',
      'found a content other than full-resource, expected full-resource or none: rows are made from whole resources',
    );
  }
  if (status !== undefined && status !== 'active')
    add('value', 'status', 'found a status other than active, expected active or none');
  const profiles = asArray((meta as Json | undefined)?.['profile']);
  if (profiles.length > 0 && !profiles.includes(DESTINATION_PROFILE)) {
    add(
      'value',
      'meta.profile',
      `found another profile, expected ${DESTINATION_PROFILE} (the profile of kind ${DESTINATION_KIND})`,
    );
  }
  return issues;
}

/** Modes that are checked in full but not served yet. */
function checkBuild({ values, expressionOf }: ParameterCheck): OutcomeIssue[] {
  const refuse = (parameter: string, what: string): OutcomeIssue[] => {
    const diagnostics = `${what} not in this build yet. ${DESTINATION_ERRORS.DESTINATION_NOT_IN_BUILD.action}`;
    return [makeIssue('not-supported', expressionOf(parameter), diagnostics, 'DESTINATION_NOT_IN_BUILD')];
  };
  const isUnity = values.writeMode === 'external-direct' && values.usesUnity;
  return isUnity
    ? refuse('databricksWorkspaceUrl', 'credentials vended by Unity Catalog (external-direct with databricksWorkspaceUrl) are')
    : [];
}
