/** Wires Juju's events and actions to the manager. Reconciles: every event takes in everything. */
import { BackupRequirer } from '#database-backup';
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
import type { BackupManagerTypes } from './charm-types.ts';
import { clearHistory } from './clear-history.ts';
import { Manager, type ManagerPorts, realPorts } from './manager.ts';
import { outcomeText, percentOf } from './presentation.ts';
import { listBackups, listJobs, showJob } from './query-actions.ts';
import { createBackup, restore } from './request-actions.ts';
import { describeStatus } from './status.ts';

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
    this.#requirer = new BackupRequirer(this, 'database-backup');
    this.#manager = new Manager(this, this.#requirer, ports);
    this.#observeLifeCycle();
    this.#observeDatabases();
    this.#observeActions();
    framework.observe(this.on.collectUnitStatus, (event) => this.#tellStatus(event));
    framework.observe(this.on.collectAppStatus, (event) => this.#tellStatus(event));
  }

  #observeActions(): void {
    this.#observeAction('create-backup', createBackup);
    this.#observeAction('restore', restore);
    this.#observeAction('list-jobs', listJobs);
    this.#observeAction('show-job', showJob);
    this.#observeAction('list-backups', listBackups);
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
    const check = async (): Promise<void> => await this.#reconcile({ check: true });
    framework.observe(on.configChanged, check);
    framework.observe(on.secretChanged, check);
    framework.observe(on.leaderElected, check);
    framework.observe(on.upgradeCharm, check);
    // Juju sends it only when nothing else is left to tell.
    framework.observe(on.updateStatus, async () => {
      await this.#reconcile({ check: true, isSettled: true });
    });
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
    framework.observe(this.#requirer.statusChanged, async ({ relation }) => {
      for (const text of this.#manager.misunderstandings(relation)) {
        this.log.warning(`${relation.app.name} says something that is no job status: ${text}`);
      }
      await this.#reconcile({});
    });
  }

  async #reconcile(options: {
    readonly check?: boolean;
    readonly departedUnit?: string | undefined;
    readonly isSettled?: boolean;
  }): Promise<void> {
    const manager = this.#manager;
    if (!manager.isLeader) {
      manager.health.forget();
      return;
    }
    if (!manager.isReady) {
      return;
    }
    const { departedUnit, isSettled = false } = options;
    const { outcomes } = manager.reconcile({ departedUnit, isSettled });
    for (const entry of outcomes) {
      if (entry.state === 'success') {
        this.log.info(outcomeText(entry));
      } else {
        this.log.error(outcomeText(entry));
      }
    }
    await (options.check === true ? manager.health.check() : manager.health.recheck());
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

  #tellStatus(event: CollectStatusEvent): void {
    const manager = this.#manager;
    const live = manager.live();
    const percents = [...live].flatMap(([jobId, status]) => {
      const percent = percentOf(status);
      return percent === undefined ? [] : [[jobId, percent] as const];
    });
    const { kind, message } = describeStatus({
      application: this.app.name,
      fault: manager.health.fault(),
      databases: manager.databases().map(({ relation }) => ({ relationId: relation.id })),
      history: manager.history(),
      lastBackups: manager.lastBackups(),
      percents: new Map(percents),
    });
    event.addStatus(kind === 'blocked' ? new BlockedStatus(message) : new ActiveStatus(message));
  }
}
