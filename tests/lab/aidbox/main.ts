import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { startAidboxLab } from './lab.ts';
import type { LabFaults, LabOptions, LabSwitches } from './options.ts';
import type { JsonObject } from './resource.ts';

const USAGE = `usage: tsx tests/lab/aidbox/main.ts [options]
  --port <n>                 port on 127.0.0.1 (default: a free one)
  --base-url <url>           address used in notifications and App calls
  --state-dir <folder>       keep the state there
  --root-client <id:secret>  default root:secret
  --seed <n>                 of random choices
  --init-bundle <file>       Bundle run at every start
  --switches <json>          see options.ts
  --faults <json>            see options.ts`;

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    'base-url': { type: 'string' },
    'state-dir': { type: 'string' },
    'root-client': { type: 'string' },
    seed: { type: 'string' },
    'init-bundle': { type: 'string' },
    switches: { type: 'string' },
    faults: { type: 'string' },
    help: { type: 'boolean' },
  },
});

if (values.help) {
  console.log(USAGE);
} else {
  const [id = '', secret = ''] = values['root-client']?.split(/:(.*)/s) ?? ['root', 'secret'];
  const options: LabOptions = {
    port: Number(values.port ?? 0),
    rootClient: { id, secret },
    seed: Number(values.seed ?? 1),
    ...(values['base-url'] !== undefined && { baseUrl: values['base-url'] }),
    ...(values['state-dir'] !== undefined && { stateDir: values['state-dir'] }),
    ...(values['init-bundle'] !== undefined && {
      initBundle: JSON.parse(readFileSync(values['init-bundle'], 'utf8')) as JsonObject,
    }),
    switches: JSON.parse(values.switches ?? '{}') as Partial<LabSwitches>,
    faults: JSON.parse(values.faults ?? '{}') as Partial<LabFaults>,
  };
  const lab = await startAidboxLab(options);
  console.log(JSON.stringify({ url: lab.url, pid: process.pid }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void lab.close());
}
