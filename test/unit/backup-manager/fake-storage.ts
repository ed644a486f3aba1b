/** A bucket in memory as the manager sees it, which can be broken. */
import { HintError } from '#system';
import type {
  BackupInfo,
  StoragePort,
  UnfinishedBackup,
} from '../../../charms/backup-manager/src/storage.ts';

export class FakeStorage implements StoragePort {
  backups: BackupInfo[] = [];
  unfinished: UnfinishedBackup[] = [];
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
    return { backups: this.backups, unfinished: this.unfinished };
  }

  async open(config: { readonly 'access-key': string }, artefactPath: string): Promise<BackupInfo> {
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
    return backup;
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
