/** What quarantine keeps of an event: the notification exactly as it came, and which of its entries it is (undefined: the whole of it). */
export interface QuarantinedDelivery {
  readonly place: number | undefined;
  readonly body: Uint8Array;
}

/** Larger notifications are cut down to the one entry, so that many bad entries of one body do not keep many copies of it. */
const MAX_WHOLE_BYTES = 64 * 1024;

/** Cuts a notification down to the entries of single events, in their order; undefined where it cannot be written anew. */
export type ReduceNotification = (body: Uint8Array, places: readonly number[]) => Promise<readonly (Uint8Array | undefined)[]>;

/**
 * What quarantine keeps of the events of one settlement. A large notification is reduced to the one entry and written anew, in which decimals
 * may lose trailing zeros. What cannot be written anew (compressed, nested too deeply) stays whole.
 */
export async function reduceDeliveries(
  deliveries: readonly QuarantinedDelivery[],
  reduce: ReduceNotification,
): Promise<QuarantinedDelivery[]> {
  const byBody = new Map<Uint8Array, number[]>();
  deliveries.forEach(({ place, body }, index) => {
    if (place !== undefined && body.byteLength > MAX_WHOLE_BYTES) byBody.set(body, [...(byBody.get(body) ?? []), index]);
  });
  const kept = [...deliveries];
  for (const [body, indexes] of byBody) {
    const places = indexes.map((index) => deliveries[index]?.place as number);
    const reduced = await reduce(body, places);
    indexes.forEach((index, at) => (kept[index] = { place: places[at], body: reduced[at] ?? body }));
  }
  return kept;
}

/** A job that delivers a quarantined event again. */
export interface Replay {
  /** Key of the quarantine entry, and when it was made (epoch ms). */
  readonly key: string;
  readonly quarantinedAtMs: number;
  readonly delivery: QuarantinedDelivery;
}

const REPLAY_PREFIX = '{"lakehouseReplay":';

export function encodeQuarantined({ place, body }: QuarantinedDelivery): Uint8Array {
  return withHeader({ place: place ?? null }, body);
}

export function decodeQuarantined(bytes: Uint8Array): QuarantinedDelivery {
  const { header, rest } = splitHeader(bytes);
  const { place } = header as { place: number | null };
  return { place: place ?? undefined, body: rest };
}

export function encodeReplay({ key, quarantinedAtMs, delivery }: Replay): Uint8Array {
  return withHeader({ lakehouseReplay: key, quarantinedAtMs }, encodeQuarantined(delivery));
}

/** The replay that a job body stands for; undefined for an ordinary notification. */
export function decodeReplay(body: Uint8Array): Replay | undefined {
  if (Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, REPLAY_PREFIX.length)).toString() !== REPLAY_PREFIX)
    return undefined;
  const { header, rest } = splitHeader(body);
  const { lakehouseReplay: key, quarantinedAtMs } = header as { lakehouseReplay: string; quarantinedAtMs: number };
  return { key, quarantinedAtMs, delivery: decodeQuarantined(rest) };
}

/** A line of JSON before the bytes, which stay as they are. */
function withHeader(header: object, body: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), body]);
}

function splitHeader(bytes: Uint8Array): { readonly header: unknown; readonly rest: Uint8Array } {
  const end = bytes.indexOf(0x0a);
  return { header: JSON.parse(new TextDecoder().decode(bytes.subarray(0, end))), rest: bytes.subarray(end + 1) };
}
