import type { LabSwitches } from './options.ts';
import type { JsonObject, Resource, TopicEvent, Version } from './resource.ts';

const EXTENSIONS = 'http://health-samurai.io/fhir/core/StructureDefinition/bundle-';

/** The elements of a destination that shape its notifications. */
export interface NotificationShape {
  readonly destinationId: string;
  readonly topic: string;
  readonly content: 'full-resource' | 'id-only' | 'empty';
  readonly includeEntryAction: boolean;
  readonly includeVersionId: boolean;
  readonly includeVersionIdInFocusReference: boolean;
}

export interface NotificationContext {
  readonly baseUrl: string;
  readonly statusId: string;
  readonly now: Date;
  readonly switches: LabSwitches;
  /** The version of the same resource that came before. */
  readonly before: (version: Version) => Version | undefined;
}

/** The Bundle of one POST (§3.4, §3.5). */
export function makeNotification(
  shape: NotificationShape,
  events: readonly TopicEvent[],
  context: NotificationContext,
): Resource {
  const { statusId, now, switches } = context;
  const focuses = events.map((event, index) => makeFocus(shape, event, index, switches));
  if (switches.notificationEvents === 'reversed') focuses.reverse();
  const status: Resource = {
    resourceType: 'AidboxSubscriptionStatus',
    ...(switches.statusId !== 'absent' && { id: statusId }),
    status: 'active',
    type: 'event-notification',
    ...(switches.notificationEvents !== 'absent' && { notificationEvent: focuses }),
    topic: shape.topic,
    'topic-destination': { reference: `AidboxTopicDestination/${shape.destinationId}` },
  };
  const entries = shape.content === 'empty' ? [] : events.map((event) => makeEntry(shape, event, context));
  return {
    resourceType: 'Bundle',
    type: 'history',
    timestamp: `${now.toISOString().slice(0, 19)}Z`,
    entry: [{ resource: status }, ...entries],
  };
}

function makeFocus(shape: NotificationShape, event: TopicEvent, index: number, switches: LabSwitches): JsonObject {
  const { type, id, versionId } = event.version;
  const version = shape.includeVersionIdInFocusReference ? `/_history/${versionId}` : '';
  const numbers = { 'per-batch': index + 1, 'per-destination': event.number, 'always-1': 1 };
  return {
    eventNumber: numbers[switches.eventNumber],
    focus: { reference: `${type}/${id}${version}` },
    ...(switches.correlationIds && event.correlationId !== undefined && { correlationId: event.correlationId }),
  };
}

function makeEntry(shape: NotificationShape, { version }: TopicEvent, context: NotificationContext): JsonObject {
  const { baseUrl, switches, before } = context;
  const { type, id, action, resource } = version;
  const isDelete = action === 'delete';
  const hasResource = shape.content === 'full-resource' && (!isDelete || switches.deleteEntryHasResource);
  const shown = (which: 'deletion' | 'before'): Version =>
    isDelete && which === 'before' ? (before(version) ?? version) : version;
  const { meta = {} } = shown(switches.deleteEntryMeta).resource;
  const { versionId } = shown(switches.deleteEntryVersion);
  const extensions: JsonObject[] = [];
  if (shape.includeEntryAction) extensions.push({ url: `${EXTENSIONS}entryActionCode`, valueCode: action });
  if (shape.includeVersionId) extensions.push({ url: `${EXTENSIONS}entryVersionId`, valueId: versionId });
  return {
    fullUrl: `${baseUrl}/fhir/${type}/${id}`,
    request: isDelete ? makeDeleteRequest(type, id, switches) : { method: 'POST', url: `/fhir/${type}` },
    ...(hasResource && { resource: { ...resource, meta } }),
    ...(extensions.length > 0 && { extension: extensions }),
  };
}

function makeDeleteRequest(type: string, id: string, switches: LabSwitches): JsonObject {
  switch (switches.deleteEntryRequest) {
    case 'POST':
      return { method: 'POST', url: `/fhir/${type}` };
    case 'DELETE-id':
      return { method: 'DELETE', url: `/fhir/${type}/${id}` };
    case 'DELETE-type':
      return { method: 'DELETE', url: `/fhir/${type}` };
  }
}
