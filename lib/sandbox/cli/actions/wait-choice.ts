/** `--wait` and `--watch` of the commands that show results. */
import { UsageError } from '../errors.ts';

export interface WaitChoice {
  /** Whether to wait at all; without it the state is shown as it is. */
  readonly asked: boolean;
  /** Undefined waits for ever. */
  readonly waitMs: number | undefined;
}

/** @throws UsageError when both are given. */
export function waitChoice(flags: {
  readonly wait: number | undefined;
  readonly watch: boolean;
}): WaitChoice {
  if (flags.watch && flags.wait !== undefined) {
    throw new UsageError('specify either --watch or --wait but not both');
  }
  if (flags.watch || flags.wait === 0) {
    return { asked: true, waitMs: undefined };
  }
  const asked = flags.wait !== undefined && flags.wait > 0;
  return { asked, waitMs: asked ? flags.wait : 0 };
}
