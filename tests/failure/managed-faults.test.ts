import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ERRORS, type ErrorCode } from '../../app/errors/catalogue.ts';
import { systemClock, type Clock } from '../../app/lib/clock.ts';
import { eventually } from '../helpers/eventually.ts';
import { startServiceUnderTest, type ServiceUnderTest } from '../helpers/service-under-test.ts';
import { MANAGED_MODES, startWorkspace, type ManagedMode, type WorkspaceUnderTest } from '../helpers/workspace-under-test.ts';
import type { Fault } from '../lab/databricks/faults.ts';
import { readRows } from '../lab/databricks/warehouse/interpreter/read-table.ts';
import { LIVE, STATEMENTS, TOKENS, type Action, type FaultCase } from './helpers/databricks-taxonomy.ts';

/** Pauses are shortened, so that a minute of waiting for a person is over at once; time-outs are not. */
const clock: Clock = {
  ...systemClock,
  sleep: (ms, signal) => systemClock.sleep(ms < 100_000 ? Math.min(ms, 20) : ms, signal),
};
const TIMEOUT_MS = 240_000;

const VIEW = {
  name: 'patient_faults',
  resource: 'Patient',
  select: [
    {
      column: [
        { name: 'id', path: 'getResourceKey()', type: 'id' },
        { name: 'ts', path: 'meta.lastUpdated', type: 'instant' },
      ],
    },
  ],
};
const COLUMNS = [
  ['id', 'STRING'],
  ['ts', 'TIMESTAMP'],
  ['is_deleted', 'INT'],
] as const;

interface LogLine {
  readonly event: string;
  readonly destination?: string;
  readonly code?: ErrorCode;
  readonly message?: string;
  readonly action?: string;
}

/** One line of the report: what was injected where, and what came of it. */
const report: { readonly phase: string; readonly error: string; readonly outcome: string }[] = [];

describe('each error of the taxonomy (contract §7)', () => {
  let workspace: WorkspaceUnderTest;
  let service: ServiceUnderTest;
  let patients = 0;
  let logged = 0;

  beforeAll(async () => {
    workspace = await startWorkspace();
    service = await startServiceUnderTest({ env: { ...workspace.env, VIEW_REFRESH_MS: '100' }, parts: { clock } });
    for (const mode of MANAGED_MODES) {
      workspace.createTable(tableOf(mode), COLUMNS);
      await createDestination(mode, mode);
    }
  }, TIMEOUT_MS);
  afterAll(async () => {
    process.stderr.write(`${formatReport()}\n`);
    await service.close();
    await workspace.close();
  }, TIMEOUT_MS);

  const tableOf = (mode: ManagedMode): string => mode.replace('-', '_');

  function createDestination(mode: ManagedMode, id: string): Promise<void> {
    const parameters = workspace.parameters(mode, `main.fhir.${tableOf(mode)}`);
    return service.createDestination({ id, view: VIEW, parameters, batchSize: 20, sendIntervalMs: 10 });
  }

  /** Lines of the log since the last call. */
  function newLines(): LogLine[] {
    const text = readFileSync(join(service.dir, 'service.log'), 'utf8');
    const fresh = text.slice(logged, text.lastIndexOf('\n') + 1);
    logged += fresh.length;
    return fresh
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as LogLine);
  }

  /** Lines about deliveries that failed, of one destination. */
  function failuresOf(destination: string): LogLine[] {
    return newLines().filter(
      (line) => line.destination === destination && ['delivery.failed', 'delivery.blocked'].includes(line.event),
    );
  }

  async function writePatient(): Promise<string> {
    const id = `p-${(patients += 1)}`;
    await service.api.call('PUT', `/fhir/Patient/${id}`, { body: { resourceType: 'Patient', id } });
    return id;
  }

  /** Patients whose rows are counted when all faults of a phase have struck. */
  let written: { readonly mode: ManagedMode; readonly fault: FaultCase; readonly patient: string }[] = [];

  /** Nothing is lost, nothing is doubled whose outcome was known. */
  async function checkRows(): Promise<void> {
    await workspace.lab.writeAheadLog.settle();
    for (const mode of MANAGED_MODES) {
      const rows = await readRows(workspace.lab.registry.table(`main.fhir.${tableOf(mode)}`).delta!);
      const ids = rows.map((row) => row['id']);
      for (const { fault, patient } of written.filter((each) => each.mode === mode)) {
        const count = ids.filter((id) => id === patient).length;
        const expected = fault.action === 'quarantine' ? 0 : 1;
        const isRight = fault.mayRepeat === true ? count >= expected : count === expected;
        expect({ mode, error: fault.error, count, isRight }).toMatchObject({ isRight: true });
      }
    }
    written = [];
  }

  /** The class's action was taken, and what was said names cause and cure. */
  function check(phase: string, mode: ManagedMode, fault: FaultCase, lines: readonly LogLine[], quarantined: number): void {
    const action: Action = quarantined > 0 ? 'quarantine' : lines.length === 0 ? 'none' : toAction(lines[0]!);
    const said = lines[0]?.code;
    report.push({ phase: `${phase} ${mode}`, error: fault.error, outcome: said === undefined ? action : `${action} (${said})` });
    expect({ phase, error: fault.error, said, action }).toEqual({ phase, error: fault.error, said, action: fault.action });
    for (const { message, action: cure } of lines) {
      expect(message).toMatch(/\S{3,}/);
      expect(cure).toMatch(/\S{3,}/);
    }
  }

  function toAction({ code }: LogLine): Action {
    return ERRORS[code!].retry === 'later' ? 'retry' : 'stop';
  }

  async function withFault(fault: Fault, during: () => Promise<void>): Promise<void> {
    newLines();
    workspace.lab.faults.add(fault);
    try {
      await during();
    } finally {
      workspace.lab.faults.clear();
    }
  }

  it(
    'is answered by its action while rows are sent by Zerobus',
    async () => {
      for (const fault of LIVE) {
        const before = Number((await service.status('managed-zerobus'))['messagesQuarantined']);
        let patient = '';
        await withFault({ service: 'zerobus', count: fault.count ?? 2, ...fault.fault }, async () => {
          patient = await writePatient();
          await service.waitForDelivery(MANAGED_MODES);
        });
        const quarantined = Number((await service.status('managed-zerobus'))['messagesQuarantined']) - before;
        check('live', 'managed-zerobus', fault, failuresOf('managed-zerobus'), quarantined);
        written.push({ mode: 'managed-zerobus', fault, patient });
      }
      await checkRows();
    },
    TIMEOUT_MS,
  );

  it(
    'is answered by its action while rows are sent by statements',
    async () => {
      for (const fault of STATEMENTS) {
        const before = Number((await service.status('managed-sql'))['messagesQuarantined']);
        let patient = '';
        // The second statement of a refused batch reads the columns; it must pass.
        const count = fault.action === 'quarantine' ? 1 : (fault.count ?? 2);
        await withFault({ service: 'warehouse', path: 'ExecuteStatement', count, ...fault.fault }, async () => {
          patient = await writePatient();
          await service.waitForDelivery(MANAGED_MODES);
        });
        const quarantined = Number((await service.status('managed-sql'))['messagesQuarantined']) - before;
        check('live', 'managed-sql', fault, failuresOf('managed-sql'), quarantined);
        written.push({ mode: 'managed-sql', fault, patient });
      }
      await checkRows();
    },
    TIMEOUT_MS,
  );

  it(
    'is answered by its action while a new token is asked for',
    async () => {
      for (const fault of TOKENS) {
        let patient = '';
        await withFault({ service: 'token', count: fault.count ?? 2, ...fault.fault }, async () => {
          workspace.lab.tokens.expireAll();
          patient = await writePatient();
          await service.waitForDelivery(MANAGED_MODES);
        });
        const lines = newLines().filter(({ event }) => event === 'delivery.failed' || event === 'delivery.blocked');
        check('token', 'managed-zerobus', fault, lines, 0);
        for (const mode of MANAGED_MODES) written.push({ mode, fault, patient });
      }
      await checkRows();
    },
    TIMEOUT_MS,
  );

  it(
    'is answered by its action while the table is opened',
    async () => {
      const faults = STATEMENTS.filter(({ isOfRows }) => isOfRows !== true);
      for (const [index, fault] of faults.entries()) {
        let patient = '';
        const statements = workspace.lab.warehouse.statements.length;
        // Two destinations open their tables at the same time; each has a second try with a new token.
        const count = fault.count ?? 2 * MANAGED_MODES.length;
        await withFault({ service: 'warehouse', path: 'ExecuteStatement', count, ...fault.fault }, async () => {
          await toggleView(index); // both destinations end their tenure, and open their tables for the new view
          await eventually(() => {
            const opened = workspace.lab.warehouse.statements
              .slice(statements)
              .filter(({ text }) => text.includes('information_schema'));
            expect(opened.filter(({ wasExecuted }) => wasExecuted).length).toBeGreaterThanOrEqual(MANAGED_MODES.length);
          });
          patient = await writePatient();
          await service.waitForDelivery(MANAGED_MODES);
        });
        const lines = newLines().filter(({ event }) => event === 'delivery.failed' || event === 'delivery.blocked');
        check('open', 'managed-zerobus', fault, lines, 0);
        for (const mode of MANAGED_MODES) written.push({ mode, fault: { ...fault, mayRepeat: false }, patient });
      }
      await checkRows();
    },
    TIMEOUT_MS,
  );

  it(
    'is told at create with cause and cure, and leaves nothing behind',
    async () => {
      const cases: readonly (readonly [string, Fault, FaultCase])[] = [
        ...TOKENS.map((fault) => ['create: token', { service: 'token', ...fault.fault }, fault] as const),
        ...STATEMENTS.filter(({ isOfRows }) => isOfRows !== true).map(
          (fault) => ['create: statement', { service: 'warehouse', path: 'ExecuteStatement', ...fault.fault }, fault] as const,
        ),
      ];
      for (const [phase, armed, fault] of cases) {
        if (armed.service === 'token') workspace.lab.tokens.expireAll();
        let answered: { status: number; body: unknown } | undefined;
        await withFault({ ...armed, count: fault.action === 'none' ? 1 : null }, async () => {
          answered = await tryCreate();
        });
        const { status, body } = answered!;
        report.push({ phase, error: fault.error, outcome: `${status} ${codeIn(body)}` });
        if (fault.action === 'none' || fault.createsAnyway === true) {
          expect({ error: fault.error, status }).toEqual({ error: fault.error, status: 201 });
          await service.api.call('DELETE', '/fhir/AidboxTopicDestination/late');
          continue;
        }
        expect({ error: fault.error, status: status >= 500 ? 'later' : 'refused' }).toEqual({
          error: fault.error,
          status: fault.action === 'retry' ? 'later' : 'refused',
        });
        const code = codeIn(body);
        expect(Object.keys(ERRORS)).toContain(code);
        expect(JSON.stringify(body)).toContain(ERRORS[code].action.slice(0, 40));
        await service.api.call('GET', '/fhir/AidboxTopicDestination/late', { expected: [404, 410] });
      }
    },
    TIMEOUT_MS,
  );

  async function tryCreate(): Promise<{ status: number; body: unknown }> {
    const parameters = Object.entries(workspace.parameters('managed-zerobus', 'main.fhir.managed_zerobus'));
    const body = {
      resourceType: 'AidboxTopicDestination',
      id: 'late',
      topic: 'http://example.org/subscriptions/managed-zerobus',
      kind: 'data-lakehouse-at-least-once',
      parameter: [
        ...parameters.map(([name, valueString]) => ({ name, valueString })),
        { name: 'viewDefinition', valueString: VIEW.name },
        { name: 'batchSize', valueUnsignedInt: 20 },
        { name: 'sendIntervalMs', valueUnsignedInt: 100 },
        { name: 'skipInitialExport', valueBoolean: true },
      ],
    };
    const expected = [201, 400, 401, 403, 404, 409, 422, 500, 502, 503, 504];
    return service.api.call('POST', '/fhir/AidboxTopicDestination', { body, expected });
  }

  /** Gives the view another form, with the same columns in the table. */
  async function toggleView(round: number): Promise<void> {
    const body = { resourceType: 'ViewDefinition', status: 'active', id: VIEW.name, ...VIEW, title: `round ${round}` };
    await service.api.call('PUT', `/fhir/ViewDefinition/${VIEW.name}`, { body });
  }
});

function codeIn(body: unknown): ErrorCode {
  const found = /"code":"([A-Z]+_[A-Z_]+)"/.exec(JSON.stringify(body ?? ''));
  return (found?.[1] ?? '') as ErrorCode;
}

function formatReport(): string {
  const widths = [Math.max(...report.map(({ phase }) => phase.length)), Math.max(...report.map(({ error }) => error.length))];
  return report
    .map(({ phase, error, outcome }) => `${phase.padEnd(widths[0]!)}  ${error.padEnd(widths[1]!)}  ${outcome}`)
    .join('\n');
}
