/** Results of an action in the form Juju takes: dotted keys, text values. Pure. */
import { HintError } from '#system';
import { MAX_ARGUMENT_BYTES } from './hook-tools/text.ts';

export type ActionResultValue = string | number | boolean | ActionResults;

/** Nested results; undefined values are left out. */
export interface ActionResults {
  readonly [key: string]: ActionResultValue | undefined;
}

// Juju's rule for each segment of a key.
const SEGMENT = /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/;
const RESERVED = ['stdout', 'stdout-encoding', 'stderr', 'stderr-encoding'];

/**
 * `{ a: { b: 1 } }` → `{ 'a.b': '1' }`.
 * @throws HintError naming the key Juju would refuse, or that occurs twice.
 */
export function flattenResults(results: ActionResults): Readonly<Record<string, string>> {
  const flat = new Map<string, string>();
  collect(results, '', flat);
  return Object.fromEntries(flat);
}

function collect(results: ActionResults, prefix: string, flat: Map<string, string>): void {
  for (const [key, value] of Object.entries(results)) {
    const path = prefix === '' ? key : `${prefix}.${key}`;
    if (value === undefined) {
      continue;
    }
    checkKey(key, path);
    if (typeof value === 'object') {
      collect(value, path, flat);
    } else {
      add(path, String(value), flat);
    }
  }
}

function checkKey(key: string, path: string): void {
  for (const segment of key.split('.')) {
    if (!SEGMENT.test(segment)) {
      throw refused(path, 'use lower-case letters, digits and dashes');
    }
    if (RESERVED.includes(segment)) {
      throw refused(path, `choose another word: Juju reserves "${segment}"`);
    }
  }
}

function add(path: string, value: string, flat: Map<string, string>): void {
  if (flat.has(path)) {
    throw refused(path, 'give each result a key of its own; this one occurs twice');
  }
  // action-set takes results only as arguments.
  if (Buffer.byteLength(`${path}=${value}`) > MAX_ARGUMENT_BYTES) {
    throw refused(path, `shorten the value to less than ${MAX_ARGUMENT_BYTES} bytes`);
  }
  flat.set(path, value);
}

function refused(path: string, hint: string): HintError {
  return new HintError(`cannot set action result "${path}"`, {
    code: 'invalid-action-result',
    hint,
  });
}
