/** What this application remembers, in the databags of its peer relation. Each text is read once a dispatch. */
import type { CharmBase, Databag, Relation } from '#ops';
import type { BackupManagerTypes } from './charm-types.ts';
import {
  encodeHistory,
  encodeLastBackups,
  type HistoryEntry,
  isFinished,
  type LastBackups,
  parseHistory,
  parseLastBackups,
} from './history.ts';
import { type KeptProfile, parseProfile } from './storage-profile.ts';
import { parseRecords, type UpkeepRecord } from './upkeep/upkeep.ts';

/** Name of the peer endpoint. */
const PEERS = 'history';
const UPKEEP = 'upkeep';
const PROFILE = 'storage-profile';

export class PeerStore {
  readonly #charm: CharmBase<BackupManagerTypes>;
  readonly #limit: () => number;
  #history: readonly HistoryEntry[] | undefined;
  #lastBackups: LastBackups | undefined;

  /** @param limit how many finished entries to keep */
  constructor(charm: CharmBase<BackupManagerTypes>, limit: () => number) {
    this.#charm = charm;
    this.#limit = limit;
  }

  /** Whether Juju has told this unit about its peers. */
  get isReady(): boolean {
    return this.#relation() !== undefined;
  }

  /** The leader, as the last one to reconcile wrote. */
  get leaderName(): string | undefined {
    return this.ofApp()?.get('leader');
  }

  history(): readonly HistoryEntry[] {
    this.#history ??= parseHistory(this.ofApp()?.get('history'));
    return this.#history;
  }

  lastBackups(): LastBackups {
    this.#lastBackups ??= parseLastBackups(this.ofApp()?.get('last-backups'));
    return this.#lastBackups;
  }

  profile(): KeptProfile | undefined {
    return parseProfile(this.ofApp()?.get(PROFILE));
  }

  /** Leader only. What stays the same is not written. */
  write(changes: {
    readonly leader?: string;
    readonly history?: readonly HistoryEntry[];
    readonly lastBackups?: LastBackups;
  }): void {
    const { leader, lastBackups } = changes;
    const history = this.#isKnown(changes.history) ? undefined : changes.history;
    this.#history = history ?? this.#history;
    this.#lastBackups = lastBackups ?? this.#lastBackups;
    this.ofApp()?.update({
      ...(leader === undefined ? {} : { leader }),
      ...(history === undefined ? {} : { history: encodeHistory(history, this.#limit()) }),
      ...(lastBackups === undefined ? {} : { 'last-backups': encodeLastBackups(lastBackups) }),
    });
  }

  /** Encoding a long history costs more than all else of a dispatch, and mostly nothing is new. */
  #isKnown(history: readonly HistoryEntry[] = []): boolean {
    const known = this.#history;
    return (
      known?.length === history.length &&
      history.every((entry, index) => entry === known[index]) &&
      history.filter(isFinished).length <= this.#limit()
    );
  }

  /** Leader only. */
  writeProfile(profile: KeptProfile | undefined): void {
    this.ofApp()?.set(PROFILE, profile === undefined ? '' : JSON.stringify(profile));
  }

  /** Tells the other units of this unit's upkeep. */
  tellUpkeep(records: readonly UpkeepRecord[]): void {
    // Progress would wake all units again and again; it is read on the unit itself.
    const told = records.map((record) => ({
      ...record,
      process: undefined,
      ...(record.state === 'running' ? { bytes: undefined, totalBytes: undefined } : {}),
    }));
    this.ofUnit()?.set(UPKEEP, told.length === 0 ? '' : JSON.stringify(told));
  }

  /** What this unit last told of its upkeep. */
  ownUpkeep(): readonly UpkeepRecord[] {
    return parseRecords(this.ofUnit()?.get(UPKEEP));
  }

  /** What the other units tell of theirs. */
  upkeepOfOthers(): readonly UpkeepRecord[] {
    const relation = this.#relation();
    return (relation?.units ?? []).flatMap((unit) =>
      parseRecords(relation?.data(unit).get(UPKEEP)),
    );
  }

  /** This unit's own databag; undefined before Juju has set up the peers. */
  ofUnit(): Databag | undefined {
    return this.#relation()?.data(this.#charm.unit);
  }

  /** The application's own databag; undefined before Juju has set up the peers. */
  ofApp(): Databag | undefined {
    return this.#relation()?.data(this.#charm.app);
  }

  #relation(): Relation | undefined {
    return this.#charm.model.getRelation(PEERS);
  }
}
