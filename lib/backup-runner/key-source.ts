/** The keys of the store as they are now: those the worker was started with, then what the charm hands over. */
import type { StorageConfig } from '#database-backup';
import type { CredentialsSource, S3Credentials } from '#object-store';
import { describeError } from '#system';
import { receive } from './hand-over.ts';
import type { JobFiles } from './job-files.ts';
import type { JobLog } from './job-log.ts';

export interface KeySourceOptions {
  readonly config: StorageConfig;
  readonly files: JobFiles;
  /** Has the charm reconcile; resolves when it has. */
  readonly fire: () => Promise<void>;
  readonly log: JobLog;
  /** Told of every configuration before its keys are used. */
  readonly onConfig: (config: StorageConfig) => void;
}

/** Asks the charm from the second call on: the store calls again only when its keys were refused. */
export function createKeySource(options: KeySourceOptions): CredentialsSource {
  const { config, files, fire, log, onConfig } = options;
  let isFirst = true;
  let current = config;
  return async () => {
    if (isFirst) {
      isFirst = false;
      return keysOf(current);
    }
    log.warning('the storage refuses the credentials, asking the charm for newer ones');
    try {
      const newest = await receive(files, fire);
      if (newest !== undefined) {
        onConfig(newest);
        current = newest;
      }
    } catch (error) {
      log.warning('cannot ask the charm for credentials', { error: describeError(error) });
    }
    return keysOf(current);
  };
}

function keysOf(config: StorageConfig): S3Credentials {
  const { 'access-key': accessKey, 'secret-key': secretKey, 'session-token': token } = config;
  return {
    accessKey,
    secretKey,
    ...(typeof token === 'string' ? { sessionToken: token } : {}),
  };
}
