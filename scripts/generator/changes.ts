import { writeExactJson, type Json, type JsonObject } from './exact-json.ts';
import { makeGenerator, type Generator } from './generator.ts';
import { makeRandom, type Random } from './random.ts';
import { concept, makeAddress, makePhone, remeasure, TERMINOLOGY, type GeneratedResource } from './resources.ts';

/** One change to be sent to a FHIR REST API as it stands. */
export interface Change {
  /** Place in the plan, from 0. */
  readonly index: number;
  readonly interaction: 'create' | 'update' | 'patch' | 'delete';
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Path under the server's root: `/fhir/Patient` or `/fhir/Patient/p-1-1`. */
  readonly path: string;
  readonly type: string;
  readonly id: string;
  /** JSON text (decimals keep digits such as 7.40); undefined for a delete. */
  readonly body: string | undefined;
  /** undefined for a delete. */
  readonly contentType: string | undefined;
}

type Part = Pick<Change, 'interaction' | 'method' | 'path' | 'type' | 'id'> & { readonly content?: JsonObject };

/** Share of updates, patches and deletes; the rest are creates. */
const SHARES = { update: 0.17, patch: 0.08, delete: 0.05 };

/**
 * Plan `count` changes: about 70 % creates, 17 % updates (PUT), 8 % JSON merge PATCHes, 5 % deletes. Every change is valid after
 * those before it, refers only to patients and encounters created before, and really changes something. A few creates bring a
 * deleted resource back by PUT.
 *
 * @param seed an unsigned 32-bit integer; same seed and count, same plan
 */
export function* planChanges(seed: number, count: number): Iterable<Change> {
  const plan = new Plan(seed);
  for (let index = 0; index < count; index++) {
    const { content, ...part } = plan.next();
    const contentType = part.interaction === 'patch' ? 'application/merge-patch+json' : 'application/json';
    const hasBody = content !== undefined;
    yield { index, ...part, body: hasBody ? writeExactJson(content) : undefined, contentType: hasBody ? contentType : undefined };
  }
}

/** The world after the changes planned so far. */
class Plan {
  readonly #random: Random;
  readonly #generator: Generator;
  readonly #living: GeneratedResource[] = [];
  readonly #deleted: GeneratedResource[] = [];
  readonly #patientIds: string[] = [];
  /** Living encounters by the reference to their patient. */
  readonly #encounterIds = new Map<string, string[]>();
  #revision = 0;

  constructor(seed: number) {
    // Another stream than the generator's, so that the choice of changes does not repeat the choice of contents.
    this.#random = makeRandom(seed ^ 0x9e3779b9);
    this.#generator = makeGenerator(seed);
  }

  next(): Part {
    const roll = this.#random.next();
    if (this.#living.length === 0 || roll >= SHARES.update + SHARES.patch + SHARES.delete) return this.#create();
    if (roll < SHARES.update) return this.#update();
    return roll < SHARES.update + SHARES.patch ? this.#patch() : this.#delete();
  }

  #create(): Part {
    const returns = this.#deleted.length > 0 && this.#random.chance(0.01);
    const resource = returns ? takeAny(this.#random, this.#deleted) : this.#makeResource();
    const content = this.#stamp(resource);
    this.#living.push(content);
    this.#idsLike(content)?.push(content.id);
    if (returns || this.#random.chance(0.15)) return this.#put('create', content);
    const { resourceType: type, id } = content;
    return { interaction: 'create', method: 'POST', path: `/fhir/${type}`, type, id, content };
  }

  #makeResource(): GeneratedResource {
    const roll = this.#random.next();
    if (this.#patientIds.length === 0 || roll < 0.12) return this.#generator.patient();
    const patientId = this.#random.pick(this.#patientIds);
    if (roll < 0.28) return this.#generator.encounter(patientId);
    const encounterIds = this.#encounterIds.get(`Patient/${patientId}`) ?? [];
    const encounterId = encounterIds.length > 0 && this.#random.chance(0.6) ? this.#random.pick(encounterIds) : undefined;
    return roll < 0.4 ? this.#generator.condition(patientId, encounterId) : this.#generator.observation(patientId, encounterId);
  }

  #update(): Part {
    const index = this.#pickLiving();
    const current = this.#living[index] as GeneratedResource;
    const content = this.#stamp({ ...current, ...this.#revise(current) });
    this.#living[index] = content;
    return this.#put('update', content);
  }

  #put(interaction: 'create' | 'update', content: GeneratedResource): Part {
    const { resourceType: type, id } = content;
    return { interaction, method: 'PUT', path: `/fhir/${type}/${id}`, type, id, content };
  }

  #patch(): Part {
    const index = this.#pickLiving();
    const current = this.#living[index] as GeneratedResource;
    const content = this.#stamp(this.#revise(current));
    this.#living[index] = mergePatch(current, content) as GeneratedResource;
    const { resourceType: type, id } = current;
    return { interaction: 'patch', method: 'PATCH', path: `/fhir/${type}/${id}`, type, id, content };
  }

  /** Patients are deleted rarely: most deletes correct what was entered by mistake. */
  #delete(): Part {
    let index = this.#pickLiving();
    if (this.#living[index]?.resourceType === 'Patient') index = this.#pickLiving();
    const resource = takeAt(this.#living, index);
    this.#deleted.push(resource);
    const { resourceType: type, id } = resource;
    const ids = this.#idsLike(resource);
    if (ids !== undefined) takeAt(ids, ids.indexOf(id));
    return { interaction: 'delete', method: 'DELETE', path: `/fhir/${type}/${id}`, type, id };
  }

  /** The list of living ids that a patient or an encounter belongs to; undefined for other types. */
  #idsLike({ resourceType, subject }: GeneratedResource): string[] | undefined {
    if (resourceType === 'Patient') return this.#patientIds;
    if (resourceType !== 'Encounter') return undefined;
    const patient = (subject as { reference: string }).reference;
    const ids = this.#encounterIds.get(patient) ?? [];
    this.#encounterIds.set(patient, ids);
    return ids;
  }

  #pickLiving(): number {
    return this.#random.between(0, this.#living.length - 1);
  }

  /** Elements that a correction of the resource sets; null takes one away (in a PUT: see `#stamp`). */
  #revise(resource: GeneratedResource): JsonObject {
    const random = this.#random;
    switch (resource.resourceType) {
      case 'Patient':
        return random.pick<() => JsonObject>([
          () => ({ active: resource['active'] !== true }),
          () => ({ address: [makeAddress(random)] }),
          () => ({ telecom: [makePhone(random)] }),
          () => ({ telecom: null, address: null }),
          () => ({ deceasedBoolean: true, deceasedDateTime: null }),
        ])();
      case 'Encounter':
        return {
          status: 'finished',
          period: { start: '2024-05-01T08:00:00Z', end: `2024-05-01T${random.between(10, 23)}:30:00Z` },
        };
      case 'Condition': {
        const code = random.pick(['active', 'remission', 'resolved']);
        const isBack = code === 'active' && 'abatementDateTime' in resource;
        return { clinicalStatus: concept(`${TERMINOLOGY}/condition-clinical`, code), ...(isBack && { abatementDateTime: null }) };
      }
      default:
        return { status: random.pick(['amended', 'corrected', 'final']), ...remeasure(random, resource) };
    }
  }

  /** Each change names its feed message, so none repeats what is stored. Nulls of a whole resource are left out. */
  #stamp<T extends JsonObject>(content: T): T {
    const stamped = { ...content, meta: { source: `urn:feed:message:${++this.#revision}` } };
    return 'resourceType' in content ? (mergePatch({}, stamped) as T) : stamped;
  }
}

/** Take one item out; the last one moves to its place. */
function takeAt<T>(items: T[], index: number): T {
  const item = items[index] as T;
  const last = items.pop() as T;
  if (index < items.length) items[index] = last;
  return item;
}

function takeAny<T>(random: Random, items: T[]): T {
  return takeAt(items, random.between(0, items.length - 1));
}

/** RFC 7386. */
function mergePatch(target: Json | undefined, patch: Json): Json {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: JsonObject = typeof target === 'object' && target !== null && !Array.isArray(target) ? { ...target } : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else if (value !== undefined) result[key] = mergePatch(result[key], value);
  }
  return result;
}
