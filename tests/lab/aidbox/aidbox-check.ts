import type { LabSwitches } from './options.ts';
import type { Problem } from './outcome.ts';
import { isObject, objectsOf, stringOf, stringsOf, textOf, type JsonObject, type Resource } from './resource.ts';
import { findTopic, type TopicSource } from './topics.ts';

const PROFILES = 'http://health-samurai.io/fhir/core/StructureDefinition/aidboxtopicdestination-';
export const WEBHOOK_KIND = 'webhook-at-least-once';
export const LAKEHOUSE_KIND = 'data-lakehouse-at-least-once';
const WEBHOOK_PROFILES = [
  `${PROFILES}webhookAtLeastOnceProfile`,
  'http://aidbox.app/StructureDefinition/aidboxtopicdestination-webhook-at-least-once',
];
/** Kinds that exist in Aidbox but that the stand-in has no sender for. */
const OTHER_KINDS = [
  ...['kafka-at-least-once', 'kafka-best-effort', 'gcp-pubsub-at-least-once', 'nats-at-least-once', 'nats-best-effort'],
  ...['amqp-at-least-once', 'aws-eventbridge', 'aws-sns', 'clickhouse', 'clickhouse-at-least-once', 'bigquery-at-least-once'],
];
const DESTINATION_ELEMENTS = new Set(
  `resourceType id meta implicitRules language text contained extension modifierExtension status topic kind parameter content
   includeEntryAction includeVersionId includeVersionIdInFocusReference enableLogging logLevel filterBy`.split(/\s+/),
);
/** Webhook parameter → its value element (§3.3). */
const WEBHOOK_PARAMETERS: Readonly<Record<string, string>> = {
  endpoint: 'valueUrl',
  timeout: 'valueUnsignedInt',
  keepAlive: 'valueInteger',
  maxMessagesInBatch: 'valueUnsignedInt',
  header: 'valueString',
};
const SECRET_REFERENCE = 'http://health-samurai.io/fhir/secret-reference';

/** Problems of one of Aidbox's own resources, as far as §2, §3 and §5.1 tell its rules. */
export function findAidboxProblems(resource: Resource, source: TopicSource, switches: LabSwitches): Problem[] {
  switch (resource.resourceType) {
    case 'AidboxSubscriptionTopic':
      return findTopicProblems(resource);
    case 'AidboxTopicDestination':
      return findDestinationProblems(resource, source, switches);
    case 'ViewDefinition':
      return findViewProblems(resource);
    case 'App':
      return resource['apiVersion'] === 1 ? [] : [problem('invalid', 'App.apiVersion', 'must be 1')];
    default:
      return [];
  }
}

function findTopicProblems(topic: Resource): Problem[] {
  const at = 'AidboxSubscriptionTopic';
  const problems = [
    ...requireText(topic, `${at}.url`, 'url'),
    ...requireOneOf(topic, `${at}.status`, 'status', ['draft', 'active', 'retired', 'unknown']),
  ];
  for (const [index, trigger] of objectsOf(topic['trigger']).entries()) {
    const path = `${at}.trigger[${index}]`;
    problems.push(...requireText(trigger, `${path}.resource`, 'resource'));
    const unknown = stringsOf(trigger['supportedInteraction']).filter((name) => !['create', 'update', 'delete'].includes(name));
    if (unknown.length > 0)
      problems.push(problem('value', `${path}.supportedInteraction`, `has unknown values: ${unknown.join(', ')}`));
  }
  return problems;
}

function findViewProblems(view: Resource): Problem[] {
  const name = stringOf(view['name']);
  return [
    ...requireText(view, 'ViewDefinition.resource', 'resource'),
    ...requireOneOf(view, 'ViewDefinition.status', 'status', ['draft', 'active', 'retired', 'unknown']),
    ...(objectsOf(view['select']).length > 0 ? [] : [problem('required', 'ViewDefinition.select', 'is required')]),
    ...(name === undefined || /^[A-Za-z]\w*$/.test(name)
      ? []
      : [problem('value', 'ViewDefinition.name', 'must be letters, digits and underscores')]),
  ];
}

function findDestinationProblems(destination: Resource, source: TopicSource, switches: LabSwitches): Problem[] {
  const at = 'AidboxTopicDestination';
  const unknown = Object.keys(destination).filter((key) => !DESTINATION_ELEMENTS.has(key));
  const topic = stringOf(destination['topic']);
  const isTopicMissing = topic !== undefined && findTopic(source, topic) === undefined && switches.missingTopic === 'refuse';
  return [
    ...unknown.map((key) => problem('structure', `${at}.${key}`, 'is not an element')),
    ...requireText(destination, `${at}.topic`, 'topic'),
    ...(isTopicMissing ? [problem('not-found', `${at}.topic`, 'names a topic that does not exist')] : []),
    ...optionalOneOf(destination, `${at}.status`, 'status', ['requested', 'active', 'error', 'off', 'entered-in-error']),
    ...optionalOneOf(destination, `${at}.content`, 'content', ['full-resource', 'id-only', 'empty']),
    ...findKindProblems(destination, switches),
  ];
}

function findKindProblems(destination: Resource, switches: LabSwitches): Problem[] {
  const kind = stringOf(destination['kind']);
  if (kind === WEBHOOK_KIND) {
    const profiles = stringsOf(destination.meta?.['profile']);
    const lacksProfile = switches.profileRequired && !profiles.some((profile) => WEBHOOK_PROFILES.includes(profile));
    return [
      ...(lacksProfile ? [problem('invalid', 'AidboxTopicDestination.meta.profile', `must hold ${WEBHOOK_PROFILES[0]}`)] : []),
      ...findWebhookProblems(destination, switches),
    ];
  }
  const path = 'AidboxTopicDestination.kind';
  if (kind === LAKEHOUSE_KIND) {
    return switches.lakehouseModule === 'store' ? [] : [problem('not-supported', path, 'no loaded module serves this kind')];
  }
  if (kind !== undefined && OTHER_KINDS.includes(kind))
    return [problem('not-supported', path, 'no loaded module serves this kind')];
  return switches.unknownKind === 'store' ? [] : [problem('value', path, 'is not a known kind')];
}

function findWebhookProblems(destination: Resource, switches: LabSwitches): Problem[] {
  const path = 'AidboxTopicDestination.parameter';
  const parameters = objectsOf(destination['parameter']);
  const problems: Problem[] = [];
  for (const [index, parameter] of parameters.entries()) {
    const name = textOf(parameter['name']);
    const element = WEBHOOK_PARAMETERS[name];
    if (element === undefined) {
      if (switches.unknownParameter === 'refuse')
        problems.push(problem('structure', `${path}[${index}]`, `unknown parameter ${name}`));
    } else if (!hasValue(parameter, name, element)) {
      problems.push(problem('value', `${path}[${index}]`, `${name} needs a ${element}`));
    }
  }
  const count = (name: string): number => parameters.filter((parameter) => parameter['name'] === name).length;
  if (count('endpoint') === 0) problems.push(problem('required', path, 'endpoint is required'));
  for (const name of ['endpoint', 'timeout', 'keepAlive', 'maxMessagesInBatch']) {
    if (count(name) > 1) problems.push(problem('structure', path, `${name} may be given once`));
  }
  return problems;
}

function hasValue(parameter: JsonObject, name: string, element: string): boolean {
  const isSecret = name === 'header' && secretName(parameter) !== undefined;
  const stray = Object.keys(parameter).filter((key) => key !== 'name' && key !== element && key !== `_${element}`);
  if (stray.length > 0) return false;
  const value = parameter[element];
  switch (element) {
    case 'valueUrl':
      return typeof value === 'string' && /^https?:\/\/[^/\s]+/.test(value);
    case 'valueString':
      return isSecret || (typeof value === 'string' && value.includes(':'));
    case 'valueUnsignedInt':
      return typeof value === 'number' && Number.isInteger(value) && value >= 0;
    default:
      return typeof value === 'number' && Number.isInteger(value);
  }
}

/** The name of the vault secret that stands in the place of `valueString` (§7.3). */
export function secretName(parameter: JsonObject): string | undefined {
  const holder = parameter['_valueString'];
  if (!isObject(holder)) return undefined;
  return stringOf(objectsOf(holder['extension']).find((extension) => extension['url'] === SECRET_REFERENCE)?.['valueString']);
}

function requireText(object: JsonObject, path: string, key: string): Problem[] {
  return stringOf(object[key]) ? [] : [problem('required', path, 'is required')];
}

function requireOneOf(object: JsonObject, path: string, key: string, allowed: readonly string[]): Problem[] {
  return object[key] === undefined ? [problem('required', path, 'is required')] : optionalOneOf(object, path, key, allowed);
}

function optionalOneOf(object: JsonObject, path: string, key: string, allowed: readonly string[]): Problem[] {
  const value = object[key];
  const isAllowed = value === undefined || (typeof value === 'string' && allowed.includes(value));
  return isAllowed ? [] : [problem('value', path, `must be one of ${allowed.join(', ')}`)];
}

function problem(code: string, expression: string, text: string): Problem {
  return { code, expression, diagnostics: `${expression} ${text}` };
}
