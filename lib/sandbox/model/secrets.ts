/** Secrets as values: revisions, grants, consumers. Pure. */
import { createHash, randomBytes } from 'node:crypto';
import type { SecretContent } from '../api-secrets.ts';
import type { Reader } from '../store/store.ts';
import type { SecretConsumer, SecretDocument, SecretGrant } from './documents.ts';
import { applicationOf } from './names.ts';

const ALPHABET = '0123456789abcdefghijklmnopqrstuv';
const ID =
  /^(?:secret:)?(?:(?:\/\/)?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/)?([0-9a-v]{20})$/;

/** What secret keys must look like. */
export const SECRET_KEY: RegExp = /^([a-z](?:-?[a-z0-9]){2,})$/;

/** Twenty characters: four bytes of time and eight of chance, in base 32 (as xid, roughly). */
export function newSecretId(now: Date): string {
  const bytes = Buffer.alloc(13);
  bytes.writeUInt32BE(Math.floor(now.getTime() / 1000));
  randomBytes(8).copy(bytes, 4);
  let bits = BigInt(`0x${bytes.toString('hex')}`) >> 4n;
  let id = '';
  for (let index = 0; index < 20; index += 1) {
    id = (ALPHABET[Number(bits & 31n)] ?? '0') + id;
    bits >>= 5n;
  }
  return id;
}

/** The id in any form of a secret's URI; undefined for anything else. */
export function parseSecretUri(text: string): string | undefined {
  return ID.exec(text)?.[2];
}

/** The uuid of the model in a secret's URI; undefined where none is given. */
export function secretUriModel(text: string): string | undefined {
  return ID.exec(text)?.[1];
}

export function contentOf(secret: SecretDocument, revision: number): SecretContent | undefined {
  return secret.revisions.find((one) => one.revision === revision)?.content;
}

export function checksum(content: SecretContent): string {
  const entries = Object.entries(content).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(entries)).digest('hex');
}

/** A new latest revision, unless the content is that of the latest. */
export function withContent(
  secret: SecretDocument,
  content: SecretContent,
  options: { readonly now: string; readonly expires?: string },
): SecretDocument {
  const latest = contentOf(secret, secret.latest);
  if (latest !== undefined && checksum(latest) === checksum(content)) {
    return secret;
  }
  const revision = secret.latest + 1;
  return {
    ...secret,
    latest: revision,
    updated: options.now,
    revisions: [
      ...secret.revisions,
      {
        revision,
        content,
        created: options.now,
        obsoleteTold: false,
        ...(options.expires === undefined ? {} : { expires: options.expires }),
      },
    ],
  };
}

/** Without one revision; undefined when none is left or none was named. */
export function withoutRevision(
  secret: SecretDocument,
  revision: number | undefined,
): SecretDocument | undefined {
  const left = secret.revisions.filter((one) => one.revision !== revision);
  return revision === undefined || left.length === 0 ? undefined : { ...secret, revisions: left };
}

export function withGrant(secret: SecretDocument, grant: SecretGrant): SecretDocument {
  const others = secret.grants.filter((one) => one.target !== grant.target);
  return { ...secret, grants: [...others, grant] };
}

export function withoutGrants(
  secret: SecretDocument,
  revoked: (grant: SecretGrant) => boolean,
): SecretDocument {
  return { ...secret, grants: secret.grants.filter((grant) => !revoked(grant)) };
}

export function withConsumer(
  secret: SecretDocument,
  unit: string,
  changes: Partial<SecretConsumer>,
): SecretDocument {
  const before = secret.consumers[unit] ?? { tracked: secret.latest, told: secret.latest };
  return pruned({
    ...secret,
    consumers: { ...secret.consumers, [unit]: { ...before, ...changes } },
  });
}

/** Tracks a revision it has read; the latest where that one was pruned in the meantime. */
export function withRefresh(secret: SecretDocument, unit: string, seen: number): SecretDocument {
  const isThere = secret.revisions.some(({ revision }) => revision === seen);
  return withConsumer(secret, unit, { tracked: isThere ? seen : secret.latest, told: seen });
}

/** A user secret with auto-prune loses revisions that nobody tracks. */
export function pruned(secret: SecretDocument): SecretDocument {
  if (!secret.autoPrune) {
    return secret;
  }
  const tracked = new Set(Object.values(secret.consumers).map((consumer) => consumer.tracked));
  const revisions = secret.revisions.filter(
    ({ revision }) => revision === secret.latest || tracked.has(revision),
  );
  return { ...secret, revisions };
}

/** Whether a unit may read the secret: as (part of) its owner, or by a grant. */
export function mayRead(secret: SecretDocument, unit: string): boolean {
  const application = applicationOf(unit);
  const { kind, name } = secret.owner;
  return (
    (kind === 'unit' && name === unit) ||
    (kind === 'application' && name === application) ||
    secret.grants.some(({ target }) => target === unit || target === application)
  );
}

/** Whether a unit may change the secret: the owning unit, or the leader of the owning application. */
export function mayManage(secret: SecretDocument, unit: string, isLeader: boolean): boolean {
  const { kind, name } = secret.owner;
  return kind === 'unit'
    ? name === unit
    : kind === 'application' && isLeader && name === applicationOf(unit);
}

/** A user secret by name or any form of its URI. */
export function findUserSecret(reader: Reader, nameOrUri: string): SecretDocument | undefined {
  const id = parseSecretUri(nameOrUri);
  return reader
    .all('secret')
    .find(
      (secret) => secret.owner.kind === 'model' && (secret.id === id || secret.label === nameOrUri),
    );
}
