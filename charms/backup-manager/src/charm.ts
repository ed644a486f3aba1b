/** Wires Juju's events and actions to the manager. Reconciles: every event takes in everything. */
import { BackupRequirer, FEATURES } from '#database-backup';
import {
  type ActionEvent,
  ActiveStatus,
  BlockedStatus,
  CharmBase,
  type CollectStatusEvent,
  type Framework,
  HookToolError,
} from '#ops';
import { describeError, HintError } from '#system';
import { deleteBackup, keepBackup, verifyBackup } from './actions/backup-actions.ts';
import { cancelJob } from './actions/cancel-job.ts';
import { checkStorage } from './actions/check-storage.ts';
import { clearHistory } from './actions/clear-history.ts';
import { changePassphrase, recoveryKit, rotateKey } from './actions/encryption-actions.ts';
import { listItems, restoreItem } from './actions/item-actions.ts';
import { listBackups, showBackup } from './actions/list-backups.ts';
import { listDatabases } from './actions/list-databases.ts';
import { listJobs, showJob } from './actions/query-actions.ts';
import { createBackup, restore } from './actions/request-actions.ts';
import { planRetentionNow, sweepNow } from './actions/retention-actions.ts';
import { undoRestore } from './actions/undo-restore.ts';
import type { BackupManagerTypes } from './charm-types.ts';
import { busyRelations, type HistoryEntry } from './history.ts';
import { Manager, type ManagerPorts, realPorts, UPKEEP_EVENT } from './manager.ts';
import { outcomeText } from './presentation.ts';
import { dropRevision } from './secret-sharing.ts';
import { describeStatus, shrunkText } from './status.ts';

type Actions = BackupManagerTypes['actions'];
type Perform<Name extends keyof Actions> = (
  event: ActionEvent<Actions[Name]>,
  manager: Manager,
) => void | Promise<void>;

export class BackupManagerCharm extends CharmBase<BackupManagerTypes> {
  readonly #requirer: BackupRequirer;
  readonly #manager: Manager;

  constructor(framework: Framework, ports: ManagerPorts = realPorts()) {
    super(framework);
    this.#requirer = new BackupRequirer(this, 'database-backup', { features: FEATURES });
    this.#manager = new Manager(this, this.#requirer, ports);
    this.#observeLifeCycle();
    this.#observeDatabases();
    this.#observeActions();
    framework.observe(this.on.collectUnitStatus, async (event) => await this.#tellStatus(event));
    framework.observe(this.on.collectAppStatus, async (event) => await this.#tellStatus(event));
  }

  #observeActions(): void {
    this.#observeAction('create-backup', createBackup);
    this.#observeAction('restore', restore);
    this.#observeAction('undo-restore', undoRestore);
    this.#observeAction('cancel-job', cancelJob);
    this.#observeAction('list-jobs', listJobs);
    this.#observeAction('show-job', showJob);
    this.#observeAction('list-databases', listDatabases);
    this.#observeAction('list-backups', listBackups);
    this.#observeAction('show-backup', showBackup);
    this.#observeAction('verify-backup', verifyBackup);
    this.#observeAction('delete-backup', deleteBackup);
    this.#observeAction('keep-backup', keepBackup);
    this.#observeAction('plan-retention', planRetentionNow);
    this.#observeAction('sweep', sweepNow);
    this.#observeAction('list-items', listItems);
    this.#observeAction('restore-item', restoreItem);
    this.#observeAction('rotate-key', rotateKey);
    this.#observeAction('change-passphrase', changePassphrase);
    this.#observeAction('recovery-kit', recoveryKit);
    this.#observeAction('check-storage', checkStorage);
    this.#observeAction('clear-history', clearHistory);
  }

  #observeAction<Name extends keyof Actions>(name: Name, perform: Perform<Name>): void {
    this.framework.observe(this.on.action(name), async (event) => {
      await this.#act(event, perform);
    });
  }

  #observeLifeCycle(): void {
    const { on, framework } = this;
    // After these S3 may work differently.
    const check = async (): Promise<void> => await this.#reconcile({ storage: 'adapt' });
    framework.observe(on.configChanged, check);
    framework.observe(on.secretChanged, check);
    framework.observe(on.secretRemove, ({ secret, revision }) => {
      dropRevision(this, secret, revision);
    });
    framework.observe(on.leaderElected, async () => {
      // It may have been another unit that was told of them.
      await this.#reconcile({ storage: 'adapt', hasMetAll: true });
    });
    framework.observe(on.upgradeCharm, check);
    // Juju sends it only when nothing else is left to tell.
    framework.observe(on.updateStatus, async () => {
      await this.#reconcile({ storage: 'adapt', isSettled: true, hasMetAll: true });
    });
    const s3 = on.relation('s3-credentials');
    for (const source of [s3.created, s3.changed, s3.broken]) {
      framework.observe(source, check);
    }
    // Upkeep of this unit has ended.
    framework.observe(on.custom(UPKEEP_EVENT), async () => await this.#reconcile({}));
    framework.observe(on.remove, async () => await this.#manager.upkeep.remove());
    framework.observe(on.start, async () => await this.#reconcile({}));
    framework.observe(on.relation('history').changed, async () => await this.#reconcile({}));
  }

  #observeDatabases(): void {
    const { framework } = this;
    framework.observe(this.#requirer.databaseRelated, async () => await this.#reconcile({}));
    framework.observe(this.#requirer.databaseGone, async () => await this.#reconcile({}));
    framework.observe(this.#requirer.unitGone, async ({ unit }) => {
      await this.#reconcile({ departedUnit: unit });
    });
    framework.observe(this.#requirer.statusChanged, async ({ relation, unit }) => {
      for (const text of this.#manager.misunderstandings(relation)) {
        this.log.warning(`${relation.app.name} says something that is no job status: ${text}`);
      }
      if (unit !== undefined && this.#manager.isReady && this.#manager.isLeader) {
        this.#manager.acquaintances.hear(relation, unit);
      }
      await this.#reconcile({});
    });
  }

  async #reconcile(options: ReconcileOptions): Promise<void> {
    const manager = this.#manager;
    if (!manager.isReady) {
      return;
    }
    await manager.upkeep.limit(await manager.networkLimit());
    await manager.upkeep.tell();
    if (!manager.isLeader) {
      manager.health.forget();
      return;
    }
    // Juju takes a unit that goes out of its relations while it still leads. What follows would take them for gone.
    if (missesRelations(manager) && !this.app.livingUnits().has(this.unit.name)) {
      return;
    }
    manager.requestStorage();
    const { departedUnit, isSettled = false, hasMetAll = false, storage } = options;
    if (hasMetAll) {
      manager.acquaintances.hearAll(manager.databases().map(({ relation }) => relation));
    }
    const { outcomes } = manager.reconcile({ departedUnit, isSettled });
    for (const entry of outcomes) {
      this.#logOutcome(entry);
    }
    await manager.upkeep.takeIn();
    await (storage === 'adapt' ? manager.health.adapt() : manager.health.recheck());
    await this.#retain(isSettled);
  }

  #logOutcome(entry: HistoryEntry): void {
    if (entry.state === 'success') {
      this.log.info(outcomeText(entry));
      this.#warnOfShrunk(entry);
    } else {
      this.log.error(outcomeText(entry));
    }
  }

  #warnOfShrunk({ jobType, relationId, artefactPath }: HistoryEntry): void {
    const last = this.#manager.peers.lastBackups().get(relationId);
    if (
      jobType === 'backup' &&
      last?.shrunkFrom !== undefined &&
      last.artefactPath === artefactPath
    ) {
      const list = `juju run ${this.app.name}/leader list-backups`;
      this.log.warning(
        `${shrunkText(last)}; retention waits for the next one; if data are missing: ${list}, then keep-backup for an older one`,
      );
    }
  }

  /** Never for rules that are wrong, nor into a storage that is not there. */
  async #retain(isDaily: boolean): Promise<void> {
    const manager = this.#manager;
    const { retention } = manager;
    const { config } = manager.settings();
    if (retention === undefined || config === undefined || manager.health.fault() !== undefined) {
      return;
    }
    if ((await manager.optionFault()) === undefined) {
      await manager.upkeep.retain(retention, manager.upkeepAccess(), { isDaily });
    }
  }

  async #act<Name extends keyof Actions>(
    event: ActionEvent<Actions[Name]>,
    perform: Perform<Name>,
  ): Promise<void> {
    try {
      await perform(event, this.#manager);
    } catch (error) {
      // When Juju itself refuses something, nothing of what was begun may be kept.
      if (!(error instanceof HintError) || error instanceof HookToolError) {
        throw error;
      }
      event.fail(describeError(error));
    }
  }

  async #tellStatus(event: CollectStatusEvent): Promise<void> {
    const manager = this.#manager;
    const { kind, message } = describeStatus({
      application: this.app.name,
      fault: manager.health.fault() ?? (await manager.optionFault()),
      databases: manager.databases().map(({ relation }) => ({ relationId: relation.id })),
      history: manager.history(),
      lastBackups: manager.peers.lastBackups(),
      live: manager.live(),
      upkeep: await manager.upkeep.records(),
      now: manager.ports.clock.now(),
    });
    event.addStatus(kind === 'blocked' ? new BlockedStatus(message) : new ActiveStatus(message));
  }
}

/** Whether something is remembered of a relation that is not there. */
function missesRelations(manager: Manager): boolean {
  const living = new Set(manager.databases().map(({ relation }) => relation.id));
  const { peers, credentials } = manager;
  const busy = busyRelations(manager.history());
  return [...busy, ...peers.lastBackups().keys(), ...credentials.relations].some(
    (id) => !living.has(id),
  );
}

interface ReconcileOptions {
  /** Whether to try the storage, in other ways too where that may help. */
  readonly storage?: 'adapt';
  readonly departedUnit?: string | undefined;
  /** Juju has nothing else to tell. */
  readonly isSettled?: boolean;
  /** Whether every unit that is here has had its time to introduce itself. */
  readonly hasMetAll?: boolean;
}
