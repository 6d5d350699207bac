/** What quarantine keeps of an event: the notification exactly as it came, and which of its entries it is (undefined: the whole of it). */
export interface QuarantinedDelivery {
  readonly place: number | undefined;
  readonly body: Uint8Array;
}

/** A job that delivers a quarantined event again. */
export interface Replay {
  /** Key of the quarantine entry. */
  readonly key: string;
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

export function encodeReplay({ key, delivery }: Replay): Uint8Array {
  return withHeader({ lakehouseReplay: key }, encodeQuarantined(delivery));
}

/** The replay that a job body stands for; undefined for an ordinary notification. */
export function decodeReplay(body: Uint8Array): Replay | undefined {
  if (Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, REPLAY_PREFIX.length)).toString() !== REPLAY_PREFIX) return undefined;
  const { header, rest } = splitHeader(body);
  return { key: (header as { lakehouseReplay: string }).lakehouseReplay, delivery: decodeQuarantined(rest) };
}

/** A line of JSON before the bytes, which stay as they are. */
function withHeader(header: object, body: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`), body]);
}

function splitHeader(bytes: Uint8Array): { readonly header: unknown; readonly rest: Uint8Array } {
  const end = bytes.indexOf(0x0a);
  return { header: JSON.parse(new TextDecoder().decode(bytes.subarray(0, end))), rest: bytes.subarray(end + 1) };
}
