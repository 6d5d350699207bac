/** Stands in the queue for a notification that was too large to be one: its body lies in the spool folder. */
export interface SpooledNotification {
  readonly file: string;
  readonly sizeBytes: number;
}

const PREFIX = '{"lakehouseSpooled":';

export function encodeSpooled(spooled: SpooledNotification): Uint8Array {
  return new TextEncoder().encode(`${PREFIX}${JSON.stringify(spooled)}}`);
}

/** The spooled notification that a job body stands for; undefined for an ordinary one. */
export function decodeSpooled(body: Uint8Array): SpooledNotification | undefined {
  const text = body.byteLength < 1024 ? new TextDecoder().decode(body) : '';
  if (!text.startsWith(PREFIX)) return undefined;
  return (JSON.parse(text) as { lakehouseSpooled: SpooledNotification }).lakehouseSpooled;
}
