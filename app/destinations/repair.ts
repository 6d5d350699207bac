import { isAppError } from '../errors/app-error.ts';
import { DESTINATION_ERRORS } from '../errors/destination.ts';
import { asText, type Json } from '../lib/json.ts';
import { hashSecret } from '../lib/same-secret.ts';
import { DESTINATION_KIND, webhookPath, type Destination } from './destination.ts';
import type { OperationDeps } from './operation-deps.ts';
import { finishRemoval } from './remove.ts';
import { tokenHashOf } from './webhook-destinations.ts';

/** What a repair did, by number of destinations. */
export interface RepairResult {
  /** Creates that never ended, taken back. */
  abandoned: number;
  /** Deletes that never ended, finished. */
  finished: number;
  /** Webhook destinations that were missing in Aidbox, created again with a new token. */
  recreated: number;
  /** Stored tokens that were not the one in Aidbox, replaced by it. */
  adopted: number;
  /** Webhook destinations of this app without a configuration, deleted. */
  orphans: number;
  /** Destinations that need a person: of another installation, stored past this app, or whose webhook destination is not what it should be. */
  attention: number;
}

type RepairDeps = Pick<OperationDeps, 'repository' | 'webhooks' | 'queues' | 'clock' | 'randomBytes' | 'log'>;

/** A create older than this has no process any more that would end it. */
export const ABANDONED_AFTER_MS = 10 * 60 * 1000;

/**
 * Puts right what creates and deletes left that did not end, and what was changed behind our back. Several replicas may do it at once:
 * each change is a compare-and-set on the stored configuration, and who comes second leaves it.
 *
 * @throws AppError AIDBOX_…, QUEUE_… (what was done stays done; the next repair goes on)
 */
export async function repairDestinations(deps: RepairDeps): Promise<RepairResult> {
  const result: RepairResult = { abandoned: 0, finished: 0, recreated: 0, adopted: 0, orphans: 0, attention: 0 };
  // Webhook destinations are listed before configurations: a create stores its configuration first, so it is never taken for an orphan.
  const inAidbox = await deps.webhooks.list();
  const destinations = await deps.repository.list();
  for (const destination of destinations) {
    try {
      const done = await repairOne(deps, destination);
      if (done !== undefined) result[done]++;
    } catch (error) {
      if (!isAppError(error, 'DESTINATION_CHANGED')) throw error;
      deps.log.info({ event: 'destination.repair-left', destination: destination.id, code: error.code, message: error.message });
    }
  }
  const known = new Set(destinations.map((destination) => destination.id));
  for (const resource of inAidbox) {
    if (resource['kind'] === DESTINATION_KIND) {
      reportStray(deps, resource);
      result.attention++;
    } else if (deps.webhooks.isOurs(resource) && !known.has(String(resource['id']))) {
      result.orphans += await removeOrphan(deps, resource);
    }
  }
  return result;
}

async function repairOne(deps: RepairDeps, destination: Destination): Promise<keyof RepairResult | undefined> {
  const { id, phase, problem } = destination;
  if (problem?.code === 'DESTINATION_SUSPENDED') {
    deps.log.warn({ event: 'destination.suspended', destination: id, code: problem.code, message: problem.message });
    return 'attention';
  }
  if (phase === 'creating') {
    if (deps.clock.now() - destination.createdAtMs < ABANDONED_AFTER_MS) return undefined;
    await finishRemoval(deps, destination);
    deps.log.warn({ event: 'destination.abandoned-create-removed', destination: id });
    return 'abandoned';
  }
  if (phase === 'deleting') {
    await finishRemoval(deps, destination);
    deps.log.info({ event: 'destination.deleted', destination: id });
    return 'finished';
  }
  const webhook = await deps.webhooks.read(id);
  if (webhook === undefined) return recreateWebhook(deps, destination);
  if (deps.webhooks.servesDestination(webhook, destination)) return adoptToken(deps, destination, webhook);
  // Deleting it would drop the events that wait in it, so a person decides.
  deps.log.error({
    event: 'destination.webhook-differs',
    destination: id,
    message: `AidboxTopicDestination/${id} in Aidbox does not deliver to ${webhookPath(destination)} of this app; delete the destination and create it again once its queue in Aidbox is empty`,
  });
  return 'attention';
}

async function recreateWebhook(deps: RepairDeps, destination: Destination): Promise<'recreated' | undefined> {
  const bearerToken = deps.randomBytes(32).toString('base64url');
  await deps.repository.put({ ...destination, webhookSecretHash: hashSecret(bearerToken) });
  const created = await deps.webhooks.create(destination, bearerToken).catch((error: unknown) => {
    if (isAppError(error, 'DESTINATION_EXISTS')) return undefined;
    throw error;
  });
  // Another replica may have stored its own token meanwhile, or have been first in Aidbox: what Aidbox holds counts.
  const [current, webhook] = [await deps.repository.get(destination.id), await deps.webhooks.read(destination.id)];
  if (current?.incarnation === destination.incarnation && webhook !== undefined) await adoptToken(deps, current, webhook);
  if (created === undefined) return undefined;
  deps.log.warn({
    event: 'destination.webhook-recreated',
    destination: destination.id,
    message: 'changes made while it was missing were not delivered',
  });
  return 'recreated';
}

/** Aidbox would repeat for ever what we refuse, so the token that it sends is the one that is stored. */
async function adoptToken(deps: RepairDeps, destination: Destination, webhook: Json): Promise<'adopted' | undefined> {
  const webhookSecretHash = tokenHashOf(webhook);
  if (webhookSecretHash === undefined || webhookSecretHash === destination.webhookSecretHash) return undefined;
  await deps.repository.put({ ...destination, webhookSecretHash });
  deps.log.warn({
    event: 'destination.token-adopted',
    destination: destination.id,
    message: 'the stored token was not the one that Aidbox sends',
  });
  return 'adopted';
}

/** Aidbox keeps it as it came, secrets included; a bundle does not reach this app (contract §1.9). */
function reportStray({ log }: RepairDeps, resource: Json): void {
  const id = asText(resource['id']) ?? '';
  log.error({
    event: 'destination.not-served',
    destination: id,
    code: 'DESTINATION_NOT_SERVED',
    message: `AidboxTopicDestination/${id} of kind ${DESTINATION_KIND} was stored in Aidbox past this app`,
    action: DESTINATION_ERRORS.DESTINATION_NOT_SERVED.action,
  });
}

async function removeOrphan(deps: RepairDeps, webhook: Json): Promise<number> {
  const id = asText(webhook['id']);
  // A search may miss an entry while others are written, so the configuration is asked for by its id.
  if (id === undefined || (await deps.repository.has(id))) return 0;
  await deps.webhooks.removeById(id);
  deps.log.warn({
    event: 'destination.orphan-deleted',
    destination: id,
    message: 'a webhook destination pointed to this app but had no configuration',
  });
  return 1;
}
