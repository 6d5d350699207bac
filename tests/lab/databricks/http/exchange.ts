import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from '../errors.ts';
import { answerOf, nameFault, type FaultAnswer, type Faults } from '../faults.ts';
import type { Journal, NewEntry, Service } from '../journal.ts';
import type { LabRequest, Reply } from './server.ts';

/** What a service learnt about the caller and the content while it answered. */
export interface Findings {
  rows?: number;
  principal?: string;
  token?: number;
  tokenKind?: 'plain' | 'zerobus' | 'personal';
}

export type Handler = (request: LabRequest, findings: Findings) => Answer | Promise<Answer>;

/** Answer a request with the fault that strikes it, if one does, and write it into the journal. */
export async function exchange(
  { faults, journal }: { readonly faults: Faults; readonly journal: Journal },
  service: Service,
  request: LabRequest,
  latencyMs: number,
  handler: Handler,
): Promise<Reply> {
  const startedMs = performance.now();
  const { method, path, requestBytes } = request;
  const fault = faults.take(service, method, path);
  const findings: Findings = {};
  const finish = (status: number, error?: string): void => {
    const entry: NewEntry = {
      ...{ atMs: Date.now(), service, method, path, status, requestBytes, durationMs: performance.now() - startedMs },
      ...findings,
      ...(fault && { fault: nameFault(fault) }),
      ...(error !== undefined && { error }),
    };
    journal.add(entry);
  };
  const replaced = fault && answerOf(fault);
  if (fault !== undefined && (fault.cut === 'before' || fault.hang === 'before')) {
    finish(0);
    return fault.cut === 'before' ? 'cut' : 'hang';
  }
  if (replaced !== undefined && fault?.afterEffect !== true) {
    finish(replaced.status);
    return toReply(replaced);
  }
  const answer = await handler(request, findings);
  const pauseMs = latencyMs + (fault?.delayMs ?? 0);
  if (pauseMs > 0) await sleep(pauseMs);
  if (fault?.cut === 'after' || fault?.hang === 'after') {
    finish(0);
    return fault.cut === 'after' ? 'cut' : 'hang';
  }
  if (replaced !== undefined) {
    finish(replaced.status);
    return toReply(replaced);
  }
  finish(answer.status, answer.error);
  return answer;
}

function toReply({ status, headers, body }: FaultAnswer): Reply {
  const text = typeof body === 'object' ? JSON.stringify(body) : body;
  const type: Record<string, string> = typeof body === 'string' ? { 'content-type': 'text/plain' } : {};
  return { status, headers: { ...type, ...headers }, ...(text !== undefined && { body: text }) };
}
