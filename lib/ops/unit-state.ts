/** What the SDK keeps for the unit between dispatches, in Juju's own store (state-get, state-set). */
import { HintError } from '#system';
import { type HookToolRunner, stateGet, stateSet } from './hook-tools/index.ts';
import type { Logger } from './logger.ts';

// Juju's fixed quotas (core/quota), in bytes, and the default of `max-charm-state-size`.
const MAX_KEY_BYTES = 256;
const MAX_VALUE_BYTES = 65_536;
const DEFAULT_MAX_STATE_BYTES = 2 * 1024 * 1024;

/** Read at most once a dispatch, when first asked for; written at most once, when all went well. */
export class UnitState {
  readonly #tools: HookToolRunner;
  readonly #savers = new Map<string, () => string | undefined>();
  #given: ReadonlyMap<string, string> | undefined;

  constructor(tools: HookToolRunner) {
    this.#tools = tools;
  }

  /** The value Juju has. */
  read(key: string): string | undefined {
    this.#given ??= new Map(Object.entries(stateGet(this.#tools)));
    return this.#given.get(key);
  }

  /** Asked when all went well: `save` tells the value to keep, or undefined to leave it as it is. */
  onSave(key: string, save: () => string | undefined): void {
    this.#savers.set(key, save);
  }

  /**
   * Hands Juju what changed, in one call or none. Juju keeps it with all else the hook changed.
   * @throws HintError when Juju would refuse a key or value for its size.
   */
  save(log: Logger): void {
    const changes = new Map<string, string>();
    for (const [key, save] of this.#savers) {
      const text = save();
      if (text !== undefined && text !== this.#given?.get(key)) {
        checkSize(key, text);
        changes.set(key, text);
      }
    }
    if (changes.size === 0) {
      return;
    }
    const bytes = sizeOf(new Map([...(this.#given ?? []), ...changes]));
    if (bytes > DEFAULT_MAX_STATE_BYTES) {
      log.warning(
        `the unit's state has ${bytes} bytes: unless the model allows more with max-charm-state-size, Juju refuses it`,
      );
    }
    stateSet(this.#tools, Object.fromEntries(changes));
  }
}

function checkSize(key: string, value: string): void {
  const keyBytes = Buffer.byteLength(key);
  const valueBytes = Buffer.byteLength(value);
  if (keyBytes > MAX_KEY_BYTES) {
    throw tooLarge(`${key}: its name has ${keyBytes} bytes`, MAX_KEY_BYTES, 'use shorter names');
  }
  if (valueBytes > MAX_VALUE_BYTES) {
    const hint =
      'keep less, in several stored states, or handle events instead of deferring them again and again';
    throw tooLarge(`${key}: it has ${valueBytes} bytes`, MAX_VALUE_BYTES, hint);
  }
}

function tooLarge(what: string, limit: number, hint: string): HintError {
  return new HintError(`cannot keep ${what}, and Juju takes at most ${limit}`, {
    code: 'unit-state-too-large',
    hint,
  });
}

function sizeOf(values: ReadonlyMap<string, string>): number {
  return [...values].flat().reduce((sum, text) => sum + Buffer.byteLength(text), 0);
}
