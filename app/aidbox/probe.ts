/** Ids that no destination has: reading one shows whether a route leads to this app. */
const PROBE_ID = /^lakehouse-probe-[0-9a-f]{32}$/;

export function makeProbeId(randomHex: string): string {
  return `lakehouse-probe-${randomHex}`;
}

export function isProbeId(id: string): boolean {
  return PROBE_ID.test(id);
}

/** What the app says to a probe. Any replica may answer it. */
export function probeText(id: string): string {
  return `the lakehouse app answers ${id}`;
}
