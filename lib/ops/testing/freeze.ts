/** Copies and freezes test data, so that neither test nor charm changes what was given. */

/** A deep, frozen copy of plain data; class instances (statuses) are not copied, but frozen too. */
export function frozenCopy<T>(value: T): T {
  return Object.freeze(copyWith(value, frozenCopy)) as T;
}

/** A deep copy of plain data that may be changed; class instances are kept as they are. */
export function mutableCopy<T>(value: T): T {
  return copyWith(value, mutableCopy) as T;
}

function copyWith(value: unknown, copy: <V>(value: V) => V): unknown {
  if (Array.isArray(value)) {
    return value.map((item: unknown) => copy(item));
  }
  if (isPlain(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copy(item)]));
  }
  return value;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  // By the prototype's prototype: objects of another realm are as plain.
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.getPrototypeOf(Object.getPrototypeOf(value) ?? {}) === null
  );
}
