/**
 * Remembers whether the bucket could be used when last tried. The memory is this unit's peer databag,
 * so that events in between need not ask S3, and a fault clears itself once a try succeeds.
 */
import type { Databag, Logger } from '#ops';
import { type Clock, describeError, HintError } from '#system';
import { withDeadline } from './deadline.ts';
import type { StoragePort } from './storage.ts';
import type { StorageFault, StorageSettings } from './storage-settings.ts';

export interface HealthOptions {
  readonly ports: { readonly storage: StoragePort; readonly clock: Clock };
  readonly settings: () => StorageSettings;
  /** Where the last answer is kept; undefined before Juju has set up the peers. */
  readonly databag: () => Databag | undefined;
  readonly log: Logger;
}

// A hook that waits longer holds up every other one on the machine.
const CHECK_DEADLINE_MS = 8000;
// With S3 down, progress events come every few seconds; not each of them may wait for it.
const RECHECK_AFTER_MS = 30_000;

const KEY = 'storage-fault';

export class StorageHealth {
  readonly #options: HealthOptions;

  constructor(options: HealthOptions) {
    this.#options = options;
  }

  /** Why nothing can be stored, as far as known without asking. */
  fault(): StorageFault | undefined {
    return this.#options.settings().fault ?? this.#remembered()?.fault;
  }

  /** Tries the bucket now. Never throws; logs when the answer differs from the last. */
  async check(): Promise<StorageFault | undefined> {
    const { config, fault: unusable } = this.#options.settings();
    if (config === undefined) {
      this.#remember(undefined);
      return unusable;
    }
    const { clock, storage } = this.#options.ports;
    const options = { clock, ms: CHECK_DEADLINE_MS, subject: config.endpoint ?? 'S3' };
    try {
      await withDeadline(options, async (signal) => await storage.check(config, { signal }));
      this.#remember(undefined);
      return undefined;
    } catch (error) {
      const fault = toFault(error);
      this.#remember(fault);
      return fault;
    }
  }

  /** Tries again where the last answer was a fault, though not too often. */
  async recheck(): Promise<void> {
    const remembered = this.#remembered();
    const now = this.#options.ports.clock.now().getTime();
    if (remembered !== undefined && !(now - remembered.at < RECHECK_AFTER_MS)) {
      await this.check();
    }
  }

  /** Drops what is remembered: another unit looks after the storage now. */
  forget(): void {
    if (this.#remembered() !== undefined) {
      this.#options.databag()?.delete(KEY);
    }
  }

  #remember(fault: StorageFault | undefined): void {
    const databag = this.#options.databag();
    const before = this.#remembered()?.fault;
    if (fault !== undefined) {
      const at = this.#options.ports.clock.now().getTime();
      databag?.set(KEY, JSON.stringify({ fault, at }));
    } else if (before !== undefined) {
      databag?.delete(KEY);
    }
    this.#logChange(before, fault);
  }

  #logChange(before: StorageFault | undefined, after: StorageFault | undefined): void {
    if (after !== undefined && after.code !== before?.code) {
      this.#options.log.warning(`backups cannot be stored: ${after.message}; ${after.hint}`);
    } else if (after === undefined && before !== undefined) {
      this.#options.log.info('the storage of the backups can be used again');
    }
  }

  #remembered(): { readonly fault: StorageFault; readonly at: number } | undefined {
    const text = this.#options.databag()?.get(KEY);
    // Written by this class alone, a version of this charm at a time.
    return text === undefined ? undefined : JSON.parse(text);
  }
}

function toFault(error: unknown): StorageFault {
  return error instanceof HintError
    ? { code: error.code, message: error.message, hint: error.hint ?? 'check the S3 settings' }
    : {
        code: 'storage-failed',
        message: `the storage cannot be used: ${describeError(error)}`,
        hint: 'check the S3 settings',
      };
}
