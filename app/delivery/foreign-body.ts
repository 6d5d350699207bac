/** How the bodies of jobs begin that we make ourselves: spooled notifications and replays. */
const OWN_JOBS = '{"lakehouse';

/** What came from outside, so that it can never be taken for a job of our own: a body that begins like one is moved by a blank, which JSON does not mind. */
export function asForeign(body: Uint8Array): Uint8Array {
  const start = Buffer.from(body.buffer, body.byteOffset, Math.min(body.byteLength, OWN_JOBS.length)).toString();
  return start === OWN_JOBS ? Buffer.concat([Buffer.from(' '), body]) : body;
}
