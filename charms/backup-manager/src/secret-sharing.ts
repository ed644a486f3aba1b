/** To whom a secret of this application can be handed over a relation, and how it is written there. */
import type { BackupRequirer } from '#database-backup';
import { bareSecretId, type CharmBase, type Relation, type Secret } from '#ops';
import type { BackupManagerTypes } from './charm-types.ts';

type Charm = CharmBase<BackupManagerTypes>;

/** Labels of what is shared, by which every later leader finds it. */
export const CREDENTIALS_LABEL = 'database-credentials';
export const PASSPHRASE_LABEL = 'database-encryption';

// What Juju calls the consumer of an offer.
const CONSUMER = /^remote-[0-9a-f]{32}$/;

/** Why the database cannot have a secret; undefined: it can. */
export function obstacleToSharing(
  charm: Charm,
  requirer: BackupRequirer,
  relation: Relation,
): string | undefined {
  if (!requirer.agreed(relation).has('secret-credentials')) {
    return 'does not know secrets';
  }
  return isConsumed(charm, relation)
    ? `is consumed from another model, and Juju shares secrets from the offering model only (offer ${charm.app.name} and relate the database to that, and they are shared)`
    : undefined;
}

/**
 * Whether the database is an offer of another model. Juju then refuses a grant, and only when the hook is
 * committed, which fails it: "sharing consumer secrets across a cross model relation not supported".
 */
function isConsumed(charm: Charm, relation: Relation): boolean {
  return !CONSUMER.test(relation.app.name) && isRemote(charm, relation);
}

function isRemote(charm: Charm, relation: Relation): boolean {
  const { uuid } = charm.model;
  return (relation.remoteModelUuid() ?? uuid) !== uuid;
}

/** Removes a revision of a shared secret that nobody reads any more; other secrets are left alone. */
export function dropRevision(charm: Charm, secret: Secret, revision: number | undefined): void {
  const isShared = secret.label === CREDENTIALS_LABEL || secret.label === PASSPHRASE_LABEL;
  if (isShared && revision !== undefined && charm.unit.isLeader()) {
    secret.removeRevision(revision);
  }
}

/** In the form the other end can read: from another model it takes ours in front. */
export function secretUriFor(charm: Charm, relation: Relation, secret: Secret): string {
  const bare = bareSecretId(secret.id);
  return isRemote(charm, relation) ? `secret://${charm.model.uuid}/${bare}` : `secret:${bare}`;
}
