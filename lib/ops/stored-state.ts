/** Values an object of the charm keeps between dispatches. */
import { HintError } from '#system';
import type { CharmObject } from './framework.ts';
import { checkSimple, type SimpleValue } from './simple-value.ts';

/** Texts, numbers, booleans, null, arrays and plain objects of these, under fixed names. */
export type StoredValues<T> = { [Key in keyof T]: SimpleValue };

/** Key of a stored state in the unit's state. */
export const STORED_PREFIX = 'ops:stored:';

/**
 * An object with the names of `defaults`, whose values are those the unit kept, or the defaults
 * where it kept none. It is used like any object: assign to its names, change what is in them.
 * What differs at the end of a dispatch is kept, if that succeeds. Not for secrets: Juju's
 * administrators can read it.
 * @param name unique in `owner`; together they say whose values these are, also after an upgrade
 * @throws HintError for two of one name, for values that are not simple, for kept ones out of shape.
 */
export function storedState<T extends StoredValues<T>>(
  owner: CharmObject,
  name: string,
  defaults: T,
): T {
  const slot = new Slot(owner, name, defaults);
  const view = {};
  for (const key of Object.keys(defaults)) {
    Object.defineProperty(view, key, {
      enumerable: true,
      get: () => slot.values[key],
      set: (value: unknown): void => {
        slot.set(key, value);
      },
    });
  }
  // Names that are not declared would not be kept: assigning to them throws.
  return Object.preventExtensions(view) as T;
}

type Values = Record<string, unknown>;

class Slot {
  readonly #path: string;
  readonly #key: string;
  readonly #owner: CharmObject;
  readonly #defaults: object;
  #values: Values | undefined;
  /** What is kept, or would be if nothing changed. */
  #before = '';

  constructor(owner: CharmObject, name: string, defaults: object) {
    if (name === '' || name.includes('/')) {
      throw new HintError(`cannot make stored state "${name}" of ${owner.path}: invalid name`, {
        code: 'invalid-stored-state-name',
        hint: 'use a name without slashes',
      });
    }
    this.#path = `${owner.path}/${name}`;
    this.#key = `${STORED_PREFIX}${this.#path}`;
    this.#owner = owner;
    checkSimple(defaults, this.#path);
    this.#defaults = defaults;
    owner.framework.claimPath(`stored state ${this.#path}`);
    owner.framework.unitState.onSave(this.#key, () => this.#changed());
  }

  get values(): Values {
    this.#values ??= this.#load();
    return this.#values;
  }

  set(key: string, value: unknown): void {
    checkSimple(value, `${this.#path}.${key}`);
    this.values[key] = value;
  }

  #load(): Values {
    const kept = this.#owner.framework.unitState.read(this.#key);
    const values = { ...structuredClone(this.#defaults), ...this.#parse(kept ?? '{}') };
    this.#before = JSON.stringify(values);
    return values;
  }

  #parse(text: string): object {
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
        return value;
      }
    } catch {
      // As for what is JSON but no object.
    }
    throw new HintError(`cannot read ${this.#path}: what Juju keeps under "${this.#key}" is none`, {
      code: 'malformed-stored-state',
      hint: `see it with juju-exec -u ${this.#owner.framework.juju.unitName} "state-get", and delete it with state-delete`,
    });
  }

  #changed(): string | undefined {
    if (this.#values === undefined) {
      return undefined;
    }
    checkSimple(this.#values, this.#path);
    const now = JSON.stringify(this.#values);
    return now === this.#before ? undefined : now;
  }
}
