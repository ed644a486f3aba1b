/** The positionals of `juju run`: units, one action, its parameters. */
import { type ParamArgument, parseParamArgument } from '../arguments/action-params.ts';
import { applicationOf, isUnitOrLeader } from '../arguments/names.ts';
import { quoted, UsageError } from '../errors.ts';

export interface RunWish {
  /** `app/0` or `app/leader`. */
  readonly targets: readonly string[];
  readonly action: string;
  readonly params: readonly ParamArgument[];
}

const ACTION = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

/** @throws UsageError with Juju's message. */
export function parseRunArguments(positionals: readonly string[]): RunWish {
  const at = positionals.findIndex((word) => !isUnitOrLeader(word));
  const targets = at === -1 ? positionals : positionals.slice(0, at);
  const action = at === -1 ? undefined : positionals[at];
  if (action !== undefined && !ACTION.test(action)) {
    throw new UsageError(`invalid unit or action name ${quoted(action)}`);
  }
  if (targets.length === 0) {
    throw new UsageError('no unit specified');
  }
  if (action === undefined) {
    throw new UsageError('no action specified');
  }
  if (new Set(targets.map(applicationOf)).size > 1) {
    throw new UsageError('all units must be of the same application');
  }
  return { targets, action, params: positionals.slice(at + 1).map(parseParamArgument) };
}
