/** Wires Juju's events to the unit's database and its jobs. Reconciles: every event takes in everything. */
import { BackupProvider, FEATURES } from '#database-backup';
import {
  type ActionEvent,
  CharmBase,
  type CollectStatusEvent,
  type Framework,
  MaintenanceStatus,
} from '#ops';
import { describeError, HintError } from '#system';
import type { DatabaseTypes } from './charm-types.ts';
import { PEERS } from './job-desk.ts';
import { type Ports, realPorts } from './ports.ts';
import { describeUnit } from './status.ts';
import { type ReconcileOptions, UnitManager } from './unit-manager.ts';

const ENDPOINT = 'database-backup';
/** Fired by workers when something is to be told. */
const PROGRESS_EVENT = 'backup-progress';

export class DatabaseCharm extends CharmBase<DatabaseTypes> {
  readonly #provider: BackupProvider;
  readonly #manager: UnitManager;
  #isLeaving = false;

  constructor(framework: Framework, ports: Ports = realPorts()) {
    super(framework);
    this.#provider = new BackupProvider(this, ENDPOINT, { features: FEATURES });
    this.#manager = new UnitManager(this, this.#provider, { ports, eventName: PROGRESS_EVENT });
    this.#observeLifeCycle();
    this.#observeRelations();
    framework.observe(this.on.action('get-connection'), async (event) => {
      await this.#showConnection(event);
    });
    framework.observe(this.on.collectUnitStatus, async (event) => await this.#tellStatus(event));
  }

  #observeLifeCycle(): void {
    const { on, framework } = this;
    framework.observe(on.install, async () => await this.#install());
    for (const source of [on.start, on.upgradeCharm]) {
      framework.observe(source, async () => await this.#install());
    }
    framework.observe(on.configChanged, async () => await this.#reconcile({ isThorough: true }));
    framework.observe(on.leaderElected, async () => await this.#reconcile());
    // The keys of a manager may be new ones.
    framework.observe(on.secretChanged, async () => await this.#reconcile());
    framework.observe(on.updateStatus, async () => await this.#reconcile({ isThorough: true }));
    framework.observe(on.custom(PROGRESS_EVENT), async () => await this.#reconcile());
    framework.observe(on.stop, async () => {
      this.#isLeaving = true;
      await this.#manager.stop();
    });
    framework.observe(on.remove, async () => {
      this.#isLeaving = true;
      await this.#manager.remove();
    });
  }

  #observeRelations(): void {
    const { framework } = this;
    framework.observe(this.#provider.jobsChanged, async ({ relation }) => {
      for (const issue of this.#manager.unanswerable(relation)) {
        this.log.warning(`${relation.app.name} asks for something that is no job: ${issue}`);
      }
      await this.#reconcile();
    });
    const peers = this.on.relation(PEERS);
    for (const source of [peers.created, peers.joined, peers.changed]) {
      framework.observe(source, async () => await this.#reconcile());
    }
    framework.observe(peers.departed, async ({ departingUnit }) => {
      const hasLeft = departingUnit !== undefined && !departingUnit.isOwn;
      await this.#reconcile(hasLeft ? { departedUnit: departingUnit.name } : {});
    });
  }

  async #install(): Promise<void> {
    if (this.#manager.settings.hasEngine) {
      this.unit.status = new MaintenanceStatus('preparing PostgreSQL');
      this.unit.setWorkloadVersion(await this.#manager.provision());
    }
    await this.#reconcile();
  }

  async #reconcile(options: ReconcileOptions = {}): Promise<void> {
    await this.#manager.reconcile(options);
  }

  async #showConnection(
    event: ActionEvent<DatabaseTypes['actions']['get-connection']>,
  ): Promise<void> {
    try {
      event.setResults({ ...(await this.#manager.connection()) });
    } catch (error) {
      if (!(error instanceof HintError)) {
        throw error;
      }
      event.fail(describeError(error));
    }
  }

  async #tellStatus(event: CollectStatusEvent): Promise<void> {
    if (this.#isLeaving) {
      event.addStatus(new MaintenanceStatus('stopped'));
      return;
    }
    for (const status of describeUnit(await this.#manager.view())) {
      event.addStatus(status);
    }
  }
}
