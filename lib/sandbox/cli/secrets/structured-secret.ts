/** Secrets as tables and documents: `juju secrets`, `juju show-secret`. */
import type { SecretInfo } from '../../api.ts';
import { formatTable } from '../output/table.ts';
import { calendarDate, isoTime } from '../output/timestamp.ts';
import { type OutputValue, sortKeys, Timestamp } from '../output/values.ts';

/** One line a secret. */
export function formatSecretTable(secrets: readonly SecretInfo[]): string {
  return formatTable(
    ['ID', 'Name', 'Owner', 'Rotation', { title: 'Revision', align: 'right' }, 'Last updated'],
    secrets.map((secret) => [
      secret.id,
      secret.name ?? '-',
      secret.owner,
      secret.rotation,
      String(secret.revision),
      calendarDate(new Date(secret.updated), { utc: true }),
    ]),
  );
}

/** Which of the details are wanted. */
export interface SecretDetails {
  readonly revisions: boolean;
  readonly reveal: boolean;
}

/** The map that `--format yaml|json` prints: id → secret. */
export function structuredSecrets(
  secrets: readonly SecretInfo[],
  details: SecretDetails,
): OutputValue {
  return Object.fromEntries(secrets.map((secret) => [secret.id, structured(secret, details)]));
}

function structured(secret: SecretInfo, details: SecretDetails): OutputValue {
  return {
    revision: secret.revision,
    checksum: secret.checksum,
    expires: time(secret.expires),
    rotation: secret.rotation === 'never' ? undefined : secret.rotation,
    rotates: time(secret.rotates),
    owner: secret.owner,
    description: secret.description === '' ? undefined : secret.description,
    name: secret.name,
    label: secret.label,
    created: time(secret.created),
    updated: time(secret.updated),
    content: details.reveal ? content(secret) : undefined,
    revisions: details.revisions ? revisions(secret) : undefined,
    access:
      secret.access.length === 0
        ? undefined
        : secret.access.map(({ target, scope, role }) => ({ target, scope, role })),
  };
}

function revisions(secret: SecretInfo): OutputValue {
  return secret.revisions.map((revision) => ({
    revision: revision.revision,
    backend: 'internal',
    created: time(revision.created),
    expires: time(revision.expires),
  }));
}

function content({ content: encoded }: SecretInfo): OutputValue {
  if (encoded === undefined) {
    return undefined;
  }
  return sortKeys(
    Object.fromEntries(Object.entries(encoded).map(([key, value]) => [key, decode(value)])),
  );
}

/** Text where it is text; else what it is in base64. */
function decode(value: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(value, 'base64'));
  } catch {
    return value;
  }
}

function time(at: string | undefined): Timestamp | undefined {
  return at === undefined ? undefined : new Timestamp(isoTime(new Date(at), { utc: true }));
}
