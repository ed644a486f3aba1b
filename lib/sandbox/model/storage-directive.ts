/**
 * Sizes, and what people write after `--storage`. Pure.
 * https://github.com/juju/juju/blob/3.6/storage/constraints.go
 */
import type { StorageDirective } from '../api-storage.ts';

const POOL = /^[a-zA-Z]+[-?a-zA-Z0-9]*$/;
const COUNT = /^-?\d+$/;
const SIZE = /^-?\d+(?:\.\d+)?[MGTPEZY](?:i?B)?$/;
const SIZE_PARTS = /^(?<amount>\d+(?:\.\d+)?)(?<unit>[MGTPEZY])?(?:i?B)?$/;
const UNITS = 'MGTPEZY';

/** A size such as `1G` or `512` in whole MiB, rounded up; undefined when it is none. */
export function parseSize(text: string): number | undefined {
  const { amount, unit = 'M' } = SIZE_PARTS.exec(text)?.groups ?? {};
  return amount === undefined ? undefined : Math.ceil(Number(amount) * 1024 ** UNITS.indexOf(unit));
}

/**
 * Directives `name[=[pool,][count,][size]]` by name. A count not given is 1.
 * @throws Error with Juju's message; the caller knows what kind of error it is.
 */
export function parseStorageDirectives(
  args: readonly string[],
  options: { readonly valueRequired: boolean },
): Record<string, StorageDirective> {
  const directives: Record<string, StorageDirective> = {};
  for (const arg of args) {
    const [name = '', value, ...extra] = arg.split('=');
    if (name === '' || extra.length > 0) {
      throw new Error(`expected "name=constraints" or "name", got ${JSON.stringify(arg)}`);
    }
    if (value === undefined && options.valueRequired) {
      throw new Error(
        `expected "name=constraints" where "constraints" must be specified, got ${JSON.stringify(name)}`,
      );
    }
    if (directives[name] !== undefined) {
      throw new Error(`storage ${JSON.stringify(name)} specified more than once`);
    }
    directives[name] = parseDirective(name, value ?? '');
  }
  return directives;
}

function parseDirective(name: string, text: string): StorageDirective {
  let directive: StorageDirective = { count: 1 };
  for (const field of text.split(',').filter((each) => each !== '')) {
    if (POOL.test(field)) {
      // Juju warns of a second pool in its log and keeps the first.
      directive = { pool: field, ...directive };
    } else if (COUNT.test(field)) {
      directive = { ...directive, count: parseCount(name, field) };
    } else if (SIZE.test(field)) {
      directive = { ...directive, size: positiveSize(name, field) };
    } else {
      throw new Error(
        `cannot parse constraints for storage ${JSON.stringify(name)}: unrecognized storage constraint ${JSON.stringify(field)}`,
      );
    }
  }
  return directive;
}

function parseCount(name: string, text: string): number {
  const count = Number(text);
  if (count <= 0) {
    throw new Error(
      `cannot parse constraints for storage ${JSON.stringify(name)}: cannot parse count: count must be greater than zero, got ${JSON.stringify(text)}`,
    );
  }
  return count;
}

function positiveSize(name: string, text: string): number {
  const size = parseSize(text);
  if (size === undefined) {
    throw new Error(
      `cannot parse constraints for storage ${JSON.stringify(name)}: cannot parse size: expected a non-negative number, got ${JSON.stringify(text)}`,
    );
  }
  return size;
}
