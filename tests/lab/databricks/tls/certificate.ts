import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** A key and a certificate of its own making for servers on this machine, both PEM. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

const DAY_MS = 86_400_000;
const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  time: 0x18,
  sequence: 0x30,
  set: 0x31,
};
const ECDSA_WITH_SHA256 = der(TAG.sequence, oid(1, 2, 840, 10045, 4, 3, 2));

/**
 * A self-signed certificate (P-256) for `localhost`, 127.0.0.1 and ::1, which also serves as its own authority:
 * give `cert` to a client as `ca`, `customCaCert` or in NODE_EXTRA_CA_CERTS. Valid from yesterday for 30 days.
 */
export function makeCertificate(names: readonly string[] = ['localhost']): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  // A name of its own: of several authorities with one name clients try the first only.
  const name = Buffer.from(`databricks lab ${randomBytes(4).toString('hex')}`);
  const subject = der(TAG.sequence, der(TAG.set, der(TAG.sequence, oid(2, 5, 4, 3), der(TAG.utf8, name))));
  const alternatives = [
    ...names.map((each) => der(0x82, Buffer.from(each))),
    der(0x87, Buffer.from([127, 0, 0, 1])),
    der(0x87, Buffer.concat([Buffer.alloc(15), Buffer.from([1])])),
  ];
  const extensions = [
    makeExtension(oid(2, 5, 29, 19), der(TAG.sequence, der(TAG.boolean, Buffer.from([0xff])))), // basicConstraints: an authority
    makeExtension(oid(2, 5, 29, 17), der(TAG.sequence, ...alternatives)), // subjectAltName
  ];
  const body = der(
    TAG.sequence,
    der(0xa0, der(TAG.integer, Buffer.from([2]))), // version 3
    der(TAG.integer, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ECDSA_WITH_SHA256,
    subject,
    der(TAG.sequence, time(Date.now() - DAY_MS), time(Date.now() + 30 * DAY_MS)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(TAG.sequence, ...extensions)),
  );
  const signature = sign('sha256', body, privateKey);
  const certificate = der(TAG.sequence, body, ECDSA_WITH_SHA256, der(TAG.bits, Buffer.from([0]), signature));
  const lines = certificate.toString('base64').replace(/.{64}(?=.)/g, '$&\n');
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  };
}

function makeExtension(id: Buffer, value: Buffer): Buffer {
  return der(TAG.sequence, id, der(TAG.octets, value));
}

function time(timeMs: number): Buffer {
  return der(TAG.time, Buffer.from(new Date(timeMs).toISOString().replace(/[-:T]|\.\d+/g, '')));
}

function oid(first: number, second: number, ...rest: number[]): Buffer {
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const groups = [part & 0x7f];
    for (let left = part >> 7; left > 0; left >>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return der(TAG.oid, Buffer.from(bytes));
}

/** One value in DER: tag, length, content. */
function der(tag: number, ...content: Buffer[]): Buffer {
  const bytes = Buffer.concat(content);
  const length = bytes.length;
  const head = length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), bytes]);
}
