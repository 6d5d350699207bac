import type { PendingEvent } from './prepare-event.ts';

/**
 * Puts the versions of each resource in order inside a batch (invariant I5). Events keep the places that their resource has in the batch,
 * so the order of acceptance between resources stays; what carries no time stays where it is.
 */
export function orderVersions(events: readonly PendingEvent[]): PendingEvent[] {
  const places = new Map<string, number[]>();
  events.forEach((event, place) => {
    if (event.version === undefined) return;
    const list = places.get(event.version.resource);
    if (list === undefined) places.set(event.version.resource, [place]);
    else list.push(place);
  });
  const ordered = [...events];
  for (const list of places.values()) {
    if (list.length < 2) continue;
    const sorted = list.map((place) => events[place]!).sort(compareVersions);
    list.forEach((place, index) => (ordered[place] = sorted[index]!));
  }
  return ordered;
}

/** By time, then by version: a transaction gives several resources one time, never two versions of one resource. */
function compareVersions(a: PendingEvent, b: PendingEvent): number {
  const [x, y] = [a.version!, b.version!];
  if (x.lastUpdatedMicros !== y.lastUpdatedMicros) return x.lastUpdatedMicros < y.lastUpdatedMicros ? -1 : 1;
  return x.versionId.length - y.versionId.length || (x.versionId < y.versionId ? -1 : x.versionId > y.versionId ? 1 : 0);
}
