/** Values that JSON can say and give back unchanged: what may be kept between dispatches. */
import { HintError } from '#system';

export type SimpleValue =
  | string
  | number
  | boolean
  | null
  | readonly SimpleValue[]
  | { readonly [key: string]: SimpleValue };

/**
 * @param path what to call the value in the error: `charm/stored.seen`
 * @throws HintError naming the place of what JSON cannot say.
 */
export function checkSimple(value: unknown, path: string): asserts value is SimpleValue {
  check(value, path, []);
}

function check(value: unknown, path: string, inside: readonly unknown[]): void {
  if (isScalar(value)) {
    return;
  }
  if (typeof value !== 'object' || !(Array.isArray(value) || isPlain(value))) {
    throw refused(path, describe(value));
  }
  if (inside.includes(value)) {
    throw refused(path, 'an object that contains itself');
  }
  for (const [key, item] of itemsOf(value)) {
    check(item, `${path}${key}`, [...inside, value]);
  }
}

function isScalar(value: unknown): value is SimpleValue {
  const isOther = value === null || typeof value === 'string' || typeof value === 'boolean';
  return isOther || Number.isFinite(value);
}

/** With holes of arrays, which count as undefined. */
function itemsOf(value: object): readonly (readonly [string, unknown])[] {
  return Array.isArray(value)
    ? Array.from(value, (item: unknown, index) => [`[${index}]`, item] as const)
    : Object.entries(value).map(([key, item]) => [`.${key}`, item] as const);
}

function isPlain(value: object | null): boolean {
  // By the prototype's prototype: objects of another realm are as plain.
  return Object.getPrototypeOf(Object.getPrototypeOf(value) ?? {}) === null;
}

function describe(value: unknown): string {
  if (typeof value === 'object' && value !== null) {
    return `an object of class ${value.constructor.name}`;
  }
  return typeof value === 'number' ? String(value) : typeof value;
}

function refused(path: string, what: string): HintError {
  return new HintError(`cannot keep ${path}: it is ${what}`, {
    code: 'not-simple',
    hint: 'use texts, finite numbers, booleans, null, arrays and plain objects of these',
  });
}
