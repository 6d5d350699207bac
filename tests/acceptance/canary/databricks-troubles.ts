import { PRINCIPAL } from '../../helpers/workspace-under-test.ts';
import type { Fault } from '../../lab/databricks/faults.ts';
import { makeRequest, type Failure } from './failures.ts';
import { NAME, SECRETS, type Stage } from './stage.ts';

/** A fault strikes once while a canary is on its way; all of it arrives afterwards. */
const during =
  (destination: string, fault: Fault, event: string) =>
  async (stage: Stage): Promise<void> => {
    const from = await stage.logLength();
    const before = Number((await stage.service.status(destination))['messagesCommitted']);
    stage.workspace.lab.faults.add(fault);
    if (fault.service === 'token') stage.workspace.lab.tokens.expireAll();
    await stage.send(destination);
    await stage.waitForLog({ event, destination }, from);
    stage.workspace.lab.faults.clear();
    await stage.waitForStatus(destination, 'messagesCommitted', before + 1);
  };

/** A canary that the other side refuses goes to quarantine; its answer quotes it. */
const refused =
  (destination: string, fault: Fault) =>
  async (stage: Stage): Promise<void> => {
    const before = Number((await stage.service.status(destination))['messagesQuarantined']);
    stage.workspace.lab.faults.add(fault);
    await stage.send(destination);
    await stage.waitForStatus(destination, 'messagesQuarantined', before + 1);
  };

const quoting = (message: string, status = 400): Fault['answer'] => ({
  status,
  body: { error_code: 'INVALID_PARAMETER_VALUE', message: `${message} ${NAME} Error Code: 4044, Error State: 3.` },
});

function onDatabricks(parameters: readonly object[]): object {
  const request = makeRequest('refused', parameters) as { parameter: { name: string }[] };
  const [, ...given] = request.parameter; // without writeMode external-direct
  return { ...request, parameter: given.filter(({ name }) => name !== 'createTable') };
}

/** Databricks quotes rows and complains of secrets. */
export const DATABRICKS_TROUBLES: readonly Failure[] = [
  {
    what: 'a row that Zerobus refuses and quotes',
    provoke: refused('managed-zerobus', { service: 'zerobus', answer: quoting('Record decoder/encoder error: invalid value')! }),
  },
  {
    what: 'a row that the warehouse refuses',
    provoke: refused('managed-sql', { service: 'warehouse', path: 'ExecuteStatement', error: 'CAST_INVALID_INPUT' }),
  },
  {
    what: 'an outage of Zerobus that quotes a row',
    provoke: during('managed-zerobus', { service: 'zerobus', answer: quoting('busy with', 503)! }, 'delivery.failed'),
  },
  {
    what: 'a workspace that refuses the secret',
    provoke: during('managed-zerobus', { service: 'token', error: '503' }, 'delivery.failed'),
  },
  {
    what: 'a cut statement',
    provoke: during('managed-sql', { service: 'warehouse', path: 'ExecuteStatement', cut: 'before' }, 'delivery.failed'),
  },
  {
    what: 'creates whose secret the workspace refuses',
    async provoke(stage) {
      const parameters = stage.workspace.parameters('managed-zerobus', 'main.fhir.managed_zerobus');
      const wrongs: readonly Readonly<Record<string, string>>[] = [
        { databricksClientSecret: SECRETS.misplaced },
        { databricksClientId: PRINCIPAL.secret },
      ];
      for (const wrong of wrongs) {
        const given = Object.entries({ ...parameters, ...wrong }).map(([name, valueString]) => ({ name, valueString }));
        await stage.call('POST', '/fhir/AidboxTopicDestination', onDatabricks(given), 422);
      }
    },
  },
];
