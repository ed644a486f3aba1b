/**
 * Remembers whether the bucket could be used when last tried. The memory is this unit's peer databag,
 * so that events in between need not ask S3, and a fault clears itself once a try succeeds.
 */
import type { StorageConfig } from '#database-backup';
import type { StorageReport } from '#object-store';
import type { Databag, Logger } from '#ops';
import { type Clock, describeError, HintError } from '#system';
import { withDeadline } from './deadline.ts';
import type { StoragePort } from './storage.ts';
import { type KeptProfile, profileFrom } from './storage-profile.ts';
import type { StorageFault, StorageSettings } from './storage-settings.ts';

export interface HealthOptions {
  readonly ports: { readonly storage: StoragePort; readonly clock: Clock };
  /** As they are used, with what was found to work. */
  readonly settings: () => StorageSettings;
  /** As the administrator gave them. */
  readonly given: () => StorageSettings;
  /** Keeps what was found to work; undefined: the settings as given. */
  readonly adopt: (profile: KeptProfile | undefined) => void;
  /** Where the last answer is kept; undefined before Juju has set up the peers. */
  readonly databag: () => Databag | undefined;
  readonly log: Logger;
}

// A hook that waits longer holds up every other one on the machine.
const CHECK_DEADLINE_MS = 8000;
// A probe ends by itself after 9 s.
const PROBE_DEADLINE_MS = 12_000;
// With S3 down, progress events come every few seconds; not each of them may wait for it.
const RECHECK_AFTER_MS = 30_000;

// What speaking to the server in another style or region may cure.
const CURABLE: readonly string[] = [
  'wrong-region',
  'no-such-bucket',
  'not-found',
  'not-an-s3-endpoint',
  'storage-failed',
  'wrong-credentials',
];

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
    const fault = await this.#attempt();
    this.#remember(this.#options.settings().config === undefined ? undefined : fault);
    return fault;
  }

  /** The same; where that may help, tries other ways to speak to the server, and adopts the one that works. */
  async adapt(): Promise<StorageFault | undefined> {
    const fault = await this.#attempt();
    const given = this.#options.given().config;
    const isHopeless = fault === undefined || given === undefined || !isCurable(fault, given);
    if (isHopeless || !(await this.#isProbedUsable(given))) {
      this.#remember(given === undefined ? undefined : fault);
      return fault;
    }
    return await this.check();
  }

  /** Finds out what the server can do, and adopts what works. */
  async probe(given: StorageConfig): Promise<StorageReport> {
    const { ports, adopt, log } = this.#options;
    const options = { clock: ports.clock, ms: PROBE_DEADLINE_MS, subject: given.endpoint ?? 'S3' };
    const report = await withDeadline(
      options,
      async (signal) => await ports.storage.probe(given, { signal }),
    );
    if (report.usable) {
      const profile = profileFrom(given, report);
      adopt(profile);
      if (profile !== undefined) {
        const { settings: _, ...changes } = profile;
        const words = Object.entries(changes).map(([name, value]) => `${name}=${value}`);
        log.info(`the storage works with ${words.join(' and ')}, which is used from now on`);
      }
    }
    return report;
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

  async #isProbedUsable(given: StorageConfig): Promise<boolean> {
    try {
      const { usable } = await this.probe(given);
      return usable;
    } catch (error) {
      // The first answer tells more than a probe without one.
      this.#options.log.debug(`probing the storage: ${describeError(error)}`);
      return false;
    }
  }

  async #attempt(): Promise<StorageFault | undefined> {
    const { config, fault } = this.#options.settings();
    if (config === undefined) {
      return fault;
    }
    const { clock, storage } = this.#options.ports;
    const options = { clock, ms: CHECK_DEADLINE_MS, subject: config.endpoint ?? 'S3' };
    try {
      await withDeadline(options, async (signal) => await storage.check(config, { signal }));
      return undefined;
    } catch (error) {
      return toFault(error);
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

function isCurable({ code }: StorageFault, given: StorageConfig): boolean {
  // Where the bucket is part of the server's name, that name may not exist.
  const hasOwnName = (given['s3-uri-style'] ?? 'path') !== 'path';
  return CURABLE.includes(code) || (code === 'unreachable' && hasOwnName);
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
