import { readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { SETTINGS } from '../app/config/config.ts';
import { ALL_CHECKS } from '../app/databricks/doctor/all-checks.ts';
import { MODES, requiredGrants } from '../app/databricks/setup/required-grants.ts';
import type { ParameterRule, Presence, Variant } from '../app/destinations/parameter-rule.ts';
import { PARAMETER_RULES } from '../app/destinations/parameter-rules.ts';
import { AIDBOX_ERRORS } from '../app/errors/aidbox.ts';
import { DATABRICKS_ERRORS } from '../app/errors/databricks.ts';
import { DELIVERY_ERRORS } from '../app/errors/delivery.ts';
import { DELTA_ERRORS } from '../app/errors/delta.ts';
import { DESTINATION_ERRORS } from '../app/errors/destination.ts';
import type { ErrorEntry } from '../app/errors/entry.ts';
import { QUEUE_ERRORS } from '../app/errors/queue.ts';
import { SERVICE_ERRORS } from '../app/errors/service.ts';
import { STORAGE_ERRORS } from '../app/errors/storage.ts';
import { VIEW_ERRORS } from '../app/errors/view.ts';
import { WAREHOUSE_ERRORS } from '../app/errors/warehouse.ts';
import { makeMetrics } from '../app/metrics.ts';

/**
 * Makes the parts of docs/ that the code knows best: `npm run docs`. With `--check` nothing is written, and the exit code is 1 when a file
 * is not what it would be.
 */

export const DOCS_DIRECTORY = fileURLToPath(new URL('../docs/', import.meta.url));

/** The catalogue by area, in the order of the page. */
export const ERROR_AREAS: readonly { readonly title: string; readonly errors: Readonly<Record<string, ErrorEntry>> }[] = [
  { title: 'The program', errors: SERVICE_ERRORS },
  { title: 'Aidbox', errors: AIDBOX_ERRORS },
  { title: 'Destinations', errors: DESTINATION_ERRORS },
  { title: 'Views and their match with the table', errors: VIEW_ERRORS },
  { title: 'The queue store', errors: QUEUE_ERRORS },
  { title: 'Delivery', errors: DELIVERY_ERRORS },
  { title: 'Delta tables', errors: DELTA_ERRORS },
  { title: 'Storage', errors: STORAGE_ERRORS },
  { title: 'Databricks: tokens, Zerobus, Unity Catalog', errors: DATABRICKS_ERRORS },
  { title: 'Databricks SQL warehouses', errors: WAREHOUSE_ERRORS },
];

const TABLES: Readonly<Record<string, () => string>> = {
  settings: settingsTable,
  parameters: parametersTable,
  metrics: metricsTable,
  grants: grantsTable,
  checks: checksTable,
};
/** Pages by hand that hold generated tables. */
const PAGES_WITH_TABLES = ['configuration.md', 'databricks.md', 'operations.md'];

/** Every file of docs/ that is made or completed here, by name, with the content that it should have. @throws Error for a marker of an unknown table */
export async function makeDocs(directory = DOCS_DIRECTORY): Promise<ReadonlyMap<string, string>> {
  const docs = new Map([['errors.md', makeErrorsPage()]]);
  for (const name of PAGES_WITH_TABLES) docs.set(name, fillTables(await readFile(join(directory, name), 'utf8')));
  return docs;
}

export function makeErrorsPage(): string {
  const sections = ERROR_AREAS.map(({ title, errors }) => {
    const entries = Object.entries(errors).map(
      ([code, { retry, meaning, action }]) => `### ${code}\n\n${meaning}\n\n- Retry: ${retry}\n- Do: ${action}\n`,
    );
    return `## ${title}\n\n${entries.join('\n')}`;
  });
  return `# Errors

Made from \`app/errors/\` by \`npm run docs\`; do not edit.

Each error has a code, which never changes its meaning. Where you meet it: in the log (\`code\`), in an OperationOutcome (\`details.coding\`, system
\`urn:aidbox-data-lakehouse:error\`), in \`$status\` (\`lastErrorDetail\`, \`problem\`) and in a quarantine entry. The message beside the code says what was
found and what was expected.

Retry *later*: the service tries again by itself. Retry *never*: it waits for a person; a destination that meets such an error while it delivers is
blocked and looks again once a minute.

${sections.join('\n')}`;
}

/** Puts each table between its markers, `<!-- table: name -->` and `<!-- end of table -->`; the text around stays. */
function fillTables(page: string): string {
  return page.replace(
    /(<!-- table: (\w+) -->\n)[^]*?(<!-- end of table -->)/g,
    (_whole, begin: string, name: string, end: string) => {
      const make = TABLES[name];
      if (make === undefined)
        throw new Error(`found the marker of a table "${name}", expected one of ${Object.keys(TABLES).join(', ')}`);
      return `${begin}\n${make()}\n${end}`;
    },
  );
}

function settingsTable(): string {
  const rows = Object.entries(SETTINGS).map(([name, schema]) => [
    `\`${name}\``,
    defaultOf(schema),
    allowedIn(schema),
    schema.description ?? '',
  ]);
  return makeTable(['variable', 'default', 'allowed', 'meaning'], rows);
}

function defaultOf(schema: z.ZodType): string {
  const absent = schema.safeParse(undefined);
  if (!absent.success) return '**required**';
  return absent.data === undefined ? '–' : `\`${typeof absent.data === 'string' ? absent.data : JSON.stringify(absent.data)}\``;
}

/** The values that a setting takes, as far as they are numbers or names. */
function allowedIn(schema: z.ZodType): string {
  const { enum: names, minimum, maximum } = z.toJSONSchema(schema, { unrepresentable: 'any' });
  if (names !== undefined) return names.map((name) => `\`${String(name)}\``).join(', ');
  return minimum === undefined ? '' : `${formatNumber(Number(minimum))} to ${formatNumber(Number(maximum))}`;
}

const VARIANTS: readonly { readonly variant: Variant; readonly heading: string }[] = [
  { variant: 'direct', heading: '`external-direct`' },
  { variant: 'unity', heading: '`external-direct` with Unity Catalog' },
  { variant: 'sql', heading: '`managed-sql`' },
  { variant: 'zerobus', heading: '`managed-zerobus`' },
];
/** Parameters under which every rule that depends on others says why. */
const TELLING = { tablePath: 's3://bucket/path', awsAccessKeyId: 'key', awsSecretAccessKey: 'secret' };

function parametersTable(): string {
  const rows = PARAMETER_RULES.map((rule) => [
    `\`${rule.name}\``,
    rule.type,
    ...VARIANTS.map(({ variant }) => describePresence(rule.presence[variant])),
    describeMeaning(rule),
  ]);
  return makeTable(['parameter', 'type', ...VARIANTS.map(({ heading }) => heading), 'meaning'], rows);
}

function describePresence(presence: Presence): string {
  if (typeof presence === 'string') return presence;
  if ('ignored' in presence) return 'no effect';
  if ('forbidden' in presence) return '–';
  const reason = presence.requiredWhen(TELLING, { hasPrincipal: false });
  return reason === undefined ? 'optional' : `required ${reason}`;
}

function describeMeaning({ meaning, bounds, credential }: ParameterRule): string {
  const range = bounds === undefined ? '' : `; ${formatNumber(bounds.min)} to ${formatNumber(bounds.max)}`;
  return `${meaning}${range}${credential === undefined ? '' : '; may be a secret reference'}`;
}

function nameObject(kind: string, object: readonly string[]): string {
  const isStaging = object[1]?.endsWith('_staging') === true;
  return `the ${isStaging ? 'staging ' : ''}${kind.toLowerCase()}${kind === 'SCHEMA' && !isStaging ? ' of the table' : ''}`;
}

/** The grants of each mode, on objects with the names of the example. */
function grantsTable(): string {
  const objects = {
    table: ['catalog', 'schema', 'table'],
    stagingSchema: ['catalog', 'schema_staging'],
    externalLocation: 'the external location',
  } as const;
  const grants = MODES.flatMap((mode) =>
    requiredGrants(mode, objects).map(({ privileges, kind, object, purpose }) => ({
      mode,
      row: [privileges.join(', '), nameObject(kind, object), purpose],
    })),
  );
  const rows = new Map(grants.map(({ row }) => [row.join('|'), row]));
  const has = (key: string, mode: string): string =>
    grants.some((grant) => grant.mode === mode && grant.row.join('|') === key) ? 'yes' : '–';
  const warehouse = ['CAN_USE', 'the SQL warehouse', 'read and add columns; in managed-sql, write rows', 'yes', 'yes', '–'];
  return makeTable(
    ['privilege', 'on', 'to', ...MODES.map((mode) => `\`${mode}\``)],
    [...[...rows].map(([key, row]) => [...row, ...MODES.map((mode) => has(key, mode))]), warehouse],
  );
}

function checksTable(): string {
  return makeTable(
    ['check', 'what', 'needs'],
    ALL_CHECKS.map(({ id, title, needs }) => [id, title, needs.join(', ')]),
  );
}

function metricsTable(): string {
  const rows = makeMetrics()
    .registry.getMetricsAsArray()
    .filter(({ name }) => name.startsWith('lakehouse_'))
    .map((metric) => {
      const { labelNames = [] } = metric as unknown as { readonly labelNames?: readonly string[] };
      return [
        `\`${metric.name}\``,
        metric.constructor.name.toLowerCase(),
        labelNames.map((label) => `\`${label}\``).join(', '),
        metric.help,
      ];
    });
  return makeTable(['metric', 'type', 'labels', 'meaning'], rows);
}

function makeTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('<', '&lt;')).join(' | ')} |`;
  return `${[line(headings), `|${'---|'.repeat(headings.length)}`, ...rows.map(line)].join('\n')}\n`;
}

function formatNumber(value: number): string {
  return value.toLocaleString('en-US');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
  for (const [name, content] of await makeDocs()) {
    const path = join(DOCS_DIRECTORY, name);
    if ((await readFile(path, 'utf8').catch(() => '')) === content) continue;
    if (!values.check) await writeFile(path, content);
    console.error(`${relative(process.cwd(), path)} ${values.check ? 'is stale: npm run docs' : 'written'}`);
    if (values.check) process.exitCode = 1;
  }
}
