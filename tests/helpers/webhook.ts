import { asArray, asObject } from '../../app/lib/json.ts';
import type { AidboxLab } from '../lab/aidbox/lab.ts';

/** The place where Aidbox delivers the events of one destination, as Aidbox knows it. */
export interface Webhook {
  readonly url: string;
  /** Address of the service. */
  readonly origin: string;
  readonly bearerToken: string;
  /** Name of the destination in the queue store. */
  readonly scope: string;
  /** Posts as Aidbox does; `headers` come over its own. */
  post(body: string | Uint8Array, headers?: Readonly<Record<string, string>>): Promise<{ status: number; text: string }>;
}

/** @throws Error when Aidbox has no such destination */
export function findWebhook(lab: AidboxLab, destinationId: string): Webhook {
  const parameters = asArray(lab.resource('AidboxTopicDestination', destinationId)?.['parameter']).map(asObject);
  const read = (name: string, type: 'Url' | 'String'): string => {
    const parameter = parameters.find((each) => each?.['name'] === name);
    const value = parameter?.[`value${type}`] ?? asObject(parameter?.['value'])?.[type.toLowerCase()];
    if (typeof value !== 'string') throw new Error(`AidboxTopicDestination/${destinationId} has no ${name}`);
    return value;
  };
  const url = read('endpoint', 'Url');
  const [, name = '', token = ''] = /^([^:]+): (?:Bearer )?(.+)$/.exec(read('header', 'String')) ?? [];
  return {
    url,
    origin: new URL(url).origin,
    bearerToken: token,
    scope: url.split('/').slice(-2).join('.'),
    async post(body, headers) {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', [name]: `Bearer ${token}`, ...headers },
        body: typeof body === 'string' ? body : Buffer.from(body),
      });
      return { status: response.status, text: await response.text() };
    },
  };
}
