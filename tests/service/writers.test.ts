import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTable } from '../../app/delta/create-table.ts';
import { systemClock } from '../../app/lib/clock.ts';
import { makeLogger } from '../../app/log.ts';
import { describeType } from '../../app/rows/table-schema.ts';
import { Databricks } from '../../app/service/databricks.ts';
import { openLocalObjectStore } from '../../app/storage/local-object-store.ts';
import { beginIncarnation } from '../../app/writers/external-direct/begin-incarnation.ts';
import { makeApplication } from '../../app/writers/external-direct/commit-record.ts';
import { makeExternalDirectWriter } from '../../app/writers/external-direct/external-direct-writer.ts';
import { makeManagedWriter } from '../../app/writers/managed/managed-writer.ts';
import { RecentKeys } from '../../app/writers/managed/recent-keys.ts';
import { describeWith } from '../helpers/services/availability.ts';
import type { DeltaReader } from '../helpers/services/delta-reader.ts';
import { findDeltaRs } from '../helpers/services/delta-rs.ts';
import {
  MANAGED_MODES,
  PRINCIPAL,
  startWorkspace,
  WAREHOUSE,
  type ManagedMode,
  type WorkspaceUnderTest,
} from '../helpers/workspace-under-test.ts';
import { describeWriter, type WriterHarness } from './writer-suite.ts';

const log = makeLogger('error', () => undefined);

function externalDirect(reader: DeltaReader): WriterHarness {
  let dir: string;
  return {
    name: 'external-direct',
    takesNullInLists: true,
    start: async () => void (dir = await mkdtemp(join(tmpdir(), 'writer-suite-'))),
    stop: () => rm(dir, { recursive: true }),
    async makeTable(columns) {
      const directory = join(dir, randomUUID());
      const tablePath = `file://${directory}`;
      const application = makeApplication('http://aidbox', 'suite', randomUUID());
      const store = await openLocalObjectStore(directory, tablePath);
      await createTable(store, columns, { nowMs: Date.now() });
      await beginIncarnation(store, application, systemClock);
      await store.close();
      return {
        makeWriter: async () =>
          makeExternalDirectWriter({
            store: await openLocalObjectStore(directory, tablePath),
            application,
            clock: systemClock,
            chooseColumns: (all) => all,
          }),
        rows: () => reader.readDeltaRows({ tablePath }),
      };
    },
  };
}

function managed(mode: ManagedMode, reader: DeltaReader): WriterHarness {
  let workspace: WorkspaceUnderTest;
  let databricks: Databricks;
  return {
    name: mode,
    takesNullInLists: mode === 'managed-sql',
    async start() {
      workspace = await startWorkspace();
      const trust = { caPem: workspace.lab.certificate!.cert };
      databricks = new Databricks({ principal: undefined, trust, environment: {}, clock: systemClock, log });
    },
    async stop() {
      await databricks.close();
      await workspace.close();
    },
    async makeTable(columns) {
      const columnTexts = columns.map(({ name, type }) => [name, describeType(type)] as const);
      const tableName = workspace.createTable(`t_${randomUUID().replaceAll('-', '')}`, columnTexts);
      const { workspaceUrl, workspaceId, zerobusUrl } = workspace.lab;
      const { clientId, secret: clientSecret } = PRINCIPAL;
      const table = {
        ...{ workspaceUrl, tableName, warehouseId: WAREHOUSE, workspaceId, region: 'us-east-1', zerobusEndpoint: zerobusUrl },
        ...{ clientId, clientSecret },
      };
      return {
        makeWriter: async () =>
          makeManagedWriter({
            sender: mode === 'managed-zerobus' ? databricks.openZerobus(table, 10_000) : databricks.openSql(table),
            table: databricks.openTable(table),
            plan: { findMissing: () => [], choose: (all) => all },
            recent: new RecentKeys(),
            onRepeated: () => undefined,
            clock: systemClock,
          }),
        rows: async () => reader.readDeltaRows(await workspace.filesOf(tableName)),
      };
    },
  };
}

describeWith(await findDeltaRs(), 'read by delta-rs', (reader) => {
  describeWriter(externalDirect(reader));
  for (const mode of MANAGED_MODES) describeWriter(managed(mode, reader));
});
