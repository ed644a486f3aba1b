/** Hook tools that all say the same. */
import type { hookTools } from '#ops';

/** A runner that answers each call with the same outcome and remembers the calls. */
export function scripted(outcome: Partial<hookTools.HookToolOutcome> = {}) {
  const calls: hookTools.HookToolCall[] = [];
  const runner: hookTools.HookToolRunner = {
    run(call) {
      calls.push(call);
      return { exitCode: 0, stdout: '', stderr: '', ...outcome };
    },
  };
  return { calls, runner };
}
