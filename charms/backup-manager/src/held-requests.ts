/**
 * Requests that wait until it is known what a database understands: until one of its units is here, and each that is has
 * announced its features or turned out to be of version 0. Sent before, they would hold the S3 keys in plaintext, though
 * the database knows secrets (docs/decisions/0005-protocol-extensions.md).
 */
import type { BackupRequirer, Job, RelatedDatabase } from '#database-backup';
import type { Databag, Relation } from '#ops';
import { type HeldJob, type HistoryEntry, isFinished } from './history.ts';

export function heldJob({ storageConfig: _keys, encryption: _passphrase, ...job }: Job): HeldJob {
  return job;
}

/** Of the peer databag: relation id → units that were heard of and said nothing. */
const KEY = 'silent-units';

type Memory = Readonly<Record<string, readonly string[]>>;

export class Acquaintances {
  readonly #requirer: BackupRequirer;
  readonly #databag: () => Databag | undefined;

  /** @param databag the application's own peer databag */
  constructor(requirer: BackupRequirer, databag: () => Databag | undefined) {
    this.#requirer = requirer;
    this.#databag = databag;
  }

  /** Whether it is known what this database understands: nothing beyond version 0, perhaps. */
  isKnown(relation: Relation): boolean {
    const silent = this.#requirer.silentUnits(relation);
    const heard = this.#memory()[String(relation.id)] ?? [];
    return relation.units.length > 0 && silent.every((unit) => heard.includes(unit));
  }

  /** A unit changed, and has introduced itself if it ever will: if it is silent now, it is of version 0. Leader only. */
  hear(relation: Relation, unit: string): void {
    const heard = this.#memory()[String(relation.id)] ?? [];
    if (!heard.includes(unit) && this.#requirer.silentUnits(relation).includes(unit)) {
      this.#remember({ ...this.#memory(), [String(relation.id)]: [...heard, unit] });
    }
  }

  /** All units that are here have had the time; what is gone is forgotten. Leader only. */
  hearAll(relations: readonly Relation[]): void {
    this.#remember(
      Object.fromEntries(
        relations
          .map((relation) => [String(relation.id), this.#requirer.silentUnits(relation)] as const)
          .filter(([, units]) => units.length > 0),
      ),
    );
  }

  #memory(): Memory {
    const text = this.#databag()?.get(KEY);
    // Written by this class alone.
    return text === undefined ? {} : (JSON.parse(text) as Memory);
  }

  #remember(memory: Memory): void {
    this.#databag()?.set(KEY, Object.keys(memory).length === 0 ? '' : JSON.stringify(memory));
  }
}

export interface Release {
  readonly history: readonly HistoryEntry[];
  /** Relation id → jobs to be asked for now. */
  readonly jobs: ReadonlyMap<number, readonly Job[]>;
  /** Entries that ended instead. */
  readonly refused: readonly HistoryEntry[];
}

/** What a held request needs to be sent. */
export interface ReleaseTerms {
  /** The databases looked at. */
  readonly databases: readonly RelatedDatabase[];
  readonly now: Date;
  readonly isKnown: (relation: Relation) => boolean;
  /** Why it cannot be done as it must be, in words. */
  readonly obstacle: (database: RelatedDatabase, job: HeldJob) => string | undefined;
  /** undefined where there is no storage now: it goes on waiting. */
  readonly complete: ((database: RelatedDatabase, job: HeldJob) => Job) | undefined;
}

/** Sends what need not wait any more. */
export function releaseHeld(history: readonly HistoryEntry[], terms: ReleaseTerms): Release {
  const jobs = new Map<number, readonly Job[]>();
  const refused: HistoryEntry[] = [];
  const next = history.map((entry) => {
    const { held, relationId } = entry;
    const database = terms.databases.find(({ relation }) => relation.id === relationId);
    const { complete } = terms;
    if (
      held === undefined ||
      isFinished(entry) ||
      database === undefined ||
      complete === undefined ||
      !terms.isKnown(database.relation)
    ) {
      return entry;
    }
    const obstacle = terms.obstacle(database, held);
    if (obstacle !== undefined) {
      const ended = refuse(entry, obstacle, terms.now);
      refused.push(ended);
      return ended;
    }
    jobs.set(relationId, [...(jobs.get(relationId) ?? []), complete(database, held)]);
    return { ...entry, held: undefined };
  });
  return { history: refused.length + jobs.size === 0 ? history : next, jobs, refused };
}

function refuse(entry: HistoryEntry, obstacle: string, now: Date): HistoryEntry {
  return {
    ...entry,
    held: undefined,
    state: 'error',
    finishedAt: now.toISOString(),
    message: `nothing was asked, as it is to be encrypted: ${entry.database} ${obstacle}`,
    errorCode: 'not-supported',
    hint: 'refresh its charm, then ask again',
  };
}

/** What a held request waits for, in words. */
export function heldText(database: string): string {
  return `waits for ${database}: its units have not introduced themselves yet`;
}
