/** The hook tools of the testing kit, run one by one. */
import { type StateFields, state, type TestEvent } from '#ops/testing';
import { charmMetaFrom } from '../../lib/ops/load-meta.ts';
import { createMemoryRunner } from '../../lib/ops/testing/memory-runner.ts';
import { World } from '../../lib/ops/testing/world.ts';
import { PROBE_META } from './probe-charm.ts';

/** Hook tools of `probe/0`, and what the run leaves. */
export function toolsFor(
  fields: StateFields,
  facts: { readonly trusted?: boolean } = {},
  event: Partial<TestEvent> = {},
) {
  const world = new World(
    state(fields),
    { path: 'hooks/update-status', environment: {}, ...event },
    { meta: charmMetaFrom(PROBE_META), appName: 'probe', unitNumber: 0, ...facts },
  );
  const runner = createMemoryRunner(world);
  return {
    world,
    run: (tool: string, ...args: string[]): unknown =>
      JSON.parse(runner.run({ tool, args }).stdout || 'null'),
    error: (tool: string, ...args: string[]) => {
      const { exitCode, stderr } = runner.run({ tool, args });
      return `${exitCode} ${stderr.trim()}`;
    },
  };
}
