import { isStatusEntry } from '../fhir/notification.ts';

/** What quarantine keeps of an event: the notification exactly as it came, and which of its entries it is (undefined: the whole of it). */
export interface QuarantinedDelivery {
  readonly place: number | undefined;
  readonly body: Uint8Array;
}

/** Larger notifications are cut down to the one entry, so that many bad entries of one body do not keep many copies of it. */
const MAX_WHOLE_BYTES = 64 * 1024;

/**
 * Makes the function that decides what quarantine keeps of the events of one settlement. A large notification is reduced to the one entry and
 * written anew, in which decimals may lose trailing zeros; the other entries leave null behind, because the status entry names resources by
 * place. What cannot be written anew (compressed, nested too deeply) stays whole.
 */
export function makeReducer(): (delivery: QuarantinedDelivery) => QuarantinedDelivery {
  const parsed = new Map<Uint8Array, LargeNotification>();
  return (delivery) => {
    const { place, body } = delivery;
    if (place === undefined || body.byteLength <= MAX_WHOLE_BYTES) return delivery;
    try {
      const { bundle, changes } = parsed.get(body) ?? readLarge(body);
      parsed.set(body, { bundle, changes });
      const entry = bundle.entry.map((each, index) => (index === changes[place] || isStatusEntry(each) ? each : null));
      return { place, body: new TextEncoder().encode(JSON.stringify({ ...bundle, entry })) };
    } catch {
      return delivery;
    }
  };
}

interface LargeNotification {
  readonly bundle: { readonly entry: readonly unknown[] };
  /** Where in `entry` the events are, by their place. */
  readonly changes: readonly number[];
}

function readLarge(body: Uint8Array): LargeNotification {
  const bundle = JSON.parse(new TextDecoder().decode(body)) as LargeNotification['bundle'];
  return { bundle, changes: bundle.entry.flatMap((each, index) => (isStatusEntry(each) ? [] : [index])) };
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
