import { missing, ok, type Check } from '../check.ts';

/** The parameters are as the product wants them. */
export const parametersCheck: Check = {
  id: 'parameters',
  title: 'parameters of the destination',
  needs: [],
  async run({ target: { problems, mode } }) {
    if (problems.length === 0) return ok(`complete for ${mode}`);
    const found = `${problems.length} problem${problems.length === 1 ? '' : 's'}`;
    return missing(found, 'none (docs/configuration.md)', problems);
  },
};
