import type { TableColumn } from '../../rows/table-type.ts';
import { makeCreateTable } from '../../rows/create-table-sql.ts';
import { quoteNames } from '../../rows/sql-quoting.ts';
import { makeBucketPolicy, makeTrustPolicy, roleArn } from './aws-policies.ts';
import { makeDestinationResource } from './destination-resource.ts';
import { makeGrantStatement, makeWarehouseGrant, requiredGrants, type Mode } from './required-grants.ts';
import { quoteWord } from './shell-quoting.ts';

/** What the steps are made from. Names are checked by the caller. */
export interface SetupRequest {
  readonly mode: Mode;
  /** catalog, schema, table */
  readonly table: readonly [string, string, string];
  readonly columns: readonly TableColumn[];
  readonly viewName: string;
  readonly bucket: string;
  /** Of workspace and bucket: they must be in the same one. */
  readonly region: string;
  readonly awsAccountId: string;
  readonly roleName: string;
  readonly credentialName: string;
  readonly locationName: string;
  readonly clientId: string;
  readonly workspaceUrl: string;
  readonly workspaceId?: string;
  /** Used once by external-direct, to make its table. */
  readonly warehouseId: string;
  /** Only changes from then on: then nothing is staged. */
  readonly skipsInitialExport: boolean;
  readonly destinationId: string;
  readonly topic: string;
  readonly secretName: string;
  readonly kind: string;
  readonly profile: string;
}

/** One thing to do. */
export interface SetupStep {
  readonly title: string;
  /** What must be known to do it, as lines. */
  readonly notes: readonly string[];
  /** Shell commands; those of SQL call `run_sql`. Empty: only something to do by hand. */
  readonly commands: readonly string[];
}

/** While the role is made; Databricks tells the real one when the storage credential is made. */
const EXTERNAL_ID_PLACEHOLDER = '0000';
/** For managed tables (S4.8). Row tracking is what Zerobus and outside writers cannot serve. */
const MANAGED_PROPERTIES = {
  'delta.autoOptimize.optimizeWrite': 'true',
  'delta.autoOptimize.autoCompact': 'true',
  'delta.enableRowTracking': 'false',
};

/** Everything for one destination on AWS, in the order in which it must be done (S0.72 to S0.81). */
export function makeSetupSteps(request: SetupRequest): readonly SetupStep[] {
  const { mode, table, bucket, locationName } = request;
  const [catalog, schema] = table;
  const isExternal = mode === 'external-direct';
  const isStaged = !isExternal && !request.skipsInitialExport;
  const stagingSchema: readonly [string, string] = [catalog, `${schema}_staging`];
  const schemaStep = isExternal
    ? {
        title: 'Schema of the table, with a storage root',
        notes: ['Only a schema with a storage root of its own takes EXTERNAL USE SCHEMA; SQL cannot make one.'],
        commands: [
          `databricks schemas create ${quoteWord(schema)} ${quoteWord(catalog)} --storage-root ${quoteWord(`s3://${bucket}/target/`)}`,
        ],
      }
    : { title: 'Schema of the table', notes: [], commands: [sql(`CREATE SCHEMA ${quoteNames([catalog, schema])};`)] };
  const stagingStep = {
    title: 'Schema for the staging table of the initial export',
    notes: ['The storage root is not optional: without it the schema refuses EXTERNAL USE SCHEMA; SQL cannot make one.'],
    commands: [
      `databricks schemas create ${quoteWord(stagingSchema[1])} ${quoteWord(catalog)} --storage-root ${quoteWord(`s3://${bucket}/staging/`)}`,
    ],
  };
  const grants = requiredGrants(mode, {
    table,
    externalLocation: locationName,
    ...(isStaged ? { stagingSchema } : {}),
  });
  return [
    principalStep(request),
    bucketStep(request),
    roleStep(request),
    credentialStep(request),
    {
      title: 'External location at the root of the bucket',
      notes: [],
      commands: [
        `databricks external-locations create ${quoteWord(locationName)} ${quoteWord(`s3://${bucket}/`)} ${quoteWord(request.credentialName)}`,
      ],
    },
    {
      title: 'Catalog, with a storage root',
      notes: ['Without --storage-root its tables lie in default storage, which Zerobus refuses (error 4024).'],
      commands: [`databricks catalogs create ${quoteWord(catalog)} --storage-root ${quoteWord(`s3://${bucket}/managed/`)}`],
    },
    schemaStep,
    { title: 'Target table, with the columns of the view', notes: [], commands: [sql(makeTargetTable(request))] },
    ...(isStaged ? [stagingStep] : []),
    {
      title: 'Grants to the service principal',
      notes: ['Directly to it: Zerobus does not count groups, inheritance or ALL PRIVILEGES.'],
      commands: [
        ...grants.map((grant) => sql(makeGrantStatement(grant, request.clientId))),
        ...(isExternal ? [] : [makeWarehouseGrant(request.warehouseId, request.clientId)]),
      ],
    },
    destinationStep(request, isStaged),
  ];
}

function principalStep({ secretName, clientId }: SetupRequest): SetupStep {
  return {
    title: 'Service principal and its secret',
    notes: [
      `In Databricks: Settings → Identity and access → Service principals → Add, then Secrets → Generate secret (application id ${clientId}).`,
      `The secret is shown once. Put it into the file ${secretName} of SECRETS_DIR of the service.`,
      'Everything below runs as your own user, who owns the catalog; the service principal never logs in here.',
    ],
    commands: [],
  };
}

function bucketStep({ bucket, region }: SetupRequest): SetupStep {
  // AWS takes no LocationConstraint for us-east-1, and demands it for every other region (S0.73).
  const constraint = region === 'us-east-1' ? '' : ` --create-bucket-configuration LocationConstraint=${quoteWord(region)}`;
  return {
    title: 'Bucket, in the region of the workspace',
    notes: [],
    commands: [`aws s3api create-bucket --bucket ${quoteWord(bucket)} --region ${quoteWord(region)}${constraint}`],
  };
}

function roleStep({ roleName, bucket }: SetupRequest): SetupStep {
  const trust = JSON.stringify(makeTrustPolicy(EXTERNAL_ID_PLACEHOLDER));
  const policy = JSON.stringify(makeBucketPolicy(bucket));
  return {
    title: 'IAM role that Unity Catalog assumes',
    notes: [
      'Its trust policy gets the external id, and the role itself, in the next step: AWS refuses a role that does not exist yet.',
    ],
    commands: [
      `aws iam create-role --role-name ${quoteWord(roleName)} --assume-role-policy-document ${quoteWord(trust)}`,
      `aws iam wait role-exists --role-name ${quoteWord(roleName)}`,
      `aws iam put-role-policy --role-name ${quoteWord(roleName)} --policy-name s3-access --policy-document ${quoteWord(policy)}`,
    ],
  };
}

function credentialStep(request: SetupRequest): SetupStep {
  const { credentialName, roleName } = request;
  const arn = roleArn(request);
  const credential = JSON.stringify({ aws_iam_role: { role_arn: arn } });
  const trust = JSON.stringify(makeTrustPolicy('$external_id', arn));
  const role = quoteWord(roleName);
  return {
    title: 'Storage credential, and its external id in the trust policy',
    notes: [
      'AWS needs some seconds to spread the policy, so the validation is repeated for up to two minutes; no result that failed is success.',
    ],
    commands: [
      `external_id=$(databricks storage-credentials create ${quoteWord(credentialName)} --json ${quoteWord(credential)} --skip-validation | jq -r .aws_iam_role.external_id)`,
      `aws iam update-assume-role-policy --role-name ${role} --policy-document "$(echo ${quoteWord(trust)} | sed "s/\\$external_id/$external_id/")"`,
      'for attempt in $(seq 1 24); do',
      `  failed=$(databricks storage-credentials validate --storage-credential-name ${quoteWord(credentialName)} | jq '[.results[]? | select(.result == "FAIL")] | length')`,
      '  [ "$failed" = 0 ] && break',
      '  [ "$attempt" = 24 ] && { echo "the storage credential is not valid" >&2; exit 1; }',
      '  sleep 5',
      'done',
    ],
  };
}

/** The statement that makes the target table. */
export function makeTargetTable({
  mode,
  table,
  columns,
  bucket,
}: Pick<SetupRequest, 'mode' | 'table' | 'columns' | 'bucket'>): string {
  if (mode === 'external-direct') return makeCreateTable(table, columns, `s3://${bucket}/target/${table[2]}/`).trimEnd();
  const properties = Object.entries(MANAGED_PROPERTIES).map(([name, value]) => `  '${name}' = '${value}'`);
  return `${makeCreateTable(table, columns).trimEnd().replace(/;$/, '')}\nTBLPROPERTIES (\n${properties.join(',\n')}\n);`;
}

function destinationStep(request: SetupRequest, isStaged: boolean): SetupStep {
  const { workspaceId, bucket, table } = request;
  const resource = makeDestinationResource({
    ...request,
    ...(workspaceId === undefined ? {} : { workspaceId }),
    ...(isStaged ? { stagingTablePath: `s3://${bucket}/staging/${table[2]}/` } : {}),
  });
  return {
    title: 'The destination: check it, then POST it to /fhir/AidboxTopicDestination of Aidbox',
    notes: [],
    commands: [
      `cat > destination.json <<'JSON'\n${JSON.stringify(resource, undefined, 2)}\nJSON`,
      'echo "now: npm run doctor -- destination.json"',
    ],
  };
}

/** The statement in a here-document: nothing in it means anything to the shell. */
function sql(statement: string): string {
  return `run_sql <<'SQL'\n${statement}\nSQL`;
}
