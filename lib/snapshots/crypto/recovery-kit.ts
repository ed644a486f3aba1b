/** A page to print and lock away: with it, encrypted backups can be read without the passphrase. */
import { SnapshotError } from '../errors.ts';
import { type RepositoryKey, repositoryKeyFrom, SECRET_LENGTH } from './repository-key.ts';

const LINE = /^key ([0-9a-f]{16}): ((?:[0-9a-f]{8} ?){8})$/gm;

/** The text. Whoever has it can read every backup made with these keys. */
export function recoveryKit(
  keys: Iterable<RepositoryKey>,
  where: { readonly storage: string; readonly applicationPrefix: string },
): string {
  const lines = [...keys].map((key) => {
    const groups = key.exportSecret().toString('hex').match(/.{8}/g) ?? [];
    return `key ${key.keyId}: ${groups.join(' ')}`;
  });
  return [
    'RECOVERY KIT OF ENCRYPTED BACKUPS: KEEP IT SECRET, AND NOT WHERE THE BACKUPS ARE',
    '',
    `backups: ${where.applicationPrefix} in ${where.storage}`,
    ...lines,
    '',
    'Restore with: recover … --key-file THIS-FILE --artefact-path PATH --to DIRECTORY',
    '',
  ].join('\n');
}

/** The keys of a kit. @throws SnapshotError `wrong-key` when the text holds none, or one was miscopied */
export function parseRecoveryKit(text: string): ReadonlyMap<string, RepositoryKey> {
  const keys = new Map<string, RepositoryKey>();
  for (const [, keyId = '', digits = ''] of text.matchAll(LINE)) {
    const secret = Buffer.from(digits.replaceAll(' ', ''), 'hex');
    const key = secret.length === SECRET_LENGTH ? repositoryKeyFrom(secret) : undefined;
    if (key?.keyId !== keyId) {
      throw invalid(`key ${keyId} was not copied exactly`);
    }
    keys.set(keyId, key);
  }
  if (keys.size === 0) {
    throw invalid('it holds no line "key …: …"');
  }
  return keys;
}

function invalid(reason: string): SnapshotError {
  return new SnapshotError(`cannot use this recovery kit: ${reason}`, {
    code: 'wrong-key',
    hint: 'compare the file with the page that was printed',
  });
}
