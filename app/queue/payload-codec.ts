import { promisify } from 'node:util';
import { deflateRaw, deflateRawSync, inflateRawSync } from 'node:zlib';
import { AppError } from '../errors/app-error.ts';
import type { Sealer } from '../lib/sealer.ts';
import type { Job, NewJob, QuarantineEntry } from './queue-store.ts';

const DEFLATED = 1;
const SEALED = 2;
/** Above it compression runs on the thread pool, so that one huge body does not stop the event loop. */
const BIG_BODY_BYTES = 1 << 20;
/** A stored body is at most the web limit; more is a damaged record. */
const MAX_OPENED_BYTES = 1 << 30;
const deflateInPool = promisify(deflateRaw);

/**
 * Turns job bodies and quarantined events into text for the store and back.
 *
 * Bytes are deflated at level 1 (measured on 18 kB notifications: 50 µs, a tenth of the size; checking and quoting them as JSON text
 * costs as much), then sealed when there is a sealer, then base64. So NUL, lone surrogates and broken UTF-8 survive both stores.
 * The first byte names the form: 1 deflated, 2 deflated and sealed.
 */
export interface PayloadCodec {
  encodeJob(job: NewJob): Promise<JobRecord>;
  /** @throws AppError QUEUE_UNREADABLE */
  decodeJob(id: string, recordJson: string): Job;
  encodeEntry(entry: QuarantineEntry): Promise<string>;
  /** @throws AppError QUEUE_UNREADABLE */
  decodeEntry(recordJson: string): QuarantineEntry;
}

/** Data of a BullMQ job, and (with other fields beside it) of a quarantine entry; `v` lets a rolling upgrade read the old form. */
export interface JobRecord {
  readonly v: 1;
  readonly receivedAtMs: number;
  readonly body: string;
}

interface EntryRecord {
  readonly v: 1;
  readonly key: string;
  readonly code: string;
  readonly reason: string;
  readonly quarantinedAtMs: number;
  readonly event: string;
}

export function makePayloadCodec(sealer: Sealer | undefined): PayloadCodec {
  const pack = (deflated: Uint8Array): string =>
    sealer === undefined
      ? Buffer.concat([Buffer.of(DEFLATED), deflated]).toString('base64')
      : Buffer.concat([Buffer.of(SEALED), sealer.seal(deflated)]).toString('base64');

  const unpack = (text: string): Uint8Array => {
    const packed = Buffer.from(text, 'base64');
    const content = packed.subarray(1);
    if (packed[0] === DEFLATED) return inflate(content);
    if (packed[0] !== SEALED) throw unreadable(`found form ${packed[0] ?? 'none'}, expected ${DEFLATED} or ${SEALED}`);
    if (sealer === undefined) throw unreadable('it is sealed and no key is configured');
    return inflate(open(sealer, content));
  };

  return {
    async encodeJob({ body, receivedAtMs }) {
      return { v: 1, receivedAtMs, body: pack(await deflate(body)) };
    },
    decodeJob(id, recordJson) {
      const record = parseRecord<JobRecord>(recordJson);
      return { id, receivedAtMs: record.receivedAtMs, body: unpack(record.body) };
    },
    async encodeEntry({ event, ...head }) {
      return JSON.stringify({ v: 1, ...head, event: pack(await deflate(event)) } satisfies EntryRecord);
    },
    decodeEntry(recordJson) {
      const { key, code, reason, quarantinedAtMs, event } = parseRecord<EntryRecord>(recordJson);
      return { key, code, reason, quarantinedAtMs, event: unpack(event) };
    },
  };
}

/** Only this codec writes records, so the version is all there is to check. */
function parseRecord<T extends { readonly v: 1 }>(json: string): T {
  const record = parseJson(json) as { readonly v?: unknown } | null;
  if (record?.v !== 1) throw unreadable(`found record version ${String(record?.v)}, expected 1`);
  return record as T;
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw unreadable('it is not JSON'); // without the cause: a syntax error quotes the text
  }
}

async function deflate(bytes: Uint8Array): Promise<Uint8Array> {
  return bytes.length > BIG_BODY_BYTES ? deflateInPool(bytes, { level: 1 }) : deflateRawSync(bytes, { level: 1 });
}

function inflate(deflated: Uint8Array): Uint8Array {
  try {
    return inflateRawSync(deflated, { maxOutputLength: MAX_OPENED_BYTES });
  } catch (cause) {
    throw unreadable('it is damaged', cause);
  }
}

function open(sealer: Sealer, sealed: Uint8Array): Uint8Array {
  try {
    return sealer.open(sealed);
  } catch (cause) {
    throw unreadable('no configured key opens it', cause);
  }
}

function unreadable(reason: string, cause?: unknown): AppError {
  return new AppError('QUEUE_UNREADABLE', `a stored record cannot be read: ${reason}`, { cause });
}
