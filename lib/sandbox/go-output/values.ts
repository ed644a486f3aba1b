/** Values that can be printed as YAML or JSON, and the order of their keys. */
import { sortedEntries } from './natural-sort.ts';

/** What the printers accept; undefined members of a map are left out. */
export type OutputValue =
  | string
  | number
  | boolean
  | null
  | undefined
  | Timestamp
  | readonly OutputValue[]
  | { readonly [key: string]: OutputValue };

/** A moment that YAML shows as its own kind of value, unquoted; JSON has it as text. */
export class Timestamp {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  toJSON(): string {
    return this.text;
  }
}

/** Sorts the keys of all maps inside, as Go prints its maps (structs keep the order of their fields). */
export function sortKeys(value: OutputValue): OutputValue {
  if (Array.isArray(value)) {
    return value.map(sortKeys);
  }
  if (isMap(value)) {
    return Object.fromEntries(sortedEntries(value).map(([key, item]) => [key, sortKeys(item)]));
  }
  return value;
}

/** Whether the value is a map. */
export function isMap(value: OutputValue): value is { readonly [key: string]: OutputValue } {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Timestamp)
  );
}

/** Drops members that are undefined, as Go's `omitempty` drops what is unset. */
export function definedEntries(
  map: Readonly<Record<string, OutputValue>>,
): [string, Exclude<OutputValue, undefined>][] {
  return Object.entries(map).filter(
    (entry): entry is [string, Exclude<OutputValue, undefined>] => entry[1] !== undefined,
  );
}
