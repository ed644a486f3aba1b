/** The parameters of an action: `key.key=value` arguments over the content of `--params`. */
import { quoted, UsageError } from '../errors.ts';

/** A parameter as typed. */
export interface ParamArgument {
  readonly path: readonly string[];
  readonly text: string;
}

type Tree = Record<string, unknown>;

const SEGMENT = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;

/** @throws UsageError with Juju's message. */
export function parseParamArgument(argument: string): ParamArgument {
  const at = argument.indexOf('=');
  const path = argument.slice(0, Math.max(at, 0)).split('.');
  if (at < 1 || path.includes('')) {
    throw new UsageError(`argument ${quoted(argument)} must be of the form key.key.key...=value`);
  }
  for (const segment of path) {
    if (!SEGMENT.test(segment)) {
      throw new UsageError(
        `key ${quoted(segment)} must start and end with lowercase alphanumeric, and contain only lowercase alphanumeric and hyphens`,
      );
    }
  }
  return { path, text: argument.slice(at + 1) };
}

/** Puts each value at its place; later ones win over earlier ones and over `base`. */
export function mergeParams(
  base: Readonly<Tree>,
  values: readonly { readonly path: readonly string[]; readonly value: unknown }[],
): Tree {
  const merged = structuredClone(base) as Tree;
  for (const { path, value } of values) {
    setAt(merged, path, value);
  }
  return merged;
}

function setAt(tree: Tree, path: readonly string[], value: unknown): void {
  let place = tree;
  for (const segment of path.slice(0, -1)) {
    const below = place[segment];
    const next: Tree = isTree(below) ? below : {};
    place[segment] = next;
    place = next;
  }
  place[path.at(-1) ?? ''] = value;
}

/** Whether the value is a map. */
export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
