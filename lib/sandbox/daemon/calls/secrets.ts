/** User secrets, and questions about all secrets. */
import type { Calls } from '../../api.ts';
import type { SecretContent, SecretInfo } from '../../api-secrets.ts';
import { ModelError } from '../../errors.ts';
import type { SecretDocument } from '../../model/documents.ts';
import {
  checksum,
  contentOf,
  findUserSecret,
  newSecretId,
  parseSecretUri,
  pruned,
  SECRET_KEY,
  withContent,
  withGrant,
  withoutGrants,
  withoutRevision,
} from '../../model/secrets.ts';
import type { Reader } from '../../store/store.ts';
import { type CallContext, requireApplication } from './call-context.ts';

export function addSecret(
  { services }: CallContext,
  { name, content, description }: Calls['add-secret']['params'],
): Calls['add-secret']['result'] {
  checkContent(content);
  const now = services.clock.now();
  const id = newSecretId(now);
  services.store.transact((transaction) => {
    if (findUserSecret(transaction, name) !== undefined) {
      throw new ModelError(
        `secret with name ${JSON.stringify(name)} already exists`,
        'already-exists',
      );
    }
    transaction.put('secret', id, {
      id,
      owner: { kind: 'model', name: '' },
      label: name,
      ...(description === undefined ? {} : { description }),
      rotate: 'never',
      autoPrune: false,
      revisions: [{ revision: 1, content, created: now.toISOString(), obsoleteTold: false }],
      latest: 1,
      grants: [],
      consumers: {},
      created: now.toISOString(),
      updated: now.toISOString(),
    });
  });
  return { uri: `secret:${id}` };
}

export function updateSecret(
  { services }: CallContext,
  { secret: asked, content, name, description, autoPrune }: Calls['update-secret']['params'],
): Calls['update-secret']['result'] {
  const now = services.clock.now().toISOString();
  services.store.transact((transaction) => {
    const secret = requireUserSecret(transaction, asked);
    const described: SecretDocument = {
      ...secret,
      updated: now,
      ...(name === undefined ? {} : { label: name }),
      ...(description === undefined ? {} : { description }),
      ...(autoPrune === undefined ? {} : { autoPrune }),
    };
    if (content !== undefined) {
      checkContent(content);
    }
    const updated = content === undefined ? described : withContent(described, content, { now });
    transaction.put('secret', secret.id, pruned(updated));
  });
  return {};
}

export function removeSecret(
  { services }: CallContext,
  { secret: asked, revision }: Calls['remove-secret']['params'],
): Calls['remove-secret']['result'] {
  services.store.transact((transaction) => {
    const secret = requireUserSecret(transaction, asked);
    const left = withoutRevision(secret, revision);
    if (left === undefined) {
      transaction.remove('secret', secret.id);
    } else {
      transaction.put('secret', secret.id, left);
    }
  });
  return {};
}

export function grantSecret(
  { services }: CallContext,
  { secret: asked, applications }: Calls['grant-secret']['params'],
): Calls['grant-secret']['result'] {
  services.store.transact((transaction) => {
    const secret = requireUserSecret(transaction, asked);
    const granted = applications.reduce((before, target) => {
      requireApplication(transaction, target);
      return withGrant(before, { target });
    }, secret);
    transaction.put('secret', secret.id, granted);
  });
  return {};
}

export function revokeSecret(
  { services }: CallContext,
  { secret: asked, applications }: Calls['revoke-secret']['params'],
): Calls['revoke-secret']['result'] {
  services.store.transact((transaction) => {
    const secret = requireUserSecret(transaction, asked);
    transaction.put(
      'secret',
      secret.id,
      withoutGrants(secret, ({ target }) => applications.includes(target)),
    );
  });
  return {};
}

export function listSecrets({ services }: CallContext): readonly SecretInfo[] {
  return services.store
    .all('secret')
    .filter(({ source }) => source === undefined)
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map((secret) => describe(secret));
}

export function showSecret(
  { services }: CallContext,
  { secret: asked, reveal, revision }: Calls['show-secret']['params'],
): SecretInfo {
  const secret = findOwnSecret(services.store, asked);
  if (secret === undefined) {
    throw missing(asked);
  }
  const content = reveal === true ? contentOf(secret, revision ?? secret.latest) : undefined;
  if (reveal === true && content === undefined) {
    throw new ModelError(
      `secret revision ${JSON.stringify(`${secret.id}/${revision ?? ''}`)} not found`,
      'not-found',
    );
  }
  return { ...describe(secret), ...(content === undefined ? {} : { content }) };
}

/** One of this model: a copy of another's is shown there. */
function findOwnSecret(reader: Reader, asked: string): SecretDocument | undefined {
  const found = findUserSecret(reader, asked) ?? reader.get('secret', parseSecretUri(asked) ?? '');
  return found?.source === undefined ? found : undefined;
}

function describe(secret: SecretDocument): SecretInfo {
  const isUserSecret = secret.owner.kind === 'model';
  const latest = contentOf(secret, secret.latest);
  const expires = secret.revisions.at(-1)?.expires;
  return {
    id: secret.id,
    owner: isUserSecret ? '<model>' : secret.owner.name,
    ...(secret.label === undefined ? {} : { [isUserSecret ? 'name' : 'label']: secret.label }),
    ...(secret.description === undefined ? {} : { description: secret.description }),
    rotation: secret.rotate,
    ...(secret.rotateAt === undefined ? {} : { rotates: secret.rotateAt }),
    ...(expires === undefined ? {} : { expires }),
    revision: secret.latest,
    ...(latest === undefined ? {} : { checksum: checksum(latest) }),
    created: secret.created,
    updated: secret.updated,
    revisions: secret.revisions.map((one) => ({
      revision: one.revision,
      created: one.created,
      ...(one.expires === undefined ? {} : { expires: one.expires }),
    })),
    access: secret.grants.map(({ target, relation }) => ({
      target: target.includes('/') ? `unit-${target.replace('/', '-')}` : `application-${target}`,
      scope: relation === undefined ? 'model' : `relation-${relation}`,
      role: 'view',
    })),
  };
}

function requireUserSecret(reader: Reader, asked: string): SecretDocument {
  const secret = findUserSecret(reader, asked);
  if (secret === undefined) {
    throw missing(asked);
  }
  return secret;
}

function missing(asked: string): ModelError {
  return new ModelError(`secret ${JSON.stringify(asked)} not found`, 'not-found');
}

function checkContent(content: SecretContent): void {
  if (Object.keys(content).length === 0) {
    throw new ModelError('missing secret value or filename');
  }
  for (const key of Object.keys(content)) {
    if (!SECRET_KEY.test(key)) {
      throw new ModelError(`key ${JSON.stringify(key)} not valid`);
    }
  }
}
