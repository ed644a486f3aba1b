/** The manager's side of upkeep: begins it, tells of it, and takes in what it found. */

import type { Logger } from '#ops';
import type { Clock } from '#system';
import type { LastBackups } from './history.ts';
import { dueForRetention, withProofs } from './last-backups.ts';
import type { PeerStore } from './peer-store.ts';
import { retentionTargets } from './retention-targets.ts';
import { oneLine } from './table.ts';
import type { Proof, UpkeepAccess, UpkeepPort, UpkeepRecord, UpkeepTask } from './upkeep/upkeep.ts';

export interface UpkeepDeskOptions {
  readonly port: UpkeepPort;
  readonly peers: PeerStore;
  readonly clock: Clock;
  readonly log: Logger;
}

export class UpkeepDesk {
  readonly #options: UpkeepDeskOptions;

  constructor(options: UpkeepDeskOptions) {
    this.#options = options;
  }

  /** Of all units, newest first; own ones with progress. */
  async records(): Promise<readonly UpkeepRecord[]> {
    const { port, peers, clock } = this.#options;
    const own = await port.records(clock.now());
    return [...own, ...peers.upkeepOfOthers()].toSorted((a, b) =>
      a.startedAt < b.startedAt ? 1 : -1,
    );
  }

  /** Begins it in the background. @throws HintError `busy` or `cannot-start` */
  async start(task: UpkeepTask, access: UpkeepAccess): Promise<UpkeepRecord> {
    const { port, clock } = this.#options;
    const record = await port.start(task, access, clock.now());
    await this.tell();
    return record;
  }

  /** How fast each may go from now on, in bytes per second; undefined for no limit. */
  async limit(rate: number | undefined): Promise<void> {
    await this.#options.port.limit(rate);
  }

  /** Ends one of this unit. @returns whether there is such a one here */
  async cancel(id: string): Promise<UpkeepRecord | undefined> {
    const { port, clock } = this.#options;
    const record = (await port.records(clock.now())).find((one) => one.id === id);
    if (record?.state === 'running') {
      port.cancel(record);
    }
    return record;
  }

  /** Forgets what has ended on this unit. @returns how many */
  async forget(): Promise<number> {
    const count = await this.#options.port.forget();
    await this.tell();
    return count;
  }

  async remove(): Promise<void> {
    await this.#options.port.remove();
  }

  /** Tells the other units of this one's upkeep, and logs what has ended since it was last told. */
  async tell(): Promise<void> {
    const { port, peers, clock, log } = this.#options;
    const running = new Set(
      peers
        .ownUpkeep()
        .filter(({ state }) => state === 'running')
        .map(({ id }) => id),
    );
    const records = await port.records(clock.now());
    for (const record of records) {
      if (record.state !== 'running' && running.has(record.id)) {
        logOutcome(record, log);
      }
    }
    peers.tellUpkeep(records);
  }

  /** Leader only: notes what turned out to be restorable. */
  async takeIn(): Promise<void> {
    const records = await this.records();
    this.note(records.flatMap(({ proofs = [] }) => proofs));
  }

  /** Leader only. */
  note(proofs: readonly Proof[]): void {
    const { peers } = this.#options;
    const before = peers.lastBackups();
    const lastBackups = withProofs(before, proofs);
    if (lastBackups !== before) {
      peers.write({ lastBackups });
    }
  }

  /**
   * Leader only: begins retention where a backup has succeeded since, and daily everywhere, then with a sweep. What
   * cannot begin now does at a later event.
   */
  async retain(
    rules: string,
    access: UpkeepAccess,
    { isDaily }: { readonly isDaily: boolean },
  ): Promise<void> {
    const { peers, clock, port } = this.#options;
    const now = clock.now();
    const due = dueForRetention(peers.lastBackups(), { now, isDaily });
    const targets = retentionTargets(due);
    const records = targets.length === 0 ? [] : await port.records(now);
    if (targets.length === 0 || records.some(isRunningRetention)) {
      return;
    }
    const task: UpkeepTask = {
      kind: 'retention',
      subject: targets.map(({ database }) => database).join(', '),
      rules,
      targets,
      sweeps: isDaily,
    };
    try {
      await this.start(task, access);
    } catch (error) {
      const { log } = this.#options;
      log.warning(`retention cannot begin: ${error instanceof Error ? error.message : ''}`);
      return;
    }
    peers.write({ lastBackups: marked(peers.lastBackups(), due, now) });
  }
}

function isRunningRetention({ kind, state }: UpkeepRecord): boolean {
  return kind === 'retention' && state === 'running';
}

function marked(all: LastBackups, due: LastBackups, now: Date): LastBackups {
  const retainedAt = now.toISOString();
  return new Map(
    [...all].map(([id, one]) => [id, due.has(id) ? { ...one, retainedAt } : one] as const),
  );
}

/** What people call each kind. */
const UPKEEP_WORDS = {
  verify: 'verification',
  retention: 'retention',
  sweep: 'sweep',
} as const;

function logOutcome(record: UpkeepRecord, log: Logger): void {
  const { kind, subject, state, message = 'without a word', hint } = record;
  const text = `${UPKEEP_WORDS[kind]} of ${oneLine(subject)}: ${oneLine(message)}`;
  if (state === 'success') {
    log.info(text);
  } else {
    log.error(hint === undefined ? text : `${text}; ${oneLine(hint)}`);
  }
}
