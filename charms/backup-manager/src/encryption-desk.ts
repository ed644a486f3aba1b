/**
 * The passphrase of the backups: read from the administrator's secret, and handed to the databases as a secret of this
 * application, granted over the relation; never in a databag itself. docs/decisions/0008-encryption.md
 */
import type { BackupRequirer } from '#database-backup';
import {
  type CharmBase,
  type Databag,
  type Relation,
  type Secret,
  SecretNotFoundError,
} from '#ops';
import { HintError } from '#system';
import type { BackupManagerTypes } from './charm-types.ts';
import { type EncryptionSettings, readEncryptionSettings } from './encryption-settings.ts';
import { obstacleToSharing, PASSPHRASE_LABEL, secretUriFor } from './secret-sharing.ts';
import type { StorageFault } from './storage-settings.ts';

/** Label of the secret, by which every later leader finds it. */
const KIT_LABEL = 'recovery-kit';
/** Of the peer databag: the relations the passphrase is granted in. */
const GRANTED = 'shared-passphrase';

export interface EncryptionDeskOptions {
  readonly charm: CharmBase<BackupManagerTypes>;
  readonly requirer: BackupRequirer;
  /** The application's own peer databag. */
  readonly databag: () => Databag | undefined;
}

export class EncryptionDesk {
  readonly #charm: CharmBase<BackupManagerTypes>;
  readonly #requirer: BackupRequirer;
  readonly #databag: () => Databag | undefined;
  #settings: EncryptionSettings | undefined;
  /** By label: Juju does not find one again before the dispatch that made it has ended. */
  readonly #secrets = new Map<string, Secret>();

  constructor({ charm, requirer, databag }: EncryptionDeskOptions) {
    this.#charm = charm;
    this.#requirer = requirer;
    this.#databag = databag;
  }

  /** Read once a dispatch. */
  settings(): EncryptionSettings {
    this.#settings ??= readEncryptionSettings({
      application: this.#charm.app.name,
      uri: this.#charm.config.get('encryption'),
      // Refreshed, so that a changed passphrase is used from the next job on.
      readSecret: () =>
        this.#charm.config.secret('encryption')?.getContent({ refresh: true }) ?? {},
    });
    return this.#settings;
  }

  fault(): StorageFault | undefined {
    const settings = this.settings();
    return settings.kind === 'faulty' ? settings.fault : undefined;
  }

  /**
   * What opens the keys; undefined where nothing is encrypted.
   * @throws HintError where backups are to be encrypted and the passphrase cannot be used: never in plain instead
   */
  passphrases(): readonly string[] | undefined {
    const settings = this.settings();
    if (settings.kind === 'faulty') {
      const { message, code, hint } = settings.fault;
      throw new HintError(message, { code, hint });
    }
    return settings.kind === 'on' ? settings.passphrases : undefined;
  }

  /** Why the database cannot have the passphrase, in words; undefined: it can. */
  obstacle(relation: Relation): string | undefined {
    return this.#requirer.agreed(relation).has('encryption')
      ? obstacleToSharing(this.#charm, this.#requirer, relation)
      : 'does not know encryption (feature encryption)';
  }

  /** The passphrase as it may be written into this relation. Leader only. @throws as `passphrases` */
  referenceFor(relation: Relation): string | undefined {
    const passphrases = this.passphrases();
    if (passphrases === undefined) {
      return undefined;
    }
    const secret = this.#ensure(PASSPHRASE_LABEL, contentOf(passphrases), 'Opens the backups');
    const granted = this.#granted();
    if (!granted.includes(relation.id)) {
      secret.grant(relation);
      this.#remember([...granted, relation.id]);
    }
    return secretUriFor(this.#charm, relation, secret);
  }

  /**
   * Brings the shared secret up to date. Leader only.
   * @param looked relations that may be read: each is some calls to Juju @param isBusy whether any job is unfinished
   */
  reconcile(looked: readonly Relation[], isBusy: boolean): void {
    const granted = this.#granted();
    if (granted.length === 0) {
      return;
    }
    const settings = this.settings();
    const secret = this.#find(PASSPHRASE_LABEL);
    const after =
      settings.kind === 'off' && !isBusy ? [] : this.#review(granted, { looked, secret });
    if (after.length === 0) {
      secret?.removeAllRevisions();
    } else if (secret !== undefined && settings.kind === 'on') {
      refresh(secret, contentOf(settings.passphrases));
    }
    this.#remember(after);
  }

  /** Takes it back from those that no longer know what to do with it and have no job that refers to it. */
  #review(
    granted: readonly number[],
    {
      looked,
      secret,
    }: { readonly looked: readonly Relation[]; readonly secret: Secret | undefined },
  ): readonly number[] {
    const estranged = looked
      .filter(({ id }) => granted.includes(id))
      .filter((relation) => this.obstacle(relation) !== undefined)
      .filter((relation) => this.#requirer.jobs(relation).every((job) => !job.encryption));
    for (const relation of estranged) {
      secret?.revoke(relation);
    }
    // Juju itself takes back what was granted in a relation that is gone.
    const living = new Set(this.#requirer.databases().map(({ relation }) => relation.id));
    const lost = new Set(estranged.map(({ id }) => id));
    return granted.filter((id) => living.has(id) && !lost.has(id));
  }

  /** Puts a recovery kit where only the administrator of the model reads it. @returns the secret's id */
  keepKit(text: string): string {
    return this.#ensure(
      KIT_LABEL,
      { kit: text },
      'Keys of the encrypted backups, to be locked away',
    ).id;
  }

  /** @returns whether there was one */
  forgetKit(): boolean {
    const secret = this.#find(KIT_LABEL);
    secret?.removeAllRevisions();
    return secret !== undefined;
  }

  #ensure(label: string, content: Content, description: string): Secret {
    const known = this.#find(label);
    if (known !== undefined) {
      refresh(known, content);
      return known;
    }
    const secret = this.#charm.app.addSecret(content, { label, description });
    this.#secrets.set(label, secret);
    return secret;
  }

  #find(label: string): Secret | undefined {
    try {
      const secret = this.#secrets.get(label) ?? this.#charm.model.getSecret({ label });
      this.#secrets.set(label, secret);
      return secret;
    } catch (error) {
      if (error instanceof SecretNotFoundError) {
        return undefined;
      }
      throw error;
    }
  }

  #granted(): readonly number[] {
    const text = this.#databag()?.get(GRANTED);
    // Written by this class alone, a version of this charm at a time.
    return text === undefined || text === '' ? [] : (JSON.parse(text) as number[]);
  }

  #remember(granted: readonly number[]): void {
    const databag = this.#databag();
    if (granted.length > 0) {
      databag?.set(GRANTED, JSON.stringify(granted));
    } else if (databag?.get(GRANTED) !== undefined) {
      databag.delete(GRANTED);
    }
  }
}

type Content = Readonly<Record<string, string>>;

function contentOf([passphrase = '', previous]: readonly string[]): Content {
  return previous === undefined ? { passphrase } : { passphrase, 'previous-passphrase': previous };
}

/** A new revision where the content is another one: consumers are told. */
function refresh(secret: Secret, content: Content): void {
  const known = secret.getContent({ refresh: true });
  const names = new Set([...Object.keys(known), ...Object.keys(content)]);
  if ([...names].some((name) => known[name] !== content[name])) {
    secret.setContent({ ...content });
  }
}
