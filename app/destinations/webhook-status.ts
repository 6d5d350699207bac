import type { AidboxClient } from '../aidbox/aidbox-client.ts';
import { isAppError } from '../errors/app-error.ts';
import { asArray, asObject } from '../lib/json.ts';

/** Events that wait in Aidbox for delivery to us, over all its nodes; undefined when Aidbox does not say (its sender may be broken). */
export async function readAidboxQueued(client: AidboxClient, id: string): Promise<number | undefined> {
  try {
    const { status, body } = await client.request({
      method: 'GET',
      path: `/AidboxTopicDestination/${encodeURIComponent(id)}/$status`,
    });
    if (status !== 200) return undefined;
    const parameters = asArray(asObject(body)?.['parameter']).map(asObject);
    const queued = parameters.find((parameter) => parameter?.['name'] === 'messagesQueued');
    const value = queued?.['valueDecimal'] ?? asObject(queued?.['value'])?.['decimal'];
    return typeof value === 'number' ? value : undefined;
  } catch (error) {
    if (!isAppError(error)) throw error;
    return undefined;
  }
}
