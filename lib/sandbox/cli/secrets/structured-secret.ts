/** Secrets as tables and documents: `juju secrets`, `juju show-secret`. */
import type { SecretInfo } from '../../api.ts';
import { type OutputValue, sortKeys, Timestamp } from '../../go-output/values.ts';
import { formatTable } from '../output/table.ts';
import { friendlyAge, isoTime } from '../output/timestamp.ts';

/** One line a secret. */
export function formatSecretTable(secrets: readonly SecretInfo[], now: Date): string {
  return formatTable(
    ['ID', 'Name', 'Owner', 'Rotation', { title: 'Revision', align: 'right' }, 'Last updated'],
    secrets.map((secret) => [
      secret.id,
      secret.name ?? '-',
      secret.owner,
      secret.rotation,
      String(secret.revision),
      friendlyAge(new Date(secret.updated), now),
    ]),
  );
}

/** Which of the details are wanted. */
export interface SecretDetails {
  readonly format: 'yaml' | 'json';
  readonly revisions: boolean;
  readonly reveal: boolean;
  /** Who may read it; `juju secrets` leaves it out. */
  readonly grants: boolean;
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
    checksum: details.reveal ? secret.checksum : undefined,
    expires: time(secret.expires),
    rotation: secret.rotation === 'never' ? undefined : secret.rotation,
    rotates: time(secret.rotates),
    owner: secret.owner,
    description: secret.description === '' ? undefined : secret.description,
    name: secret.name,
    label: secret.label,
    created: time(secret.created),
    updated: time(secret.updated),
    content: details.reveal ? contentIn(details.format, secret) : undefined,
    revisions: details.revisions ? revisions(secret) : undefined,
    access:
      !details.grants || secret.access.length === 0
        ? undefined
        : secret.access.map(({ target, scope, role }) => ({ target, scope, role })),
  };
}

function revisions(secret: SecretInfo): OutputValue {
  return secret.revisions.map((revision) => ({
    revision: revision.revision,
    backend: 'internal',
    created: time(revision.created),
    updated: time(revision.created),
    expires: time(revision.expires),
  }));
}

/** Juju's map is inlined in YAML only: in JSON it is the member `Data`. */
function contentIn(format: 'yaml' | 'json', secret: SecretInfo): OutputValue {
  const value = content(secret);
  return format === 'json' && value !== undefined ? { Data: value } : value;
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
