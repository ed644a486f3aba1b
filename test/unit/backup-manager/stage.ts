/** Plays one event to the charm in a scene told in the manager's own words, and reads what became of it. */
import { encodeJobs, type Job, parseJobs, type UnitJobStatus } from '#database-backup';
import type { Framework } from '#ops';
import {
  Context,
  type Data,
  peerRelation,
  type RelationState,
  relation,
  type State,
  secret,
  state,
  type TestEvent,
  TestEvents,
} from '#ops/testing';
import type { Clock } from '#system';
import { BackupManagerCharm } from '../../../charms/backup-manager/src/charm.ts';
import {
  encodeHistory,
  type HistoryEntry,
  type LastBackup,
  parseHistory,
  parseLastBackups,
} from '../../../charms/backup-manager/src/history.ts';
import type { ManagerPorts } from '../../../charms/backup-manager/src/manager.ts';
import { FakeStorage } from './fake-storage.ts';
import { FakeUpkeep } from './fake-upkeep.ts';
import { now } from './makers.ts';

interface SceneDatabase {
  readonly id: number;
  readonly name: string;
  readonly requested?: readonly Job[];
  /** What its units have announced. */
  readonly features?: readonly string[];
  /** Unit name → what it says: statuses, or any text. */
  readonly units?: Readonly<Record<string, readonly UnitJobStatus[] | string>>;
}

type SecretContent = Readonly<Record<string, string>>;

/** A leader with S3 configured and no database, where nothing else is said. */
export interface Scene {
  readonly databases?: readonly SceneDatabase[];
  readonly history?: readonly HistoryEntry[];
  readonly isLeader?: boolean;
  /** The unit itself was removed, and has its last hooks to run. */
  readonly isGoing?: boolean;
  /** As left in the peer databag by whoever led last. */
  readonly leaderName?: string;
  readonly config?: Readonly<Record<string, string | number | boolean>>;
  /** What a related s3-integrator wrote. */
  readonly integrator?: Readonly<Record<string, string>>;
  readonly lastBackups?: readonly LastBackup[];
  readonly storageProfile?: string;
  /** What the peer unit backup-manager/1 tells of its upkeep. */
  readonly upkeepOfPeer?: string;
  readonly secret?: SecretContent | 'not granted';
  /** A later revision of the secret, not read yet. */
  readonly newSecret?: SecretContent;
  /** Goes on with the unit's own memory of an earlier event. */
  readonly before?: Outcome;
}

export interface Outcome {
  readonly history: readonly HistoryEntry[];
  readonly lastBackups: readonly LastBackup[];
  /** What was found out about the storage, as text. */
  readonly profile: string | undefined;
  /** What the manager asks of a related s3-integrator. */
  readonly toIntegrator: Data;
  readonly leaderName: string | undefined;
  /** What is asked in a relation; nothing in one that is not there. */
  readonly requests: (relationId: number) => readonly Job[];
  /** Everything this application shows in databags. */
  readonly databags: () => string;
  readonly action: {
    readonly results: Readonly<Record<string, string>>;
    readonly failure: string | undefined;
  };
  /** `LEVEL message` */
  readonly log: readonly string[];
  readonly unitStatus: string;
  readonly appStatus: string;
  readonly ownData: Data;
  /** How often Juju was asked or told something. */
  readonly calls: number;
}

/** Two related databases, nothing asked yet. */
export const twoDatabases: Scene = {
  databases: [
    { id: 4, name: 'db' },
    { id: 5, name: 'db2' },
  ],
};

const PEERS = 1;
const INTEGRATOR = 2;
const CREDENTIALS = { 'access-key': 'AK-PLANTED', 'secret-key': 'SK-PLANTED' };

export class Stage {
  readonly storage = new FakeStorage();
  readonly upkeep = new FakeUpkeep();
  readonly #context: Context<BackupManagerCharm>;

  constructor() {
    let jobs = 0;
    const clock: Clock = {
      now: () => now,
      sleep: async () => await new Promise(() => undefined),
    };
    const ports: ManagerPorts = {
      storage: this.storage,
      clock,
      createUpkeep: () => this.upkeep,
      newJobId: () => {
        jobs += 1;
        return `job-new-${jobs}`;
      },
    };
    class StagedCharm extends BackupManagerCharm {
      constructor(framework: Framework) {
        super(framework, ports);
      }
    }
    this.#context = new Context(StagedCharm, {
      charmRoot: 'charms/backup-manager',
      appName: 'backup-manager',
    });
  }

  async act(name: string, params: Readonly<Record<string, unknown>>, scene: Scene) {
    // Without the charm's types: what is wrong is to be tried as well.
    return await this.#play(() => new TestEvents().action(name, params), scene);
  }

  async hook(name: 'configChanged' | 'updateStatus' | 'leaderElected', scene: Scene) {
    return await this.#play(() => this.#context.on[name](), scene);
  }

  /** The custom event of upkeep that ended. */
  async upkeepChanged(scene: Scene) {
    return await this.#play(() => this.#context.on.custom('upkeep-changed'), scene);
  }

  async changed(relationId: number, scene: Scene) {
    return await this.#play(
      (at) => this.#context.on.relationChanged(at.getRelation(relationId)),
      scene,
    );
  }

  async broken(relationId: number, scene: Scene) {
    return await this.#play(
      (at) => this.#context.on.relationBroken(at.getRelation(relationId)),
      scene,
    );
  }

  async departed(relationId: number, remoteUnit: number, scene: Scene) {
    return await this.#play(
      (at) => this.#context.on.relationDeparted(at.getRelation(relationId), { remoteUnit }),
      scene,
    );
  }

  async #play(event: (at: State) => TestEvent, scene: Scene): Promise<Outcome> {
    const before = stateOf(scene);
    const after = await this.#context.run(event(before), before);
    const peers = after.getRelation(PEERS);
    return {
      history: parseHistory(peers.localAppData['history']),
      lastBackups: [...parseLastBackups(peers.localAppData['last-backups']).values()],
      profile: peers.localAppData['storage-profile'],
      toIntegrator: after.relations.find((one) => one.id === INTEGRATOR)?.localAppData ?? {},
      leaderName: peers.localAppData['leader'],
      requests: (id) => {
        const found = after.relations.find((one) => one.id === id);
        return parseJobs(found?.localAppData['jobs']).jobs;
      },
      databags: () =>
        JSON.stringify(after.relations.map((one) => [one.localAppData, one.localUnitData])),
      action: {
        results: this.#context.actionResults as Readonly<Record<string, string>>,
        failure: this.#context.actionFailure,
      },
      log: this.#context.jujuLog.map(({ level, message }) => `${level} ${message}`),
      unitStatus: `${after.unitStatus.name}: ${after.unitStatus.message}`,
      appStatus: `${after.appStatus.name}: ${after.appStatus.message}`,
      ownData: peers.localUnitData,
      calls: this.#context.hookToolCalls.length,
    };
  }
}

function stateOf(scene: Scene): State {
  const credentials = secret({
    content:
      scene.newSecret ?? (scene.secret === 'not granted' ? {} : (scene.secret ?? CREDENTIALS)),
    granted: scene.secret !== 'not granted',
    trackedContent: typeof scene.secret === 'object' ? scene.secret : CREDENTIALS,
  });
  return state({
    leader: scene.isLeader ?? true,
    plannedUnits: scene.isGoing === true ? 0 : 1,
    model: { name: 'shop' },
    config: {
      ...(scene.integrator === undefined ? { bucket: 'b', credentials: credentials.id } : {}),
      ...scene.config,
    },
    secrets: [credentials],
    relations: [
      peersOf(scene),
      ...integratorOf(scene, credentials.id),
      ...(scene.databases ?? []).map(relationOf),
    ],
  });
}

/** `SECRET` stands for the id of the scene's secret. */
function integratorOf({ integrator }: Scene, secretId: string): readonly RelationState[] {
  if (integrator === undefined) {
    return [];
  }
  const texts = Object.entries(integrator).map(([key, value]) => [
    key,
    value.replace('SECRET', secretId),
  ]);
  return [
    relation({
      endpoint: 's3-credentials',
      id: INTEGRATOR,
      remoteApp: 's3-integrator',
      remoteAppData: Object.fromEntries(texts),
    }),
  ];
}

function peersOf(scene: Scene) {
  return peerRelation({
    endpoint: 'history',
    id: PEERS,
    localAppData: {
      history: encodeHistory(scene.history ?? []),
      ...(scene.lastBackups === undefined
        ? {}
        : { 'last-backups': JSON.stringify(scene.lastBackups) }),
      ...(scene.storageProfile === undefined ? {} : { 'storage-profile': scene.storageProfile }),
      ...(scene.leaderName === undefined ? {} : { leader: scene.leaderName }),
    },
    localUnitData: scene.before?.ownData ?? {},
    peers: scene.upkeepOfPeer === undefined ? {} : { 1: { upkeep: scene.upkeepOfPeer } },
  });
}

function relationOf(database: SceneDatabase): RelationState {
  const { requested = [], units = { [`${database.name}/0`]: [] } } = database;
  return relation({
    endpoint: 'database-backup',
    id: database.id,
    remoteApp: database.name,
    localAppData: requested.length === 0 ? {} : { jobs: encodeJobs(requested) },
    remoteUnits: Object.fromEntries(
      Object.entries(units).map(([unit, says]) => [
        Number(unit.split('/')[1]),
        {
          jobs: typeof says === 'string' ? says : wireText(says),
          ...(database.features === undefined
            ? {}
            : { features: JSON.stringify(database.features) }),
        },
      ]),
    ),
  });
}

/** As a provider of another make would write it: v0, and secrets echoed as v0 has it. */
function wireText(statuses: readonly UnitJobStatus[]): string {
  return JSON.stringify(
    statuses.map((status) => ({
      'job-id': status.jobId,
      'job-type': status.jobType,
      'storage-interface': 's3',
      'storage-config': status.storageConfig,
      status: status.status,
      message: status.message,
      'artefact-path': status.artefactPath,
      progress: status.progress,
      phase: status.phase,
      hint: status.hint,
      size: status.size,
      queue: status.queue && {
        position: status.queue.position,
        'waits-for': status.queue.waitsFor,
      },
    })),
  );
}
