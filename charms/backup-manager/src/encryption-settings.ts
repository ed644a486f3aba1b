/** The administrator's passphrase → what to encrypt with, or a fault. Pure. docs/decisions/0008-encryption.md */
import { HintError, hasErrorCode } from '#system';
import type { StorageFault } from './storage-settings.ts';

export type EncryptionSettings =
  /** Backups are not encrypted. */
  | { readonly kind: 'off' }
  /** The passphrase that counts, then the one it replaces, if any. */
  | { readonly kind: 'on'; readonly passphrases: readonly string[] }
  | { readonly kind: 'faulty'; readonly fault: StorageFault };

export interface EncryptionInput {
  /** Name of this application, for the commands in hints. */
  readonly application: string;
  /** URI of the secret; undefined where the option is unset. */
  readonly uri: string | undefined;
  /** Content of the secret; what it throws becomes a fault. */
  readSecret(): Readonly<Record<string, string>>;
}

// As `#snapshots` demands it, whose code is not loaded for this.
const MIN_LENGTH = 12;
const FORM = `passphrase#file=FILE, ${MIN_LENGTH} characters or more, for example made with: openssl rand -base64 32`;

/** Never throws, and no message holds a secret. */
export function readEncryptionSettings(input: EncryptionInput): EncryptionSettings {
  const { uri, application } = input;
  if (uri === undefined || uri.trim() === '') {
    return { kind: 'off' };
  }
  let content: Readonly<Record<string, string>>;
  try {
    content = input.readSecret();
  } catch (error) {
    return faulty(...unreadable(error, uri, application));
  }
  const passphrase = trimmed(content, 'passphrase');
  const previous = trimmed(content, 'previous-passphrase');
  if (passphrase.length < MIN_LENGTH) {
    const problem = passphrase === '' ? 'has no passphrase' : 'has a passphrase that is too short';
    return faulty(
      'bad-passphrase',
      `the encryption secret ${problem}`,
      `run: juju update-secret ${uri} ${FORM}`,
    );
  }
  return {
    kind: 'on',
    passphrases: previous === '' ? [passphrase] : [passphrase, previous],
  };
}

// Files that passphrases are read from end in a line feed.
function trimmed(content: Readonly<Record<string, string>>, name: string): string {
  return content[name]?.trim() ?? '';
}

function unreadable(error: unknown, uri: string, application: string): [string, string, string] {
  if (hasErrorCode(error, 'secret-permission-denied')) {
    const hint = `run: juju grant-secret ${uri} ${application}`;
    return ['secret-not-granted', 'the encryption secret is not granted to this charm', hint];
  }
  if (hasErrorCode(error, 'secret-not-found')) {
    const hint = `run: juju secrets, then juju config ${application} encryption=secret:…`;
    return ['bad-secret', 'the encryption secret does not exist, or is not granted', hint];
  }
  if (!(error instanceof HintError)) {
    throw error;
  }
  return [
    'bad-secret',
    'the encryption secret cannot be read',
    `check it with: juju show-secret ${uri}`,
  ];
}

function faulty(code: string, message: string, hint: string): EncryptionSettings {
  return { kind: 'faulty', fault: { code, message, hint } };
}
