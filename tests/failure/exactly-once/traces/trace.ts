import type { Stage } from '../stage.ts';

/** One story that breaks a property when a rule of the protocol (design E1–E8) is taken out of the product. */
export interface Trace {
  readonly rule: 'E1' | 'E2' | 'E3' | 'E4' | 'E5' | 'E6' | 'E7' | 'E8';
  /** What holds with the rule. */
  readonly name: string;
  /** Lines of RUNS in the model of which this is the shortest counter-example: `<name>/<scope>`. */
  readonly model: readonly string[];
  readonly play: (stage: Stage) => Promise<void>;
}
