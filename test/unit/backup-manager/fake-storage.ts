/** A bucket in memory as the manager sees it, which can be broken. */
import type { StorageReport } from '#object-store';
import type { ItemSummary } from '#snapshots';
import { HintError } from '#system';
import type {
  BackupDetails,
  BackupInfo,
  DeletedBackup,
  StoragePort,
  UnfinishedBackup,
} from '../../../charms/backup-manager/src/storage.ts';

export class FakeStorage implements StoragePort {
  backups: BackupInfo[] = [];
  unfinished: UnfinishedBackup[] = [];
  deleted: DeletedBackup[] = [];
  /** What a probe finds. */
  report: StorageReport = {
    usable: false,
    findings: [],
    profile: {
      uriStyle: 'host',
      region: 'us-east-1',
      conditionalWrites: true,
      batchDelete: true,
      multipart: true,
      checksPayload: true,
    },
    clockSkewMs: undefined,
    elapsedMs: 5,
  };
  /** What was done to backups, in order. */
  readonly deeds: string[] = [];
  /** What every call throws. */
  failure: HintError | undefined;
  /** Whether calls never end, not even when told to. */
  isSilent = false;
  /** Access keys used, in order. */
  readonly keysSeen: string[] = [];

  async check(config: { readonly 'access-key': string }): Promise<void> {
    await this.#answer(config);
  }

  async list(config: { readonly 'access-key': string }) {
    await this.#answer(config);
    return { backups: this.backups, unfinished: this.unfinished, deleted: this.deleted };
  }

  async probe(config: { readonly 'access-key': string }): Promise<StorageReport> {
    this.keysSeen.push(config['access-key']);
    return this.report;
  }

  async verify(
    config: { readonly 'access-key': string },
    path: string,
    { level }: { readonly level: string },
  ) {
    const { artefactPath } = await this.open(config, path);
    this.deeds.push(`verify ${level} ${artefactPath}`);
    return { artefactPath, readBytes: 512, neededBytes: 1024, elapsedMs: 100 };
  }

  async delete(
    config: { readonly 'access-key': string },
    path: string,
    { force }: { readonly force: boolean },
  ) {
    const { artefactPath } = await this.open(config, path);
    this.deeds.push(`delete ${artefactPath}${force ? ' by force' : ''}`);
  }

  async undelete(config: { readonly 'access-key': string }, path: string) {
    await this.#answer(config);
    this.deeds.push(`undelete ${path}`);
  }

  async setKept(
    config: { readonly 'access-key': string },
    path: string,
    { isKept }: { readonly isKept: boolean },
  ) {
    const { artefactPath } = await this.open(config, path);
    this.deeds.push(`${isKept ? 'keep' : 'let go'} ${artefactPath}`);
  }

  async open(
    config: { readonly 'access-key': string },
    artefactPath: string,
  ): Promise<BackupDetails> {
    await this.#answer(config);
    const wanted = bare(artefactPath);
    const unfinished = this.unfinished.find((one) => bare(one.artefactPath) === wanted);
    if (unfinished !== undefined) {
      throw new HintError(`${artefactPath}: ${unfinished.message}`, {
        code: 'incomplete',
        hint: 'choose another backup',
      });
    }
    const backup = this.backups.find((one) => bare(one.artefactPath) === wanted);
    if (backup === undefined) {
      throw new HintError(`there is no backup at ${artefactPath}`, {
        code: 'not-found',
        hint: 'choose another backup',
      });
    }
    return {
      ...backup,
      startedAt: backup.createdAt,
      formatVersion: 1,
      entries: 3,
      files: 2,
      chunks: 4,
      neededBytes: backup.storedBytes,
    };
  }

  /** What lies in them. */
  contents: ItemSummary[] = [];

  async items(
    config: { readonly 'access-key': string },
    path: string,
    { directory, passphrases }: { readonly directory: string; readonly passphrases: unknown },
  ) {
    const { artefactPath } = await this.open(config, path);
    this.deeds.push(`look into ${directory} with ${JSON.stringify(passphrases)}`);
    return { artefactPath, items: this.contents };
  }

  async rotateKey(
    config: { readonly 'access-key': string },
    prefix: string,
    { passphrases }: { readonly passphrases: readonly string[] },
  ) {
    await this.#answer(config);
    this.deeds.push(`rotate the key of ${prefix} with ${passphrases.join(', ')}`);
    return 'new-key';
  }

  async changePassphrase(
    config: { readonly 'access-key': string },
    prefix: string,
    { from, to }: { readonly from: string; readonly to: string },
  ) {
    await this.#answer(config);
    this.deeds.push(`change the passphrase of ${prefix} from ${from} to ${to}`);
    return 2;
  }

  async recoveryKit(config: { readonly 'access-key': string }, prefix: string) {
    await this.#answer(config);
    this.deeds.push(`recovery kit of ${prefix}`);
    return { text: `KIT of ${prefix}`, keyIds: [`key of ${prefix}`] };
  }

  async #answer(config: { readonly 'access-key': string }): Promise<void> {
    this.keysSeen.push(config['access-key']);
    if (this.isSilent) {
      await new Promise(() => undefined);
    }
    if (this.failure !== undefined) {
      throw this.failure;
    }
  }
}

function bare(path: string): string {
  return path.replaceAll(/^\/+|\/+$/g, '');
}
