import { readFile, stat } from 'node:fs/promises';
import { loadDatabricksEnvironment, readAuthorities } from '../../config/databricks-environment.ts';
import { readProxyEnvironment } from '../../config/proxy-environment.ts';
import { ALL_CHECKS } from '../../databricks/doctor/all-checks.ts';
import { Examination } from '../../databricks/doctor/examination.ts';
import { describeResult, summarize } from '../../databricks/doctor/report.ts';
import { isReady, runChecks } from '../../databricks/doctor/run-checks.ts';
import type { DoctorTarget, DoctorView } from '../../databricks/doctor/target.ts';
import { makeHttpClient } from '../../databricks/http-client.ts';
import { isDestinationId } from '../../destinations/destination-request.ts';
import { readViewFile } from '../../flatten/view-file.ts';
import { reportView } from '../../flatten/view-report.ts';
import { systemClock } from '../../lib/clock.ts';
import { asObject } from '../../lib/json.ts';
import { makeLogger, type Logger } from '../../log.ts';
import { compileView } from '../../view/compile-view.ts';
import { readWords, WrongWords } from '../words.ts';
import { makeDoctorView } from './doctor-view.ts';
import { readStoredTarget, readTarget } from './read-target.ts';
import { findStoredDestination } from './stored-destination.ts';
import { makeWarehouseUse } from './use-warehouse.ts';

export const DOCTOR_USAGE = `npm run doctor -- DESTINATION|FILE [--view FILE] [--all] [--json] [--without-warehouse]
                      DESTINATION: id of one in Aidbox, with the environment of the service; FILE: an AidboxTopicDestination as JSON,
                      with its secrets inline, in SECRETS_DIR, or in DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET.
                      It writes no rows. It starts the SQL warehouse, unless --without-warehouse.`;

/** Looks whether a workspace is ready for a destination. @returns 0 when nothing is missing, else 1. @throws WrongWords, ViewFileInvalid, AppError */
export async function doctorCommand(
  args: readonly string[],
  print: (text: string) => void,
  complain: (line: string) => void,
): Promise<number> {
  const words = readWords(args, { texts: ['view'], flags: ['all', 'json', 'without-warehouse'] });
  const [subject, ...rest] = words.positionals;
  if (subject === undefined || rest.length > 0) throw new WrongWords('doctor takes one DESTINATION or FILE');
  const log = makeLogger('error', (line) => complain(line.trimEnd()));
  const view = await readView(words.text('view'), complain);
  if (view === 'unusable') return 1;
  const target = await findTarget(subject, view, log);
  if (target === undefined) {
    complain(`there is no destination ${subject} of this product`);
    return 1;
  }
  if (target.workspaceUrl === undefined && target.mode === 'external-direct' && target.problems.length === 0) {
    complain(
      'the destination has no databricksWorkspaceUrl: it writes to plain storage, and there is nothing to look for in Databricks',
    );
    return 1;
  }
  const authorities = await readAuthorities(loadDatabricksEnvironment().CA_FILE);
  const environment = readProxyEnvironment();
  const http = makeHttpClient({ ...authorities, environment });
  const shared = { ...authorities, environment, clock: systemClock, log };
  const isJson = words.flag('json');
  try {
    const examination = new Examination({
      target,
      http,
      clock: systemClock,
      ...(words.flag('without-warehouse') ? {} : { useWarehouse: makeWarehouseUse(shared) }),
    });
    const results = await runChecks(ALL_CHECKS, examination, {
      all: words.flag('all'),
      onResult: (result) => (isJson ? undefined : print(`${describeResult(result)}\n`)),
    });
    const ready = isReady(results);
    print(
      isJson ? `${JSON.stringify({ ready, checks: results }, undefined, 2)}\n` : `${summarize(results, words.flag('all'))}\n`,
    );
    return ready ? 0 : 1;
  } finally {
    await http.close();
  }
}

async function findTarget(subject: string, view: DoctorView | undefined, log: Logger): Promise<DoctorTarget | undefined> {
  const isFile = (await stat(subject).catch(() => undefined))?.isFile() === true;
  if (isFile) return readTarget(await readResource(subject), loadDatabricksEnvironment(), view);
  if (!isDestinationId(subject) || subject.endsWith('.json')) throw new WrongWords(`there is no file ${subject}`);
  const destination = await findStoredDestination(subject, log);
  if (destination === undefined) return undefined;
  const stored = view ?? makeDoctorView(compileView(destination.viewDefinition));
  return readStoredTarget(destination, loadDatabricksEnvironment(), stored);
}

async function readResource(path: string): Promise<Readonly<Record<string, unknown>>> {
  let json: unknown;
  try {
    json = JSON.parse((await readFile(path, 'utf8')).replace(/^\ufeff/, ''));
  } catch {
    throw new WrongWords(`${path} is not JSON`); // what the parser says may quote a secret
  }
  const resource = asObject(json);
  if (resource === undefined) throw new WrongWords(`${path} holds no JSON object`);
  return resource;
}

async function readView(
  path: string | undefined,
  complain: (line: string) => void,
): Promise<DoctorView | undefined | 'unusable'> {
  if (path === undefined) return undefined;
  const { problems, view } = reportView(await readViewFile(path));
  for (const problem of problems) complain(`${path}:${problem}`);
  return view === undefined ? 'unusable' : makeDoctorView(view);
}
