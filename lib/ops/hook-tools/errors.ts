/** What can go wrong with a hook tool, told apart by the phrases Juju uses. */
import { HintError } from '#system';

export interface HookToolFailure {
  readonly tool: string;
  readonly args: readonly string[];
  readonly exitCode: number | undefined;
  readonly stderr: string;
  /** Replaces Juju's message where there is none. */
  readonly reason?: string;
  readonly code?: string;
  readonly hint?: string;
  readonly cause?: unknown;
}

/** A hook tool that ended with a failure, could not be run, or printed what it must not. */
export class HookToolError extends HintError {
  readonly tool: string;
  /** Without secret content. */
  readonly args: readonly string[];
  /** Undefined when the tool did not end by itself. */
  readonly exitCode: number | undefined;
  readonly stderr: string;

  constructor(failure: HookToolFailure) {
    const reason = failure.reason ?? reasonOf(failure);
    super(`${failure.tool} failed: ${reason}`, {
      code: failure.code ?? 'hook-tool-failed',
      cause: failure.cause,
      ...(failure.hint === undefined ? {} : { hint: failure.hint }),
    });
    this.tool = failure.tool;
    this.args = failure.args;
    this.exitCode = failure.exitCode;
    this.stderr = failure.stderr;
  }
}

/** The relation named does not exist (any more). */
export class RelationNotFoundError extends HookToolError {
  constructor(failure: HookToolFailure) {
    super({ ...failure, code: 'relation-not-found' });
  }
}

/** Juju refuses this unit what it asked for. */
export class PermissionDeniedError extends HookToolError {
  constructor(failure: HookToolFailure) {
    super({ code: 'permission-denied', ...failure });
  }
}

/** Only the leader may do this. */
export class NotLeaderError extends HookToolError {
  constructor(failure: HookToolFailure) {
    super({ ...failure, code: 'not-leader' });
  }
}

/** There is no such secret, or no revision of it is left. */
export class SecretNotFoundError extends HookToolError {
  constructor(failure: HookToolFailure) {
    super({ ...failure, code: 'secret-not-found' });
  }
}

/** The secret may exist, but was not granted to this application. */
export class SecretPermissionError extends PermissionDeniedError {
  constructor(failure: HookToolFailure) {
    super({
      ...failure,
      code: 'secret-permission-denied',
      hint: 'grant the secret with "juju grant-secret <secret> <application>"',
    });
  }
}

/** The cloud's credential is for trusted applications only. */
export class CloudAccessError extends PermissionDeniedError {
  constructor(failure: HookToolFailure) {
    super({
      hint: 'trust the application with "juju trust <application>"',
      ...failure,
      code: 'cloud-access-denied',
    });
  }
}

interface Call {
  readonly tool: string;
  readonly args: readonly string[];
  readonly shownArgs?: readonly string[];
}

interface Outcome {
  readonly exitCode: number;
  readonly stderr: string;
}

// What a refusal means depends on what was asked for.
const REFUSED: Readonly<Record<string, new (failure: HookToolFailure) => PermissionDeniedError>> = {
  secret: SecretPermissionError,
  credential: CloudAccessError,
};

/** The error that fits Juju's phrase. */
export function hookToolError(call: Call, outcome: Outcome): HookToolError {
  const failure: HookToolFailure = {
    tool: call.tool,
    args: call.shownArgs ?? call.args,
    exitCode: outcome.exitCode,
    stderr: outcome.stderr,
  };
  const text = outcome.stderr.toLowerCase();
  const isSecret = call.tool.startsWith('secret-');
  if (text.includes('relation not found') && /^(relation|network|secret)-/.test(call.tool)) {
    return new RelationNotFoundError(failure);
  }
  if (text.includes('not the leader')) {
    return new NotLeaderError(failure);
  }
  if (isSecret && text.includes('not found')) {
    return new SecretNotFoundError(failure);
  }
  if (/permission denied|access denied|cannot write relation settings/.test(text)) {
    return new (REFUSED[call.tool.split('-')[0] ?? ''] ?? PermissionDeniedError)(failure);
  }
  return new HookToolError(failure);
}

function reasonOf(failure: HookToolFailure): string {
  const said = failure.stderr.trim().replace(/^ERROR /, '');
  return said === '' ? `exit code ${failure.exitCode ?? 'unknown'}` : said;
}
