/**
 * The program of a worker thread, for `new Worker(text, { eval: true })`: a module beside the one that asks, compiled, or TypeScript, whose
 * loader has to be registered in each thread by itself.
 *
 * @param base `import.meta.url` of the module that asks
 * @param name file of the program without its ending, relative to that module
 */
export function makeThreadProgram(base: string, name: string): string {
  const program = (ending: string): string => JSON.stringify(new URL(`${name}${ending}`, base).href);
  if (!base.endsWith('.ts')) return `import(${program('.js')})`;
  const loader = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  return `import(${loader}).then(({ register }) => { register(); return import(${program('.ts')}); })`;
}
