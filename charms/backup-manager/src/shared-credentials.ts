/**
 * The S3 keys as one secret of this application, granted to the databases that know secrets; to others they
 * go in plaintext, as version 0 of the interface has it (docs/decisions/0005-protocol-extensions.md).
 */
import {
  type BackupRequirer,
  isCredentialsReference,
  type Job,
  referringTo,
  type StorageConfig,
} from '#database-backup';
import {
  type CharmBase,
  type Databag,
  type Relation,
  type Secret,
  SecretNotFoundError,
} from '#ops';
import type { BackupManagerTypes } from './charm-types.ts';
import { CREDENTIALS_LABEL, obstacleToSharing, secretUriFor } from './secret-sharing.ts';
import type { StorageSettings } from './storage-settings.ts';

const KEY = 'shared-credentials';

/** What the peer databag remembers; written in the same transaction as what it tells of. */
interface Memory {
  /** Relations the secret is granted in. */
  readonly granted: readonly number[];
  /** Relations whose fallback to plaintext was logged. */
  readonly plaintext: readonly number[];
}

export interface SharedCredentialsOptions {
  readonly charm: CharmBase<BackupManagerTypes>;
  readonly requirer: BackupRequirer;
  /** The application's own peer databag. */
  readonly databag: () => Databag | undefined;
}

/** What a reconcile knows. */
export interface SharingSituation {
  readonly settings: StorageSettings;
  /** Relations that may be read: each is some calls to Juju, and with many databases few change. */
  readonly looked: readonly Relation[];
  /** Whether any job is unfinished. */
  readonly isBusy: boolean;
}

interface Surroundings {
  readonly living: ReadonlySet<number>;
  readonly secret: Secret | undefined;
}

const NOTHING: Memory = { granted: [], plaintext: [] };

function isEmpty({ granted, plaintext }: Memory): boolean {
  return granted.length === 0 && plaintext.length === 0;
}

/** All methods but `current` are for the leader, as only it may own and grant. */
export class SharedCredentials {
  readonly #charm: CharmBase<BackupManagerTypes>;
  readonly #requirer: BackupRequirer;
  readonly #databag: () => Databag | undefined;
  #secret: Secret | undefined;

  constructor({ charm, requirer, databag }: SharedCredentialsOptions) {
    this.#charm = charm;
    this.#requirer = requirer;
    this.#databag = databag;
  }

  /** The configuration as it may be written into this relation. */
  configFor(relation: Relation, config: StorageConfig): StorageConfig {
    const { granted, plaintext } = this.#memory();
    const obstacle = this.#obstacle(relation);
    if (obstacle !== undefined) {
      if (!plaintext.includes(relation.id)) {
        this.#charm.log.warning(
          `${relation.app.name} ${obstacle}: its requests hold the S3 keys in plaintext until they end`,
        );
        this.#remember({ granted, plaintext: [...plaintext, relation.id] });
      }
      return config;
    }
    const secret = this.#ensure(config);
    if (!granted.includes(relation.id)) {
      secret.grant(relation);
      this.#remember({ granted: [...granted, relation.id], plaintext });
    }
    return referringTo(secretUriFor(this.#charm, relation, secret), config);
  }

  /** Ids of the relations that something was handed over. */
  get relations(): readonly number[] {
    const { granted, plaintext } = this.#memory();
    return [...granted, ...plaintext];
  }

  /** Brings the secret up to date: new keys, relations that are gone or have changed. */
  reconcile({ settings, looked, isBusy }: SharingSituation): void {
    const before = this.#memory();
    if (isEmpty(before)) {
      return;
    }
    const secret = before.granted.length === 0 ? undefined : this.#find();
    const living = new Set(this.#requirer.databases().map(({ relation }) => relation.id));
    const isUseless = settings.fault?.code === 'not-configured' && !isBusy;
    const after = isUseless ? NOTHING : this.#review(before, { living, looked, secret });
    if (after.granted.length === 0) {
      secret?.removeAllRevisions();
    } else if (secret !== undefined) {
      refresh(secret, settings.config);
    }
    this.#remember(after);
  }

  /** Juju itself takes back what was granted in a relation that is gone. */
  #review(
    { granted, plaintext }: Memory,
    { living, looked, secret }: Pick<SharingSituation, 'looked'> & Surroundings,
  ): Memory {
    const estranged = looked
      .filter(({ id }) => granted.includes(id))
      .filter((relation) => !this.#isNeeded(relation));
    for (const relation of estranged) {
      secret?.revoke(relation);
    }
    const lost = new Set(estranged.map(({ id }) => id));
    const learned = new Set(
      looked
        .filter(({ id }) => plaintext.includes(id))
        .filter((one) => this.#obstacle(one) === undefined)
        .map(({ id }) => id),
    );
    return {
      granted: granted.filter((id) => living.has(id) && !lost.has(id)),
      plaintext: plaintext.filter((id) => living.has(id) && !learned.has(id)),
    };
  }

  /** Requests in plaintext with the keys of today, where they go to the same place. */
  current(jobs: readonly Job[], config: StorageConfig | undefined): readonly Job[] {
    return config === undefined ? jobs : jobs.map((job) => withKeysOf(config, job));
  }

  #obstacle(relation: Relation): string | undefined {
    return obstacleToSharing(this.#charm, this.#requirer, relation);
  }

  #isNeeded(relation: Relation): boolean {
    return (
      this.#obstacle(relation) === undefined ||
      this.#requirer.jobs(relation).some((job) => isCredentialsReference(job.storageConfig))
    );
  }

  #find(): Secret | undefined {
    try {
      this.#secret ??= this.#charm.model.getSecret({ label: CREDENTIALS_LABEL });
      return this.#secret;
    } catch (error) {
      if (error instanceof SecretNotFoundError) {
        return undefined;
      }
      throw error;
    }
  }

  #ensure(config: StorageConfig): Secret {
    const known = this.#find();
    if (known !== undefined) {
      refresh(known, config);
      return known;
    }
    this.#secret = this.#charm.app.addSecret(keysOf(config), {
      label: CREDENTIALS_LABEL,
      description: 'S3 keys for the related databases',
    });
    return this.#secret;
  }

  #memory(): Memory {
    const text = this.#databag()?.get(KEY);
    // Written by this class alone, a version of this charm at a time.
    return text === undefined || text === '' ? NOTHING : (JSON.parse(text) as Memory);
  }

  #remember(memory: Memory): void {
    const databag = this.#databag();
    if (!isEmpty(memory)) {
      databag?.set(KEY, JSON.stringify(memory));
    } else if (databag?.get(KEY) !== undefined) {
      databag.delete(KEY);
    }
  }
}

type Keys = Pick<StorageConfig, 'access-key' | 'secret-key'>;

function keysOf(config: StorageConfig): Keys {
  return { 'access-key': config['access-key'], 'secret-key': config['secret-key'] };
}

/** A new revision when the keys are others: consumers are told. */
function refresh(secret: Secret, config: StorageConfig | undefined): void {
  if (config === undefined) {
    return;
  }
  const keys = keysOf(config);
  // Refreshed, so that this unit does not hold on to a revision nobody else reads.
  if (!hasKeys(secret.getContent({ refresh: true }), keys)) {
    secret.setContent({ ...keys });
  }
}

function withKeysOf(config: StorageConfig, job: Job): Job {
  const { storageConfig } = job;
  const isElsewhere =
    storageConfig.bucket !== config.bucket || storageConfig.endpoint !== config.endpoint;
  if (isCredentialsReference(storageConfig) || isElsewhere || hasKeys(storageConfig, config)) {
    return job;
  }
  return { ...job, storageConfig: { ...storageConfig, ...keysOf(config) } };
}

function hasKeys(one: Readonly<Record<string, unknown>>, other: Keys): boolean {
  return one['access-key'] === other['access-key'] && one['secret-key'] === other['secret-key'];
}
