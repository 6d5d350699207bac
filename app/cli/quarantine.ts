import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { makeAidboxClient } from '../aidbox/aidbox-client.ts';
import { loadConfig } from '../config/config.ts';
import { decodeQuarantined, encodeReplay } from '../delivery/quarantined-delivery.ts';
import { makeDestinationRepository } from '../destinations/destination-repository.ts';
import { normaliseInstallation, scopeOf } from '../destinations/destination.ts';
import { makeSecretStore } from '../destinations/secret-store.ts';
import { isAppError } from '../errors/app-error.ts';
import { systemClock } from '../lib/clock.ts';
import { describeCause } from '../lib/describe-cause.ts';
import { makeLogger } from '../log.ts';
import type { DestinationQueue, QuarantineEntry } from '../queue/queue-store.ts';
import { openConfiguredQueue } from '../service/configured-queue.ts';
import { openSealer } from '../service/seal-keys.ts';

const USAGE = `usage: npm run quarantine -- list DESTINATION
       npm run quarantine -- show DESTINATION KEY          prints the notification: patient data
       npm run quarantine -- replay DESTINATION KEY… | --all
       npm run quarantine -- drop DESTINATION KEY… | --all
Reads the same environment as the service. A replayed event is written once, however often it is ordered; its entry goes when it is settled.`;

const PAGE = 200;

/** What an operator may do with quarantined events. Exit status 1 when it failed, 2 when the words are wrong. */
async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { all: { type: 'boolean', default: false } } });
  const [command, destinationId, ...keys] = positionals;
  const takesKeys = command === 'replay' || command === 'drop';
  const isComplete =
    command === 'list' ? keys.length === 0 : command === 'show' ? keys.length === 1 : takesKeys && keys.length > 0 !== values.all;
  if (destinationId === undefined || !isComplete) {
    process.stderr.write(`${USAGE}\n`);
    return 2;
  }
  return withQueue(destinationId, async (queue) => {
    const wanted = new Set(keys);
    let found = 0;
    for await (const entry of readEntries(queue)) {
      if (keys.length > 0 && !wanted.has(entry.key)) continue;
      found += 1;
      if (command === 'list')
        process.stdout.write(`${entry.key}  ${new Date(entry.quarantinedAtMs).toISOString()}  ${entry.code}  ${entry.reason}\n`);
      if (command === 'show') process.stdout.write(decodeQuarantined(entry.event).body);
      if (command === 'replay') await replay(queue, entry);
      if (command === 'drop') await queue.quarantineRemove([entry.key]);
    }
    process.stderr.write(
      `${found} ${found === 1 ? 'entry' : 'entries'}${keys.length > found ? `, ${keys.length - found} not found` : ''}\n`,
    );
    return keys.length > found ? 1 : 0;
  });
}

/** The whole quarantine as it is at the beginning: read first, so that entries which go meanwhile do not shift the pages. */
async function* readEntries(queue: DestinationQueue): AsyncIterable<QuarantineEntry> {
  const entries: QuarantineEntry[] = [];
  for (let page = await queue.quarantineList(0, PAGE); page.length > 0; page = await queue.quarantineList(entries.length, PAGE))
    entries.push(...page);
  yield* entries;
}

async function replay(queue: DestinationQueue, entry: QuarantineEntry): Promise<void> {
  const delivery = decodeQuarantined(entry.event);
  await queue.add({
    body: encodeReplay({ key: entry.key, quarantinedAtMs: entry.quarantinedAtMs, delivery }),
    receivedAtMs: systemClock.now(),
  });
}

/** Opens the queue of the destination as the service does. @throws AppError when Aidbox or the queue store does not answer */
async function withQueue(destinationId: string, use: (queue: DestinationQueue) => Promise<number>): Promise<number> {
  const config = loadConfig();
  const log = makeLogger('error', (line) => process.stderr.write(line));
  const sealer = await openSealer(config.SEAL_KEY, resolve(config.DATA_DIR));
  const {
    AIDBOX_URL: baseUrl,
    AIDBOX_CLIENT_ID: clientId,
    AIDBOX_CLIENT_SECRET: clientSecret,
    AIDBOX_TIMEOUT_MS: timeoutMs,
  } = config;
  const client = makeAidboxClient({ baseUrl, clientId, clientSecret, timeoutMs });
  const secrets = makeSecretStore({ sealer, directory: config.SECRETS_DIR });
  const repository = makeDestinationRepository({ client, secrets, installation: normaliseInstallation(baseUrl), log });
  const destination = await repository.get(destinationId);
  if (destination === undefined) {
    process.stderr.write(`there is no destination ${destinationId} of this product\n`);
    return 1;
  }
  const store = await openConfiguredQueue(config, sealer, log);
  try {
    await store.start();
    return await use(store.destination(scopeOf(destination)));
  } finally {
    await store.close();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(
    isAppError(error) ? `${error.code}: ${error.message}. ${error.action}\n` : `failed: ${describeCause(error)}\n`,
  );
  process.exitCode = 1;
}
