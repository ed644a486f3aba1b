/** What the in-memory hook tools have in common. */
import type { World } from '../world.ts';

/**
 * One hook tool: changes the world, returns what it prints. A string is printed as it is, anything
 * else as JSON; undefined prints nothing.
 */
export type Tool = (world: World, args: readonly string[], stdin: string) => unknown;

/** Marks a value that is printed as JSON though it is a string. */
export class Json {
  readonly value: unknown;

  constructor(value: unknown) {
    this.value = value;
  }
}
