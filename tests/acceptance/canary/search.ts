import { gunzipSync, inflateRawSync } from 'node:zlib';

/** Something that must be found nowhere. */
export interface Canary {
  readonly what: string;
  readonly text: string;
}

/** Something that is searched. */
export interface Place {
  readonly what: string;
  readonly content: Buffer;
}

const BASE64_RUN = /[A-Za-z0-9+/_-]{24,}={0,2}/g;
/** Base64 in base64 in a compressed text: deeper, nobody would put it by mistake. */
const MAX_DEPTH = 3;

/** The forms in which a text may stand somewhere: as it is, or as UTF-16, hex, percent-encoding, JSON or base64 at any offset would have it. */
export function formsOf(text: string): ReadonlyMap<string, Buffer> {
  const plain = Buffer.from(text);
  const aligned = [0, 1, 2].map((offset): [string, Buffer] => {
    const encoded = Buffer.concat([Buffer.alloc(offset), plain])
      .toString('base64')
      .replace(/=+$/, '');
    // The first characters hold bits of what stands before, the last ones of what stands behind.
    return [`base64, offset ${offset}`, Buffer.from(encoded.slice(offset === 0 ? 0 : offset + 1, -1))];
  });
  const forms: [string, Buffer][] = [
    ['plain', plain],
    ['UTF-16', Buffer.from(text, 'utf16le')],
    ['hex', Buffer.from(plain.toString('hex'))],
    ['percent-encoding', Buffer.from(encodeURIComponent(text))],
    ['JSON', Buffer.from(JSON.stringify(text).slice(1, -1))],
    ...aligned,
  ];
  return new Map(forms);
}

/** Every canary in every place: `<canary> (<form>) in <place>`. */
export function findTraces(canaries: readonly Canary[], places: readonly Place[]): string[] {
  const wanted = canaries.map(({ what, text }) => ({ what, forms: [...formsOf(text)] }));
  return places.flatMap((place) =>
    layersOf(place.content).flatMap((layer) =>
      wanted.flatMap(({ what, forms }) => {
        const found = forms.find(([, bytes]) => layer.includes(bytes));
        return found === undefined ? [] : [`${what} (${found[0]}) in ${place.what}`];
      }),
    ),
  );
}

/** The content, and what unpacks from it: compressed parts and base64 texts, which may be compressed again. */
function layersOf(content: Buffer, depth = 0): Buffer[] {
  if (depth === MAX_DEPTH) return [content];
  const packed = [content, content.subarray(1), ...decodeRuns(content)];
  const inner = packed.flatMap((part, index) => [...(index < 2 ? [] : [part]), ...unpack(part)]);
  return [content, ...inner.filter((part) => part.length > 0).flatMap((part) => layersOf(part, depth + 1))];
}

function decodeRuns(content: Buffer): Buffer[] {
  const runs = content.toString('latin1').match(BASE64_RUN) ?? [];
  return runs.flatMap((run) => {
    const bytes = Buffer.from(run, 'base64');
    return [bytes, bytes.subarray(1)];
  });
}

function unpack(content: Buffer): Buffer[] {
  if (content.length < 4) return [];
  const unpacked: Buffer[] = [];
  for (const open of [inflateRawSync, gunzipSync]) {
    try {
      unpacked.push(open(content));
    } catch {
      // not of this kind
    }
  }
  return unpacked;
}
