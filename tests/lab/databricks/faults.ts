import type { Service } from './journal.ts';
import { NAMED_ERRORS } from './taxonomy.ts';
import { findNamedError } from './warehouse/named-errors.ts';

/** What an answer is replaced by. */
export interface FaultAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object is sent as JSON, a text as it is. */
  readonly body?: string | Readonly<Record<string, unknown>>;
}

/** A trouble that strikes requests. Exactly one of `error`, `answer`, `cut`, `hang` and `delayMs` says which. */
export interface Fault {
  readonly service: Service;
  /** Only requests with this method. */
  readonly method?: string;
  /** Only requests whose path (for the warehouse: call) matches this regular expression. */
  readonly path?: string;
  /** How many requests are struck. Default 1; `null`: all until the fault is removed. */
  readonly count?: number | null;
  /** Matching requests that pass before. Default 0. */
  readonly skip?: number;
  /** An error of the taxonomy (section 7) by its name in `taxonomy.ts`, for the warehouse one of `warehouse/named-errors.ts`. */
  readonly error?: string;
  readonly answer?: FaultAnswer;
  /** The connection is cut: before anything is done, or after all is done, so that only the answer is lost. */
  readonly cut?: 'before' | 'after';
  /** With `error` or `answer`: the request takes effect first (an ambiguous outcome). */
  readonly afterEffect?: boolean;
  /** No answer ever: before or after the effect. */
  readonly hang?: 'before' | 'after';
  /** The answer is right and late, ms. */
  readonly delayMs?: number;
}

interface Armed {
  readonly id: number;
  readonly fault: Fault;
  readonly path: RegExp | undefined;
  skip: number;
  left: number;
}

/** The faults that are armed. */
export class Faults {
  private armed: Armed[] = [];
  private last = 0;

  /** @returns an id for `remove` @throws Error for a fault that says nothing, or a name that is unknown */
  add(fault: Fault): number {
    const kinds = [fault.error, fault.answer, fault.cut, fault.hang, fault.delayMs].filter((kind) => kind !== undefined);
    if (kinds.length !== 1) throw new Error('a fault needs exactly one of error, answer, cut, hang, delayMs');
    if (fault.error !== undefined && fault.service !== 'warehouse') namedAnswer(fault.service, fault.error);
    if (fault.error !== undefined && fault.service === 'warehouse') findNamedError(fault.error);
    const path = fault.path === undefined ? undefined : new RegExp(fault.path);
    const left = fault.count === null ? Infinity : (fault.count ?? 1);
    this.armed.push({ id: ++this.last, fault, path, skip: fault.skip ?? 0, left });
    return this.last;
  }

  remove(id: number): void {
    this.armed = this.armed.filter((entry) => entry.id !== id);
  }

  clear(): void {
    this.armed = [];
  }

  get list(): { readonly id: number; readonly fault: Fault; readonly left: number | null }[] {
    return this.armed.map(({ id, fault, left }) => ({ id, fault, left: left === Infinity ? null : left }));
  }

  /** The fault that strikes this request, which is used up by asking. */
  take(service: Service, method: string, path: string): Fault | undefined {
    if (this.armed.length === 0) return undefined;
    for (const entry of this.armed) {
      const { fault } = entry;
      if (fault.service !== service || (fault.method !== undefined && fault.method !== method)) continue;
      if (entry.path?.test(path) === false) continue;
      if (entry.skip > 0) {
        entry.skip--;
        continue;
      }
      if (--entry.left <= 0) this.remove(entry.id);
      return fault;
    }
    return undefined;
  }
}

/** What a fault of a REST service answers, if it does. */
export function answerOf(fault: Fault): FaultAnswer | undefined {
  return fault.error === undefined ? fault.answer : namedAnswer(fault.service, fault.error);
}

/** How the journal calls a fault. */
export function nameFault(fault: Fault): string {
  if (fault.error !== undefined) return fault.error;
  if (fault.answer !== undefined) return `answer ${fault.answer.status}`;
  if (fault.cut !== undefined) return `cut ${fault.cut}`;
  return fault.hang === undefined ? 'delay' : `hang ${fault.hang}`;
}

function namedAnswer(service: Service, name: string): FaultAnswer {
  const found = NAMED_ERRORS[service]?.[name];
  if (found === undefined) {
    const known = Object.keys(NAMED_ERRORS[service] ?? {}).join(', ');
    throw new Error(`there is no error '${name}' of ${service}; there are: ${known}`);
  }
  return found;
}
