import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { startDatabricksLab } from './lab.ts';
import type { LabSwitches, Vending } from './options.ts';
import { applySetup, type LabSetup } from './setup.ts';
import { makeEngine } from './warehouse/make-engine.ts';
import type { WarehouseSwitches } from './warehouse/options.ts';

const USAGE = `usage: tsx tests/lab/databricks/main.ts [options]
  --workspace-port <n>     port on 127.0.0.1 (default: a free one)
  --zerobus-port <n>       port on 127.0.0.1 (default: a free one)
  --tls                    HTTPS, with a certificate made at start
  --workspace-id <n>       number of the workspace
  --data-folder <folder>   where the files of tables are made (default: a temporary folder)
  --token-lifetime-ms <n>  of OAuth tokens
  --sink delta|count       rows land in the tables, or are checked and counted only
  --vending <json>         see options.ts
  --switches <json>        see options.ts
  --warehouse-switches <json>  see warehouse/options.ts
  --engine interpreter|spark  what executes the SQL of warehouses (default: the interpreter)
  --setup <file>           what the workspace holds, see setup.ts
Prints one JSON line: {"workspaceUrl","zerobusUrl","workspaceId","pid","certificate"?}; the certificate is PEM text.`;

const text = { type: 'string' } as const;
const { values } = parseArgs({
  options: {
    'workspace-port': text,
    'zerobus-port': text,
    tls: { type: 'boolean' },
    'workspace-id': text,
    'data-folder': text,
    'token-lifetime-ms': text,
    sink: text,
    vending: text,
    switches: text,
    'warehouse-switches': text,
    engine: text,
    setup: text,
    help: { type: 'boolean' },
  },
});

if (values.help) {
  console.log(USAGE);
} else {
  const { sink = 'delta', engine = 'interpreter' } = values;
  if (sink !== 'delta' && sink !== 'count') throw new Error(`--sink is delta or count, not ${sink}`);
  if (engine !== 'interpreter' && engine !== 'spark') throw new Error(`--engine is interpreter or spark, not ${engine}`);
  const lab = await startDatabricksLab({
    workspacePort: Number(values['workspace-port'] ?? 0),
    zerobusPort: Number(values['zerobus-port'] ?? 0),
    tls: values.tls === true,
    sink,
    ...(values['workspace-id'] !== undefined && { workspaceId: values['workspace-id'] }),
    ...(values['data-folder'] !== undefined && { dataFolder: values['data-folder'] }),
    ...(values['token-lifetime-ms'] !== undefined && { tokenLifetimeMs: Number(values['token-lifetime-ms']) }),
    vending: JSON.parse(values.vending ?? '{}') as Vending,
    switches: JSON.parse(values.switches ?? '{}') as Partial<LabSwitches>,
    makeEngine: (registry, switches) => makeEngine(registry, switches, { engine }),
    warehouseSwitches: JSON.parse(values['warehouse-switches'] ?? '{}') as Partial<WarehouseSwitches>,
  });
  if (values.setup !== undefined) await applySetup(lab, JSON.parse(readFileSync(values.setup, 'utf8')) as LabSetup);
  const { workspaceUrl, zerobusUrl, workspaceId, certificate } = lab;
  console.log(JSON.stringify({ workspaceUrl, zerobusUrl, workspaceId, pid: process.pid, certificate: certificate?.cert }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void lab.close());
}
