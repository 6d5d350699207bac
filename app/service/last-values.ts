import type { AidboxClient } from '../aidbox/aidbox-client.ts';
import { readDeletedContent } from '../aidbox/resource-history.ts';
import type { LastValuesSource } from '../delivery/last-values.ts';
import { configurationId } from '../destinations/destination.ts';
import { AppError, isAppError } from '../errors/app-error.ts';
import type { Json } from '../lib/json.ts';

/**
 * Last values from the history in Aidbox. A refusal that concerns one type or resource must cost that event alone, one that concerns the
 * app as a whole may pass: they are told apart by a call that the app always needs, that for the configuration of its destination.
 */
export function makeLastValues(client: AidboxClient, destinationId: string): LastValuesSource {
  const read = async (resourceType: string, id: string, versionId: string | undefined): Promise<Json | undefined> => {
    try {
      return await readDeletedContent(client, resourceType, id, versionId);
    } catch (error) {
      if (!isAppError(error, 'AIDBOX_REFUSED')) throw error;
      await client.request({ method: 'GET', path: `/fhir/Basic/${configurationId(destinationId)}` });
      throw new AppError('HISTORY_NOT_READABLE', error.message);
    }
  };
  return {
    read: async (resourceType, id, versionId) => {
      const content = await read(resourceType, id, versionId);
      return content === undefined ? undefined : { resource: { ...content, resourceType } };
    },
  };
}
