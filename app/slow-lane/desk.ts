import { AppError } from '../errors/app-error.ts';
import { parseNotification, type Notification } from '../fhir/notification.ts';
import { makeNotificationReducer } from '../fhir/reduce-notification.ts';
import { makeRowEncoder, type RowContext, type RowEncoder } from '../rows/row-encoder.ts';
import type { Row } from '../rows/table-type.ts';
import { compileView } from '../view/compile-view.ts';
import type { CompiledView, Resource } from '../view/compiled-view.ts';
import { parseExactly } from '../view/exact-json.ts';
import type { Answers, FlattenJob, Question, ResourceSource } from './protocol.ts';

/** What makes rows, and the job that it was made for. */
interface Flattener {
  readonly jobJson: string;
  readonly view: CompiledView;
  readonly encoder: RowEncoder;
}

/**
 * Makes the function that answers the questions to one thread: it reads notifications and flattens their resources under wide bounds.
 * Holds one notification and the rows of one resource at a time.
 */
export function makeDesk(): (question: Question) => Answers[Question['kind']] {
  let flattener: Flattener | undefined;
  let notification: Notification | undefined;
  let rows: Row[] = [];
  let given = 0;
  let reduce: ReturnType<typeof makeNotificationReducer> | undefined;

  const flatten = (source: ResourceSource, context: RowContext): Answers['flatten'] => {
    if (flattener === undefined) throw new AppError('INTERNAL', 'a thread was asked for rows before it read a notification');
    const resource = findResource(notification, source);
    rows = flattener.encoder.encode(flattener.view.evaluate(resource), context);
    given = 0;
    return { rowCount: rows.length, columnCount: flattener.encoder.columns.length };
  };

  return (question) => {
    switch (question.kind) {
      case 'read': {
        notification = reduce = undefined;
        rows = [];
        const jobJson = JSON.stringify(question.job);
        if (flattener?.jobJson !== jobJson) flattener = makeFlattener(jobJson, question.job);
        notification = parseNotification(question.body, question.exactly ? parseExactly : undefined);
        return withoutResources(notification);
      }
      case 'flatten':
        return flatten(question.source, question.context);
      case 'rows': {
        const part = rows.slice(given, given + question.count);
        given += part.length;
        if (given >= rows.length) rows = [];
        return part;
      }
      case 'reduce':
        if (question.body !== undefined) reduce = makeNotificationReducer(question.body);
        return reduce?.(question.place);
    }
  };
}

function makeFlattener(jobJson: string, { viewDefinition, createdAtUrl, columns }: FlattenJob): Flattener {
  const view = compileView(viewDefinition, { createdAtUrl });
  return { jobJson, view, encoder: makeRowEncoder(view, columns) };
}

function findResource(notification: Notification | undefined, source: ResourceSource): Resource {
  if (source.kind === 'text') return JSON.parse(source.json) as Resource;
  const entry = notification?.events[source.place];
  const resource = entry?.kind === 'event' ? entry.event.resource : undefined;
  if (resource === undefined) throw new AppError('INTERNAL', 'a thread was asked for an event that it does not hold');
  if (source.lastUpdated === undefined) return resource;
  return { ...resource, meta: { ...(resource['meta'] as object | undefined), lastUpdated: source.lastUpdated } };
}

/** Resources may be too large, or nested too deeply, to be sent from thread to thread. */
function withoutResources({ timestamp, events }: Notification): Notification {
  return {
    timestamp,
    events: events.map((entry) => {
      if (entry.kind === 'unreadable') return { ...entry, entry: undefined };
      const { event } = entry;
      const { resource, resourceType, id, lastUpdated } = event;
      const stub: Resource | undefined = resource && { resourceType, id, meta: { lastUpdated } };
      return { kind: 'event', event: { ...event, resource: stub } };
    }),
  };
}
