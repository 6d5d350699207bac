import { isStatusEntry } from './notification.ts';

/**
 * Makes the function that writes a notification anew with the entry of one event only; undefined when it cannot be written (compressed, nested
 * too deeply). The other entries leave null behind, because the status entry names resources by place; decimals may lose trailing zeros.
 */
export function makeNotificationReducer(body: Uint8Array): (place: number) => Uint8Array | undefined {
  const bundle = attempt(() => JSON.parse(new TextDecoder().decode(body)) as { readonly entry: readonly unknown[] });
  const changes = bundle?.entry.flatMap((each, index) => (isStatusEntry(each) ? [] : [index]));
  return (place) => {
    const entry = bundle?.entry.map((each, index) => (index === changes?.[place] || isStatusEntry(each) ? each : null));
    return attempt(() => bundle && new TextEncoder().encode(JSON.stringify({ ...bundle, entry })));
  };
}

function attempt<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}
