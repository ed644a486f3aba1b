/** `juju deploy` of a bundle: plans the changes, tells them and makes them one by one. */
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasErrorCode } from '#system';
import type { DeployParams } from '../../api.ts';
import { loadCharm } from '../../charm-archive/load-charm.ts';
import { unpackCharm } from '../../charm-archive/unpack-charm.ts';
import type { CharmMetadata } from '../../model/charm-metadata.ts';
import { CommandError } from '../errors.ts';
import type { Session } from '../session.ts';
import type { Bundle, BundleApplication } from './bundle.ts';
import { type AddUnit, type Change, describeChange } from './changes.ts';
import { readModel } from './existing-model.ts';
import { planBundle } from './plan-bundle.ts';
import { readBundle } from './read-bundle.ts';
import { shapeBundle } from './shape-bundle.ts';

export interface BundleChoices {
  readonly overlays: readonly string[];
  readonly mapMachines: readonly string[];
  readonly trust: boolean;
  readonly force: boolean;
  readonly dryRun: boolean;
}

/** @throws CommandError, its message beginning as Juju's: `cannot deploy bundle: …` */
export async function deployBundle(
  session: Session,
  file: string,
  choices: BundleChoices,
): Promise<void> {
  const { bundle, remarks } = shapeBundle(await readBundle(file, choices.overlays, session.io));
  for (const remark of remarks) {
    session.io.err(`WARNING ${remark}\n`);
  }
  checkTrust(bundle, choices);
  const charms = await readCharms(bundle);
  const model = await readModel(session, choices.mapMachines);
  const changes = planBundle(bundle, model, (application) => baseOf(application, charms));
  if (changes.length === 0) {
    session.info('No changes to apply.');
    return;
  }
  session.io.out(choices.dryRun ? 'Changes to deploy bundle:\n' : 'Executing changes:\n');
  const executor = new Executor(session, bundle, { charms, choices });
  for (const change of changes) {
    session.io.out(`- ${describeChange(change)}\n`);
    if (!choices.dryRun) {
      // Each needs what the ones before it made.
      // oxlint-disable-next-line no-await-in-loop
      await executor.make(change);
    }
  }
  if (!choices.dryRun) {
    session.info('Deploy of bundle completed.');
  }
}

function checkTrust({ applications }: Bundle, { trust, force }: BundleChoices): void {
  const names = Object.entries(applications).flatMap(([name, one]) => (one.trust ? [name] : []));
  if (names.length > 0 && !trust && !force) {
    throw new CommandError(
      `Bundle cannot be deployed without trusting applications with your cloud credentials.\nPlease repeat the deploy command with the --trust argument if you consent to trust the following application(s):\n  - ${names.toSorted().join('\n  - ')}`,
    );
  }
}

type Charms = ReadonlyMap<string, CharmMetadata>;

/** What the charms say of themselves, by path. */
async function readCharms({ applications }: Bundle): Promise<Charms> {
  const paths = [...new Set(Object.values(applications).map(({ charm }) => charm))];
  return new Map(
    await Promise.all(paths.map(async (path) => [path, await readCharm(path)] as const)),
  );
}

async function readCharm(path: string): Promise<CharmMetadata> {
  const folder = await mkdtemp(join(tmpdir(), 'juju-bundle-'));
  try {
    if ((await stat(path)).isDirectory()) {
      return await loadCharm(path);
    }
    const unpacked = join(folder, 'charm');
    await unpackCharm(path, unpacked);
    return await loadCharm(unpacked);
  } catch (error) {
    const reason = Error.isError(error) ? error.message : String(error);
    throw new CommandError(
      `cannot deploy bundle: cannot deploy local charm at ${JSON.stringify(path)}: ${reason}`,
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** That of the bundle, else the first that the charm names; always with its risk. */
function baseOf({ base, charm }: BundleApplication, charms: Charms): string | undefined {
  const own = charms.get(charm)?.base;
  const text = base ?? (own === undefined ? undefined : `${own.name}@${own.channel}`);
  return text === undefined || text.includes('/') ? text : `${text}/stable`;
}

class Executor {
  readonly #session: Session;
  readonly #bundle: Bundle;
  readonly #charms: Charms;
  readonly #choices: BundleChoices;
  /** Machines by the numbers they were to have. */
  readonly #machines = new Map<string, string>();

  constructor(
    session: Session,
    bundle: Bundle,
    { charms, choices }: { readonly charms: Charms; readonly choices: BundleChoices },
  ) {
    this.#session = session;
    this.#bundle = bundle;
    this.#charms = charms;
    this.#choices = choices;
  }

  async make(change: Change): Promise<void> {
    const [what, work] = this.#workOf(change);
    try {
      await work();
    } catch (error) {
      const reason = Error.isError(error) ? error.message : String(error);
      throw new CommandError(`cannot deploy bundle: ${what}: ${reason}`);
    }
  }

  /** What is said to have failed, and what is done. */
  #workOf(change: Change): readonly [what: string, work: () => Promise<unknown>] {
    const { call } = this.#session;
    switch (change.kind) {
      case 'add-charm':
        // It comes with the application.
        return ['', async () => Promise.resolve()];
      case 'deploy':
        return [
          `cannot deploy application ${JSON.stringify(change.application)}`,
          async () => this.#deploy(change.application),
        ];
      case 'expose':
        return [
          `cannot expose application ${change.application}`,
          async () => call('expose', { application: change.application, exposed: true }),
        ];
      case 'set-options':
        return [
          `cannot update options for application ${JSON.stringify(change.application)}`,
          async () =>
            call('set-config', { application: change.application, values: change.options }),
        ];
      case 'set-constraints':
        return [
          `cannot update constraints for application ${JSON.stringify(change.application)}`,
          async () =>
            call('constraints', { application: change.application, values: change.constraints }),
        ];
      case 'add-machine':
        return [`cannot create machine ${change.machine}`, async () => this.#addMachine(change)];
      case 'add-relation':
        return [
          `cannot add relation between ${change.endpoints.map((end) => JSON.stringify(end)).join(' and ')}`,
          async () => this.#integrate(change.endpoints),
        ];
      case 'add-unit':
        return [
          `cannot add unit for application ${JSON.stringify(change.application)}`,
          async () => this.#addUnit(change),
        ];
    }
  }

  async #deploy(name: string): Promise<void> {
    const wanted = this.#bundle.applications[name];
    if (wanted === undefined) {
      return;
    }
    await this.#session.call('deploy', this.#deployParams(name, wanted));
    if (Object.keys(wanted.constraints).length > 0) {
      await this.#session.call('constraints', { application: name, values: wanted.constraints });
    }
    for (const resource of Object.keys(wanted.resources).toSorted()) {
      this.#session.info(`  added resource ${resource}`);
    }
  }

  #deployParams(name: string, wanted: BundleApplication): DeployParams {
    const { trust: _trust, ...config } = wanted.options;
    const isSubordinate = this.#charms.get(wanted.charm)?.subordinate === true;
    return {
      path: wanted.charm,
      application: name,
      config,
      storage: wanted.storage,
      resources: wanted.resources,
      ...(isSubordinate ? {} : { units: 0 }),
      ...(wanted.base === undefined ? {} : { base: wanted.base }),
      ...(wanted.trust && this.#choices.trust ? { trust: true } : {}),
      ...(this.#choices.force ? { force: true } : {}),
    };
  }

  async #addMachine(change: Extract<Change, { kind: 'add-machine' }>): Promise<void> {
    const { machines } = await this.#session.call(
      'add-machine',
      change.base === undefined ? {} : { base: change.base },
    );
    this.#machines.set(change.machine, machines[0] ?? change.machine);
  }

  async #integrate(endpoints: readonly string[]): Promise<void> {
    try {
      await this.#session.call('integrate', { endpoints });
    } catch (error) {
      // One that the bundle writes without its endpoints may be there.
      if (!hasErrorCode(error, 'already-exists')) {
        throw error;
      }
    }
  }

  async #addUnit({ application, place: { machine, isNew } }: AddUnit): Promise<void> {
    const to = isNew ? [] : [this.#machines.get(machine) ?? machine];
    const { units } = await this.#session.call('add-unit', { application, to });
    if (isNew) {
      const unit = await this.#session.call('show-unit', { unit: units[0] ?? '' });
      this.#machines.set(machine, unit.machine);
    }
  }
}
