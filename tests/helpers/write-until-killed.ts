import { openLocalObjectStore } from '../../app/storage/local-object-store.ts';

/** Creates objects `N.bin`, N upwards from FIRST, each of SIZE bytes of the value N mod 256, and prints N when it is confirmed. */
const [root = '', size = '0', first = '0'] = process.argv.slice(2);
const store = await openLocalObjectStore(root, 'file:///table');
for (let number = Number(first); ; number += 1) {
  const outcome = await store.putIfAbsent(`${number}.bin`, new Uint8Array(Number(size)).fill(number % 256));
  if (outcome === 'created') process.stdout.write(`${number}\n`);
}
