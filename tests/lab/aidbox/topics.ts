import fhirpath from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4';
import { toPlainJson } from '../../../scripts/generator/exact-json.ts';
import type { LabSwitches } from './options.ts';
import { objectsOf, stringOf, stringsOf, type Action, type JsonObject, type Resource, type Version } from './resource.ts';

/** What topics.ts asks of the store. */
export interface TopicSource {
  all(type: string): Resource[];
}

type Criteria = (focus: unknown, variables: { current: unknown; previous: unknown }) => unknown[];

interface Trigger {
  readonly actions: ReadonlySet<Action>;
  readonly criteria: Criteria | undefined;
}

interface Binding {
  readonly destinationId: string;
  readonly triggers: readonly Trigger[];
}

const ALL_ACTIONS: readonly Action[] = ['create', 'update', 'delete'];
const TYPE_PREFIX = 'http://hl7.org/fhir/StructureDefinition/';

/** Decides which destinations a write is an event for (§2). */
export class Topics {
  readonly #source: TopicSource;
  readonly #switches: () => LabSwitches;
  #bindings: ReadonlyMap<string, readonly Binding[]> | undefined;
  #problems = new Map<string, string>();

  constructor(source: TopicSource, switches: () => LabSwitches) {
    this.#source = source;
    this.#switches = switches;
  }

  /** Topics or destinations changed: read them again at the next write. */
  forget(): void {
    this.#bindings = undefined;
  }

  /** Why a stored destination cannot have a sender: its topic is missing or has a criteria that does not parse. */
  problemOf(destinationId: string): string | undefined {
    this.#bind();
    return this.#problems.get(destinationId);
  }

  /** Ids of the destinations that must hear of `current`, one entry per event. */
  findListeners(current: Version, previous: Version | undefined): string[] {
    const bindings = this.#bind().get(current.type);
    if (bindings === undefined) return [];
    return bindings.flatMap(({ destinationId, triggers }) => {
      const firing = triggers.filter((trigger) => this.#fires(trigger, current, previous));
      const times = this.#switches().eventPerTrigger ? firing.length : Math.min(firing.length, 1);
      return Array.from({ length: times }, () => destinationId);
    });
  }

  #fires(trigger: Trigger, current: Version, previous: Version | undefined): boolean {
    if (!trigger.actions.has(current.action)) return false;
    if (trigger.criteria === undefined) return true;
    const absent = this.#switches().absentVersionIs === 'null' ? null : {};
    const isDelete = current.action === 'delete';
    const content = toPlainJson(current.resource);
    const focus = isDelete && this.#switches().deleteCriteriaFocus === 'nothing' ? {} : content;
    const variables = {
      current: isDelete ? absent : toPlainJson(current.resource),
      previous: previous === undefined ? absent : toPlainJson(previous.resource),
    };
    try {
      const result = trigger.criteria(focus, variables);
      return result.length > 0 && result[0] !== false;
    } catch {
      return false;
    }
  }

  #bind(): ReadonlyMap<string, readonly Binding[]> {
    if (this.#bindings !== undefined) return this.#bindings;
    const bindings = new Map<string, Binding[]>();
    this.#problems = new Map();
    for (const destination of this.#source.all('AidboxTopicDestination')) {
      const destinationId = destination.id ?? '';
      const topic = findTopic(this.#source, stringOf(destination['topic']) ?? '');
      if (topic === undefined) {
        this.#problems.set(destinationId, 'its topic does not exist');
        continue;
      }
      try {
        for (const [type, triggers] of this.#readTriggers(topic)) {
          bindings.set(type, [...(bindings.get(type) ?? []), { destinationId, triggers }]);
        }
      } catch (error) {
        this.#problems.set(destinationId, `fhirPathCriteria does not parse: ${String(error)}`);
      }
    }
    this.#bindings = bindings;
    return bindings;
  }

  #readTriggers(topic: Resource): Map<string, Trigger[]> {
    const triggers = new Map<string, Trigger[]>();
    for (const trigger of objectsOf(topic['trigger'])) {
      const type = (stringOf(trigger['resource']) ?? '').replace(TYPE_PREFIX, '');
      triggers.set(type, [...(triggers.get(type) ?? []), this.#readTrigger(trigger)]);
    }
    return triggers;
  }

  #readTrigger(trigger: JsonObject): Trigger {
    const listed = stringsOf(trigger['supportedInteraction']) as Action[];
    const unlisted = ALL_ACTIONS.filter((action) => action !== 'delete' || this.#switches().absentInteractionMeansDeleteToo);
    const text = stringOf(trigger['fhirPathCriteria']) ?? '';
    return {
      actions: new Set(listed.length > 0 ? listed : unlisted),
      criteria: text === '' ? undefined : (fhirpath.compile(text, r4, { async: false }) as Criteria),
    };
  }
}

/** The topic a canonical (`url` or `url|version`) names. */
export function findTopic(source: TopicSource, canonical: string): Resource | undefined {
  const [url, version] = canonical.split('|');
  const fits = source.all('AidboxSubscriptionTopic').filter((topic) => topic['url'] === url);
  return fits.findLast((topic) => version === undefined || topic['version'] === version);
}
