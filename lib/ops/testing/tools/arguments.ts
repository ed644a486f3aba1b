/** Parses hook-tool arguments as Juju does: flags anywhere, `--` ends them. */

/** Becomes `ERROR <message>` on stderr and the exit code. */
export class ToolFailure extends Error {
  /** 1: failed while running; 2: bad usage. */
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message);
    this.exitCode = exitCode;
  }
}

export interface ParsedArguments {
  readonly values: ReadonlyMap<string, string>;
  readonly flags: ReadonlySet<string>;
  readonly rest: readonly string[];
}

export interface ArgumentRules {
  /** Flags with a value; several spellings of one separated by `|`, the last is its name. */
  readonly values?: readonly string[];
  /** Flags without a value. */
  readonly flags?: readonly string[];
}

/** @throws ToolFailure for a flag the tool does not have. */
export function parseArguments(args: readonly string[], rules: ArgumentRules): ParsedArguments {
  const values = new Map<string, string>();
  const flags = new Set<string>();
  const rest: string[] = [];
  const queue = [...args];
  for (let arg = queue.shift(); arg !== undefined; arg = queue.shift()) {
    if (arg === '--') {
      rest.push(...queue.splice(0));
    } else if (arg === '-' || !arg.startsWith('-')) {
      rest.push(arg);
    } else {
      parseFlag(arg, queue, rules, { values, flags });
    }
  }
  return { values, flags, rest };
}

function parseFlag(
  arg: string,
  queue: string[],
  rules: ArgumentRules,
  found: { readonly values: Map<string, string>; readonly flags: Set<string> },
): void {
  const { name, inline } = splitFlag(arg);
  const valued = [...(rules.values ?? []), '--format'].find((rule) =>
    rule.split('|').includes(name),
  );
  if (valued !== undefined) {
    const value = inline ?? queue.shift();
    if (value === undefined) {
      throw new ToolFailure(`option needs an argument: ${name}`, 2);
    }
    found.values.set(valued.split('|').at(-1) ?? name, value);
    return;
  }
  if (rules.flags?.includes(name) !== true) {
    throw new ToolFailure(`option provided but not defined: ${name}`, 2);
  }
  if (!['false', 'False', '0'].includes(inline ?? 'true')) {
    found.flags.add(name);
  }
}

function splitFlag(arg: string): { readonly name: string; readonly inline: string | undefined } {
  const equals = arg.indexOf('=');
  return equals === -1
    ? { name: arg, inline: undefined }
    : { name: arg.slice(0, equals), inline: arg.slice(equals + 1) };
}

/** A `key=value` argument. @throws ToolFailure */
export function pair(text: string): [string, string] {
  const equals = text.indexOf('=');
  if (equals === -1) {
    throw new ToolFailure(`expected "key=value", got "${text}"`, 2);
  }
  return [text.slice(0, equals).trim(), text.slice(equals + 1).trim()];
}
