import { renderSetup } from '../../databricks/setup/render-setup.ts';
import { DESTINATION_KIND, DESTINATION_PROFILE } from '../../destinations/destination.ts';
import { readViewFile } from '../../flatten/view-file.ts';
import { reportView } from '../../flatten/view-report.ts';
import { systemColumns } from '../../rows/row-encoder.ts';
import { tableColumnsForView } from '../../rows/table-schema.ts';
import { readWords, WrongWords, type Words } from '../words.ts';
import { readFormed, readMode, readName, readPrincipal, readTableName, readWarehouse } from './checked-words.ts';

export const SETUP_USAGE = `npm run setup:databricks -- --print --mode managed-zerobus|managed-sql|external-direct --table CATALOG.SCHEMA.TABLE --view FILE
                      --bucket NAME --region REGION --aws-account ID --principal CLIENT_ID --warehouse ID --workspace-url URL [--workspace-id ID]
                      [--skip-initial-export] [--system-columns] [--role NAME] [--credential NAME] [--external-location NAME] [--destination ID] [--topic URL] [--secret NAME]`;

const TEXTS = [
  ...['mode', 'table', 'view', 'bucket', 'region', 'aws-account', 'principal', 'warehouse', 'workspace-url', 'workspace-id'],
  ...['role', 'credential', 'external-location', 'destination', 'topic', 'secret'],
];

/** Prints the steps that set a workspace up; runs nothing. @throws WrongWords, ViewFileInvalid, AppError DATA_FILE_UNREADABLE */
export async function setupCommand(
  args: readonly string[],
  print: (text: string) => void,
  complain: (line: string) => void,
): Promise<number> {
  const words = readWords(args, { texts: TEXTS, flags: ['print', 'skip-initial-export', 'system-columns'] });
  if (words.positionals.length > 0) throw new WrongWords('setup takes options only');
  if (!words.flag('print')) throw new WrongWords('setup only prints what to run: add --print');
  const request = readRequest(words);
  const path = words.required('view');
  const { problems, view } = reportView(await readViewFile(path));
  for (const problem of problems) complain(`${path}:${problem}`);
  if (view === undefined) return 1;
  const destinationId = readName(words, 'destination', view.name.replaceAll('_', '-'));
  print(
    renderSetup({
      ...request,
      columns: [...tableColumnsForView(view), ...(words.flag('system-columns') ? systemColumns() : [])],
      viewName: view.name,
      destinationId,
    }),
  );
  return 0;
}

function readRequest(words: Words): Omit<Parameters<typeof renderSetup>[0], 'columns' | 'viewName' | 'destinationId'> {
  const mode = readMode(words);
  const workspaceId =
    mode === 'managed-zerobus'
      ? { workspaceId: readFormed(words, 'workspace-id', /^\d{1,20}$/, 'the number behind ?o= in the address of the workspace') }
      : {};
  const table = readTableName(words);
  const unfit = [...table].find((name) => !/^[A-Za-z0-9_]+$/.test(name));
  if (mode === 'managed-zerobus' && unfit !== undefined)
    throw new WrongWords('--table: Zerobus takes names of ASCII letters, digits and underscores only');
  const region = readFormed(words, 'region', /^[a-z]{2,}(-[a-z]+)+-\d$/, 'a region of AWS such as us-east-1');
  if (/^(us-gov|cn)-/.test(region))
    throw new WrongWords(
      '--region: GovCloud and China have other roles of Databricks; see its documentation for the trust policy',
    );
  return {
    mode,
    table,
    region,
    bucket: readFormed(words, 'bucket', /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'the name of a bucket'),
    awsAccountId: readFormed(
      words,
      'aws-account',
      /^\d{12}$/,
      'your account of AWS, twelve digits (aws sts get-caller-identity)',
    ),
    roleName: readName(words, 'role', 'aidbox-lakehouse'),
    credentialName: readName(words, 'credential', 'aidbox_lakehouse'),
    locationName: readName(words, 'external-location', 'aidbox_lakehouse'),
    clientId: readPrincipal(words),
    workspaceUrl: readFormed(
      words,
      'workspace-url',
      /^https:\/\/[A-Za-z0-9.-]+$/,
      'https://<workspace host> and nothing behind it',
    ),
    ...workspaceId,
    warehouseId: readWarehouse(words),
    skipsInitialExport: words.flag('skip-initial-export'),
    topic: words.text('topic') ?? 'http://example.org/subscriptions/patient-updates',
    secretName: readName(words, 'secret', 'databricks-client-secret'),
    kind: DESTINATION_KIND,
    profile: DESTINATION_PROFILE,
  };
}
