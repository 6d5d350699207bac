import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto';

/** Encrypts what is stored at rest. */
export interface Sealer {
  seal(plain: Uint8Array): Uint8Array;
  /** @throws Error when no key opens it or it was changed */
  open(sealed: Uint8Array): Uint8Array;
}

const KEY_BYTES = 32;
const KEY_ID_BYTES = 4;
const SALT_BYTES = 16;
const TAG_BYTES = 16;
const HEAD_BYTES = KEY_ID_BYTES + SALT_BYTES;
/** Each message has a key of its own, so one nonce serves all. */
const NONCE = Buffer.alloc(12);

/**
 * AES-256-GCM. The first key seals, every key opens, so a key is rotated by putting the new one in front.
 *
 * Layout: key id (first 4 bytes of SHA-256 of the key) · random salt (16) · ciphertext · tag (16); the head is authenticated too.
 * The message key is HMAC-SHA256(key, salt): random 96-bit nonces under one key are good for 2^32 messages only, a few weeks of ours.
 * @param keys 32 bytes each
 * @throws RangeError for a key of another length, or none
 */
export function makeSealer(...keys: readonly Uint8Array[]): Sealer {
  const [first] = keys;
  if (first === undefined) throw new RangeError('found no key, expected at least one of 32 bytes');
  for (const key of keys)
    if (key.length !== KEY_BYTES) throw new RangeError(`found a key of ${key.length} bytes, expected ${KEY_BYTES}`);
  const keysById = new Map(keys.map((key) => [keyId(key).toString('hex'), key]));
  const sealingId = keyId(first);

  return {
    seal(plain) {
      const head = Buffer.concat([sealingId, randomBytes(SALT_BYTES)]);
      const cipher = createCipheriv('aes-256-gcm', messageKey(first, head), NONCE).setAAD(head);
      return Buffer.concat([head, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    },
    open(sealed) {
      const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.byteLength);
      if (bytes.length < HEAD_BYTES + TAG_BYTES)
        throw new Error(`found ${bytes.length} bytes, expected at least ${HEAD_BYTES + TAG_BYTES}`);
      const head = bytes.subarray(0, HEAD_BYTES);
      const key = keysById.get(head.toString('hex', 0, KEY_ID_BYTES));
      if (key === undefined) throw new Error('sealed with a key that is not configured');
      const decipher = createDecipheriv('aes-256-gcm', messageKey(key, head), NONCE).setAAD(head);
      decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
      return Buffer.concat([decipher.update(bytes.subarray(HEAD_BYTES, -TAG_BYTES)), decipher.final()]);
    },
  };
}

function keyId(key: Uint8Array): Buffer {
  return createHash('sha256').update(key).digest().subarray(0, KEY_ID_BYTES);
}

function messageKey(key: Uint8Array, head: Buffer): Buffer {
  return createHmac('sha256', key).update(head.subarray(KEY_ID_BYTES)).digest();
}
