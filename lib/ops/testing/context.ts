/** Runs a charm for one event in a given state, and hands back the state it leaves. */
import { HintError } from '#system';
import type { CharmBase, CharmConstructor, TypesOf } from '../charm.ts';
import { dispatch } from '../dispatch.ts';
import { parseJujuContext } from '../juju-context.ts';
import { charmMetaFrom, loadCharmMeta } from '../load-meta.ts';
import { createJujuLogger } from '../logger.ts';
import type { CharmMeta } from '../meta.ts';
import type { Status } from '../model/status.ts';
import { checkConsistency, checkObservers, InconsistentStateError } from './consistency/index.ts';
import { deferredState } from './deferred-state.ts';
import { createMemoryRunner } from './memory-runner.ts';
import { State, type StateFields } from './state.ts';
import type { DeferredState } from './stored-state.ts';
import { relationEnvironment, type TestEvent, TestEvents } from './test-events.ts';
import type { TypedStateFields } from './typed-fields.ts';
import { type EmittedEvent, type LogLine, type Recording, World } from './world.ts';

export interface ContextOptions {
  /** Directory with charmcraft.yaml (or metadata.yaml). */
  readonly charmRoot?: string;
  /** An object written like charmcraft.yaml, instead. */
  readonly meta?: Readonly<Record<string, unknown>>;
  /** The charm's name unless told. */
  readonly appName?: string;
  /** Number of the unit; 0 unless told. */
  readonly unitId?: number;
  readonly jujuVersion?: string;
  /** What the charm sees as its directory; charmRoot unless told. */
  readonly charmDir?: string;
  /** Deployed with --trust: credential-get gives the state's model.cloudSpec. */
  readonly trusted?: boolean;
  /** `0` unless told. */
  readonly machineId?: string;
  readonly availabilityZone?: string;
  /** Of subordinates; the unit at the other end of the container-scoped relation unless told. */
  readonly principalUnit?: string;
}

const JUJU_VERSION = '3.6.28';

export interface RunOptions<C> {
  /** Called with the charm when the event has been handled, to look inside. */
  readonly inspect?: (charm: C) => void | Promise<void>;
}

/** The charm threw: Juju would put the unit into error and drop what it buffered. */
export class UncaughtCharmError extends HintError {
  /** What Juju keeps of a failed hook: statuses, workload version, first reads of secrets. */
  readonly state: State;

  constructor(cause: unknown, state: State) {
    super(`the charm threw: ${Error.isError(cause) ? cause.message : String(cause)}`, {
      code: 'uncaught-charm-error',
      cause,
    });
    this.state = state;
  }
}

/** @throws UncaughtCharmError where Juju would fail the hook at its commit */
function stateAfter(world: World): State {
  if (world.commitRefusal !== undefined) {
    const message = `Juju refuses what the hook has written: ${world.commitRefusal}`;
    throw new UncaughtCharmError(new Error(message), world.abandon());
  }
  // Juju drops what a hook changed that it kills for a reboot, and runs it again.
  return world.recording.reboot === 'now' ? world.abandon() : world.commit();
}

/** One charm under test. What it did in the last run besides changing the state is kept here. */
export class Context<C extends CharmBase> {
  /** The events that can be run. */
  readonly on = new TestEvents<TypesOf<C>>();
  readonly #charmClass: CharmConstructor<C>;
  readonly #options: ContextOptions;
  #meta: CharmMeta | undefined;
  #recording: Recording | undefined;

  constructor(charmClass: CharmConstructor<C>, options: ContextOptions) {
    this.#charmClass = charmClass;
    this.#options = options;
    if (options.meta !== undefined) {
      this.#meta = charmMetaFrom(options.meta);
    }
  }

  /** What state() makes; a name the charm's types do not have is a compile error. */
  state(fields: TypedStateFields<TypesOf<C>> = {}): State {
    return new State(fields as StateFields);
  }

  /**
   * Runs the charm as Juju would, hook tools in memory.
   * @throws InconsistentStateError, UncaughtCharmError
   */
  async run(event: TestEvent, state: State, options: RunOptions<C> = {}): Promise<State> {
    const meta = await this.#loadMeta();
    const { unitId: unitNumber = 0, appName = meta.name, principalUnit } = this.#options;
    const jujuVersion = this.#options.jujuVersion ?? JUJU_VERSION;
    checkConsistency({ state, event, meta, appName, unitNumber, jujuVersion, principalUnit });
    const trusted = this.#options.trusted ?? false;
    const world = new World(state, event, { meta, appName, unitNumber, trusted });
    this.#recording = world.recording;
    const tools = createMemoryRunner(world);
    const log = createJujuLogger(tools, (line) =>
      world.recording.jujuLog.push({ level: 'ERROR', message: line }),
    );
    const context = parseJujuContext(this.#environment(world));
    try {
      const charm = await dispatch(this.#charmClass, {
        context,
        meta,
        tools,
        log,
        onMade: (framework) => checkObservers(framework, { state, event }),
        onEmitted: (path, made, again) =>
          world.recording.emitted.push({ path, event: made, again }),
      });
      await options.inspect?.(charm);
    } catch (error) {
      if (error instanceof InconsistentStateError) {
        throw error;
      }
      throw new UncaughtCharmError(error, world.abandon());
    }
    return stateAfter(world);
  }

  /**
   * A deferred event of Juju for the state: `event` waits for `method` of the charm, or of the object
   * at path `observer` (`charm/backups`).
   */
  async deferred(
    event: TestEvent,
    method: string,
    options: { readonly observer?: string } = {},
  ): Promise<DeferredState> {
    const meta = await this.#loadMeta();
    const { appName = meta.name } = this.#options;
    const { observer = 'charm' } = options;
    return deferredState(event, { meta, appName, observer, method });
  }

  /** Every event emitted in the last run, in order; also those nobody observes. */
  get emittedEvents(): readonly EmittedEvent[] {
    return this.#recording?.emitted ?? [];
  }

  /** What the charm logged in the last run. */
  get jujuLog(): readonly LogLine[] {
    return this.#recording?.jujuLog ?? [];
  }

  /** Every status of the unit set in the last run, in order. */
  get unitStatusHistory(): readonly Status[] {
    return this.#recording?.unitStatuses ?? [];
  }

  /** Every status of the application set in the last run, in order. */
  get appStatusHistory(): readonly Status[] {
    return this.#recording?.appStatuses ?? [];
  }

  get actionLogs(): readonly string[] {
    return this.#recording?.actionLogs ?? [];
  }

  /** Nested, values as text: as Juju keeps them. */
  get actionResults(): Readonly<Record<string, unknown>> {
    return this.#recording?.actionResults ?? {};
  }

  /** The message given to fail(); undefined when the action did not fail. */
  get actionFailure(): string | undefined {
    return this.#recording?.actionFailure;
  }

  /** Every hook tool called in the last run, in order. */
  get hookToolCalls(): readonly { readonly tool: string; readonly args: readonly string[] }[] {
    return this.#recording?.calls ?? [];
  }

  /** Storage name → instances asked for in the last run. */
  get requestedStorages(): Readonly<Record<string, number>> {
    return this.#recording?.requestedStorages ?? {};
  }

  /** Every workload version set in the last run, in order. */
  get workloadVersionHistory(): readonly string[] {
    return this.#recording?.workloadVersions ?? [];
  }

  /** Whether the last run asked for a reboot, and when. */
  get requestedReboot(): 'after the hook' | 'now' | undefined {
    return this.#recording?.reboot;
  }

  async #loadMeta(): Promise<CharmMeta> {
    if (this.#meta === undefined && this.#options.charmRoot === undefined) {
      throw new HintError('a Context needs to know the charm', {
        code: 'no-metadata',
        hint: 'pass charmRoot or meta',
      });
    }
    this.#meta ??= await loadCharmMeta(this.#options.charmRoot ?? '');
    return this.#meta;
  }

  #environment(world: World): Record<string, string> {
    const { charmDir, charmRoot, jujuVersion, machineId, availabilityZone } = this.#options;
    const agent = world.unitName.replace('/', '-');
    return {
      JUJU_UNIT_NAME: world.unitName,
      JUJU_CHARM_DIR: charmDir ?? charmRoot ?? `/var/lib/juju/agents/unit-${agent}/charm`,
      JUJU_MODEL_NAME: world.given.model.name,
      JUJU_MODEL_UUID: world.given.model.uuid,
      JUJU_VERSION: jujuVersion ?? JUJU_VERSION,
      JUJU_MACHINE_ID: machineId ?? '0',
      JUJU_AVAILABILITY_ZONE: availabilityZone ?? '',
      JUJU_PRINCIPAL_UNIT: this.#options.principalUnit ?? principalOf(world),
      JUJU_DISPATCH_PATH: world.event.path,
      ...world.event.environment,
      ...relationEnvironment(world.event, world.appName),
    };
  }
}

/** The unit a subordinate sits beside, as its container-scoped relation tells. */
function principalOf(world: World): string {
  const beside = world.given.relations.find(
    (relation) => relation.kind === 'relation' && relation.scope === 'container',
  );
  if (!world.meta.subordinate || beside?.kind !== 'relation') {
    return '';
  }
  const [number] = Object.keys(beside.remoteUnits);
  return number === undefined ? '' : `${beside.remoteApp}/${number}`;
}
