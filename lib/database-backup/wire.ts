/** Small pieces both directions of the codec share. */

import type { JsonValue } from '#system';
import { HintError } from '#system';
import type { JsonObject } from './job.ts';
import { type ItemKind, itemIssues } from './schema.ts';

/** JSON text that is the same for equal values, whatever the order their keys were set in. */
function stableJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (isObject(part) ? sortedKeys(part) : part));
}

/**
 * The text of a `jobs` list, checked before it is written.
 * @throws HintError with code `invalid-job` when an item breaks the schema: a mistake of the caller
 */
export function encodeItems(kind: ItemKind, items: readonly unknown[]): string {
  // What goes over the wire is what is checked: values that are not JSON have vanished by then.
  const text = stableJson(items);
  const decoded = JSON.parse(text) as unknown[];
  const issues = decoded.flatMap((item, index) => itemIssues(kind, item, `jobs/${index}`));
  if (issues.length > 0) {
    throw new HintError(`cannot encode jobs: ${issues.join('; ')}`, { code: 'invalid-job' });
  }
  return text;
}

/** The keys of `item` that are not among `known`; undefined when there are none. */
export function unknownKeys(item: JsonObject, known: ReadonlySet<string>): { extra?: JsonObject } {
  const entries = Object.entries(item).filter(([key]) => !known.has(key));
  return entries.length === 0 ? {} : { extra: Object.fromEntries(entries) };
}

/** `{[name]: value}` when `value` is a string, else nothing: an extension of another type is ignored. */
export function textField<Name extends string>(
  name: Name,
  value: JsonValue | undefined,
): { [key in Name]?: string } {
  return typeof value === 'string' ? ({ [name]: value } as { [key in Name]: string }) : {};
}

/** The same for a count: finite and not negative. */
export function countField<Name extends string>(
  name: Name,
  value: JsonValue | undefined,
): { [key in Name]?: number } {
  const isCount = typeof value === 'number' && Number.isFinite(value) && value >= 0;
  return isCount ? ({ [name]: value } as { [key in Name]: number }) : {};
}

/** The same for a flag that is set; `false` says as little as no key. */
export function flagField<Name extends string>(
  name: Name,
  value: JsonValue | undefined,
): { [key in Name]?: true } {
  return value === true ? ({ [name]: true } as { [key in Name]: true }) : {};
}

/** Whether `value` is a JSON object, that is neither null nor a list. */
export function isObject(value: unknown): value is Readonly<Record<string, JsonValue>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function sortedKeys(value: object): object {
  const keys = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(keys);
}
