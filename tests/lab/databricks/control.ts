import type { Fault } from './faults.ts';
import type { LabRequest, Reply } from './http/server.ts';
import type { Service } from './journal.ts';
import type { DatabricksLab } from './lab.ts';
import { fillSwitches } from './options.ts';
import { applySetup, type LabSetup } from './setup.ts';
import { fillWarehouseSwitches } from './warehouse/options.ts';

/**
 * `/_lab/…`, for tests in another process:
 * `GET journal?service=&after=` · `GET totals` · `GET faults` · `POST faults` (a Fault) → `{id}` · `DELETE faults` · `PATCH switches` ·
 * `POST setup` (setup.ts) · `POST expire-tokens` · `POST settle` · `GET statements` (of the warehouses) · `PATCH warehouse-switches` ·
 * `POST expire-sessions`.
 */
export async function answerControl(lab: DatabricksLab, request: LabRequest): Promise<Reply> {
  const call = `${request.method} ${request.path.slice('/_lab/'.length)}`;
  try {
    const body = await act(lab, call, request);
    return body === undefined ? { status: 404 } : { status: 200, body: JSON.stringify(body) };
  } catch (error) {
    return { status: 400, body: JSON.stringify({ message: error instanceof Error ? error.message : String(error) }) };
  }
}

async function act(lab: DatabricksLab, call: string, request: LabRequest): Promise<object | undefined> {
  const json = (): unknown => JSON.parse(request.body?.toString('utf8') ?? '');
  const { query } = request;
  switch (call) {
    case 'GET journal': {
      const service = query.get('service');
      return lab.journal.entries({
        after: Number(query.get('after') ?? 0),
        ...(service !== null && { service: service as Service }),
      });
    }
    case 'GET totals': {
      const accepted = Object.fromEntries(lab.writeAheadLog.accepted);
      return {
        ...lab.journal.totals,
        mark: lab.journal.mark,
        tokens: lab.tokens.count,
        accepted,
        stuck: lab.writeAheadLog.stuck,
      };
    }
    case 'GET faults':
      return lab.faults.list;
    case 'POST faults':
      return { id: lab.faults.add(json() as Fault) };
    case 'DELETE faults':
      lab.faults.clear();
      return {};
    case 'PATCH switches': {
      const changes = json() as Partial<DatabricksLab['switches']>;
      fillSwitches(changes); // refuses unknown names
      return Object.assign(lab.switches, changes);
    }
    case 'POST setup':
      await applySetup(lab, json() as LabSetup);
      return {};
    case 'POST expire-tokens':
      lab.tokens.expireAll();
      return {};
    case 'GET statements':
      return lab.warehouse.statements;
    case 'PATCH warehouse-switches': {
      const changes = json() as Partial<DatabricksLab['warehouse']['switches']>;
      fillWarehouseSwitches(changes); // refuses unknown names
      return Object.assign(lab.warehouse.switches, changes);
    }
    case 'POST expire-sessions':
      lab.warehouse.expireSessions();
      return {};
    case 'POST settle':
      await lab.writeAheadLog.settle();
      return { stuck: lab.writeAheadLog.stuck };
    default:
      return undefined;
  }
}
