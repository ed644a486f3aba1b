/** Juju's hook tools in memory: the same port as the real ones, the same words when they refuse. */
import { HookToolError, type HookToolRunner } from '../hook-tools/index.ts';
import { actionTools } from './tools/action-tools.ts';
import { ToolFailure } from './tools/arguments.ts';
import { machineTools } from './tools/machine-tools.ts';
import { portTools } from './tools/port-tools.ts';
import { relationTools } from './tools/relation-tools.ts';
import { secretTools } from './tools/secret-tools.ts';
import { stateTools } from './tools/state-tools.ts';
import { Json, type Tool } from './tools/tool.ts';
import { unitTools } from './tools/unit-tools.ts';
import type { World } from './world.ts';

const TOOLS: ReadonlyMap<string, Tool> = new Map(
  Object.entries({
    ...relationTools,
    ...secretTools,
    ...actionTools,
    ...unitTools,
    ...portTools,
    ...machineTools,
    ...stateTools,
  }),
);

export function createMemoryRunner(world: World): HookToolRunner {
  return {
    run(call) {
      world.recording.calls.push({ tool: call.tool, args: call.args });
      const tool = TOOLS.get(call.tool);
      if (tool === undefined) {
        throw new HookToolError({
          tool: call.tool,
          args: call.args,
          exitCode: undefined,
          stderr: '',
          reason: 'the test kit has no such tool',
          code: 'hook-tool-missing',
        });
      }
      try {
        return { exitCode: 0, stdout: print(tool(world, call.args, call.stdin ?? '')), stderr: '' };
      } catch (error) {
        if (error instanceof ToolFailure) {
          return { exitCode: error.exitCode, stdout: '', stderr: `ERROR ${error.message}\n` };
        }
        throw error;
      }
    },
  };
}

function print(value: unknown): string {
  if (value === undefined || typeof value === 'string') {
    return value ?? '';
  }
  return `${JSON.stringify(value instanceof Json ? (value.value ?? null) : value)}\n`;
}
