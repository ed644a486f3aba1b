/** Chooses the engine by the name in its configuration. */
import { HintError, type RunProcess, runProcess } from '#system';
import type { Engine } from './engine.ts';
import { parsePostgresqlConfig } from './postgresql/config.ts';
import { createPostgresqlEngine } from './postgresql/engine.ts';
import { POSTGRESQL } from './postgresql/preflight.ts';

/** The values the charm's `engine` option may have. */
export const ENGINE_NAMES = [POSTGRESQL] as const;

export type EngineName = (typeof ENGINE_NAMES)[number];

/** Whether there is an engine of this name. */
export function isEngineName(name: string): name is EngineName {
  return ENGINE_NAMES.some((known) => known === name);
}

/**
 * Makes the engine a configuration describes; the configuration has come through JSON.
 * @throws HintError `unknown-engine`, `invalid-engine-config`
 */
export function createEngine(config: unknown, run: RunProcess = runProcess): Engine {
  const name = typeof config === 'object' && config !== null && 'engine' in config && config.engine;
  if (name !== POSTGRESQL) {
    throw new HintError(
      `cannot use the engine ${JSON.stringify(name)}: there is none of this name`,
      {
        code: 'unknown-engine',
        hint: `use one of ${ENGINE_NAMES.join(', ')}`,
      },
    );
  }
  return createPostgresqlEngine({ ...parsePostgresqlConfig(config), runProcess: run });
}
