/** A manager on which the administrator has set a passphrase, or not, and what it does with it. */
import { encodeJobs, type Job, parseJobs } from '#database-backup';
import { type Context, peerRelation, relation, type State, secret, state } from '#ops/testing';
import type { BackupManagerCharm } from '../../../charms/backup-manager/src/charm.ts';
import { encodeHistory, type HistoryEntry } from '../../../charms/backup-manager/src/history.ts';
import { FakeStorage } from './fake-storage.ts';
import { FakeUpkeep } from './fake-upkeep.ts';
import { artefact } from './makers.ts';
import { managerContext } from './manager-context.ts';

const S3_SECRET = 'secret:9m4e2mr0ui3e8a215n4g';
export const OWN_SECRET = 'secret:9m4e2mr0ui3e8a215n50';
const LABEL = 'database-encryption';
export const KNOWS_ALL = '["encryption","restore-item","secret-credentials"]';
export const KNOWS_SECRETS = '["secret-credentials"]';
export const DB = 4;
export const OTHER = 5;
export const PEERS = 1;
export const KEY = '0123456789abcdef';

export type Content = Readonly<Record<string, string>>;

export interface PassphraseScene {
  readonly features?: string;
  /** Features of a second database, if there is one. */
  readonly other?: string;
  /** Of the passphrase's secret; the option is unset where there is none. */
  readonly content?: Content | 'not granted' | undefined;
  readonly requested?: readonly Job[];
  /** What the unit of the database tells. */
  readonly said?: object;
  readonly history?: readonly HistoryEntry[];
  readonly config?: Readonly<Record<string, string | number>>;
}

export function scene({
  content,
  history = [],
  config,
  ...databases
}: PassphraseScene = {}): State {
  return state({
    leader: true,
    model: { name: 'shop' },
    config: {
      bucket: 'b',
      credentials: S3_SECRET,
      ...(content === undefined ? {} : { encryption: OWN_SECRET }),
      ...config,
    },
    secrets: [
      secret({ id: S3_SECRET, content: { 'access-key': 'AK', 'secret-key': 'SK' } }),
      ...(content === undefined ? [] : [passphraseSecret(content)]),
    ],
    relations: [
      peerRelation({
        endpoint: 'history',
        id: PEERS,
        localAppData: {
          history: encodeHistory(history),
          'last-backups': JSON.stringify([
            {
              relationId: DB,
              database: 'db',
              finishedAt: '2026-11-21T02:00:00.000Z',
              artefactPath: artefact.artefactPath,
              keyId: KEY,
            },
          ]),
        },
      }),
      ...databasesOf(databases),
    ],
  });
}

function passphraseSecret(content: Content | 'not granted') {
  const granted = content !== 'not granted';
  return secret({ id: OWN_SECRET, content: granted ? content : { passphrase: 'x' }, granted });
}

function databasesOf({ features = KNOWS_ALL, other, requested = [], said }: PassphraseScene) {
  const jobs = said === undefined ? {} : { jobs: JSON.stringify([said]) };
  return [
    relation({
      endpoint: 'database-backup',
      id: DB,
      remoteApp: 'db',
      localAppData: requested.length === 0 ? {} : { jobs: encodeJobs(requested) },
      remoteUnits: { 0: { features, ...jobs } },
    }),
    ...(other === undefined
      ? []
      : [
          relation({
            endpoint: 'database-backup',
            id: OTHER,
            remoteApp: 'db2',
            remoteUnits: { 0: { features: other } },
          }),
        ]),
  ];
}

export class PassphraseStage {
  readonly storage = new FakeStorage();
  readonly upkeep = new FakeUpkeep();
  readonly context: Context<BackupManagerCharm>;

  constructor() {
    const { storage, upkeep } = this;
    this.context = managerContext({ storage, createUpkeep: () => upkeep });
  }

  async act(
    name: string,
    params: Readonly<Record<string, unknown>>,
    before: State,
  ): Promise<State> {
    const event = this.context.on.action(name as 'restore', params);
    return await this.context.run(event, before);
  }

  async configChanged(before: State): Promise<State> {
    return await this.context.run(this.context.on.configChanged(), before);
  }

  async updateStatus(before: State): Promise<State> {
    return await this.context.run(this.context.on.updateStatus(), before);
  }

  get failure(): string | undefined {
    return this.context.actionFailure;
  }

  get results(): Readonly<Record<string, string>> {
    return (this.context.actionResults ?? {}) as Readonly<Record<string, string>>;
  }

  /** All that others can read of this application without a grant. */
  open(at: State): string {
    const { actionResults, actionFailure, jujuLog } = this.context;
    const bags = at.relations.map((one) => [one.localAppData, one.localUnitData]);
    return JSON.stringify([
      bags,
      actionResults,
      actionFailure,
      jujuLog,
      at.unitStatus,
      at.appStatus,
    ]);
  }
}

/** The first database with other features; what is asked of it stays unless told. */
export function refreshed(at: State, features: string, jobs?: readonly Job[]): State {
  const changed = {
    ...at.getRelation(DB),
    ...(jobs === undefined ? {} : { localAppData: { jobs: encodeJobs(jobs) } }),
    remoteUnits: { 0: { features } },
  };
  return at.withRelation(changed);
}

/** What is asked of the first database. */
export function asked(at: State): readonly Job[] {
  return parseJobs(at.getRelation(DB).localAppData['jobs']).jobs;
}

/** The secret the databases get. */
export function shared(at: State) {
  return at.secrets.find(({ label }) => label === LABEL);
}
