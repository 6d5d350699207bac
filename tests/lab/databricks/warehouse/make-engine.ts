import type { Registry } from '../registry/registry.ts';
import type { Engine } from './engine.ts';
import type { SqlSwitches } from './interpreter/context.ts';
import { makeInterpreter } from './interpreter/interpreter.ts';
import { makeSparkEngine } from './spark/spark-engine.ts';
import { findSparkSql } from './spark/spark-process.ts';

export type EngineName = Lowercase<Engine['name']>;

/** How the warehouse executes SQL. */
export interface EngineOptions {
  /** Default: the interpreter. Spark starts with the first statement and takes some seconds and about 1.3 GB. */
  readonly engine?: EngineName;
  /** Further settings of Spark: where `s3://…` is (`spark.hadoop.fs.s3a.endpoint`, …). */
  readonly sparkConfiguration?: Readonly<Record<string, string>>;
}

/** @throws Error when Spark is asked for and not installed: it says how to install it */
export function makeEngine(registry: Registry, switches: SqlSwitches, options: EngineOptions = {}): Engine {
  const interpreter = makeInterpreter(registry, switches);
  if (options.engine !== 'spark') return interpreter;
  const spark = findSparkSql();
  if (!('found' in spark)) throw new Error(`${spark.name} is not installed; enable it by: ${spark.enableBy}`);
  return makeSparkEngine(registry, interpreter, () => spark.found(options.sparkConfiguration));
}
