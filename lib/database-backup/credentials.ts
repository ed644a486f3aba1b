/**
 * Credentials as a reference to a Juju secret in place of the keys themselves (feature
 * `secret-credentials`). The schema of version 0 asks for text, and text it is.
 */
import { isSameSecret, type Model, SecretNotFoundError, SecretPermissionError } from '#ops';
import { HintError } from '#system';
import type { StorageConfig } from './job.ts';

// What Juju's tools print and take: with the model's UUID where it is another one's.
const SECRET_URI = /^secret:(?:\/\/[0-9a-f-]{36}\/)?[0-9a-v]{20}$/;

/** Whether the text refers to a secret. */
export function isSecretUri(text: string): boolean {
  return SECRET_URI.test(text);
}

/** The URI both keys hold; undefined where they are keys. */
export function credentialsReference(config: StorageConfig): string | undefined {
  const { 'access-key': access, 'secret-key': secret } = config;
  const isReference = SECRET_URI.test(access) && SECRET_URI.test(secret);
  return isReference && isSameSecret(access, secret) ? access : undefined;
}

/** Whether a key holds a reference, be it one that cannot be used. */
export function isCredentialsReference(config: StorageConfig): boolean {
  return SECRET_URI.test(config['access-key']) || SECRET_URI.test(config['secret-key']);
}

/** The configuration with the reference in place of both keys. */
export function referringTo(uri: string, config: StorageConfig): StorageConfig {
  return { ...config, 'access-key': uri, 'secret-key': uri };
}

/** Puts keys where references are, in memory only. Reads each secret once. */
export class CredentialsReader {
  readonly #model: Pick<Model, 'getSecret'>;
  readonly #read = new Map<string, Readonly<Record<string, string>> | HintError>();

  constructor(model: Pick<Model, 'getSecret'>) {
    this.#model = model;
  }

  /**
   * The configuration with the keys of the secret's latest revision; as it is where it holds none.
   * @throws HintError `secret-not-granted` when the secret cannot be read or lacks a key
   */
  resolve(config: StorageConfig): StorageConfig {
    if (!isCredentialsReference(config)) {
      return config;
    }
    const uri = credentialsReference(config);
    if (uri === undefined) {
      throw unusable('the keys of storage-config refer to different secrets');
    }
    const content = this.#content(uri);
    const { 'access-key': access, 'secret-key': secret } = content;
    if (access === undefined || secret === undefined) {
      throw unusable('the secret of storage-config has no access-key and secret-key');
    }
    return { ...config, 'access-key': access, 'secret-key': secret };
  }

  /**
   * The passphrases in the secret's latest revision: the one that counts, then the one it replaces, if any.
   * @throws HintError `secret-not-granted` when the secret cannot be read or holds none
   */
  passphrases(uri: string): readonly string[] {
    const { passphrase, 'previous-passphrase': previous } = this.#content(uri);
    if (passphrase === undefined) {
      throw unusable('the secret of encryption has no passphrase');
    }
    return previous === undefined ? [passphrase] : [passphrase, previous];
  }

  #content(uri: string): Readonly<Record<string, string>> {
    const known = this.#read.get(uri) ?? this.#ask(uri);
    this.#read.set(uri, known);
    if (known instanceof HintError) {
      throw known;
    }
    return known;
  }

  #ask(uri: string): Readonly<Record<string, string>> | HintError {
    try {
      return this.#model.getSecret({ id: uri }).getContent({ refresh: true });
    } catch (error) {
      if (error instanceof SecretNotFoundError || error instanceof SecretPermissionError) {
        return unusable(`a secret of the request cannot be read: ${error.message}`);
      }
      throw error;
    }
  }
}

function unusable(message: string): HintError {
  return new HintError(message, {
    code: 'secret-not-granted',
    hint: 'grant the secret to this application over the relation, then ask again under a new job-id',
  });
}
