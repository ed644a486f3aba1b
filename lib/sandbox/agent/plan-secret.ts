/** Which secret hook a unit owes: consumers hear of new revisions, owners of unused or due ones. Pure. */
import type { ApplicationDocument, SecretDocument, UnitDocument } from '../model/documents.ts';
import type { SecretHookInfo } from '../model/hook-info.ts';
import { expiryDue, rotationDue } from '../model/secret-timers.ts';
import type { Reader } from '../store/store.ts';

/** Expired before rotate, changed and remove; one secret and revision at a time. */
export function nextSecretHook(
  reader: Reader,
  unit: UnitDocument,
  application: ApplicationDocument,
  now: Date,
): SecretHookInfo | undefined {
  const owned = secretsOwnedHere(reader, unit, application);
  const due = nextDueHook(owned, now);
  if (due !== undefined) {
    return due;
  }
  for (const secret of reader.find('secrets of consumer', unit.name)) {
    const consumer = secret.consumers[unit.name];
    if (consumer !== undefined && consumer.told < secret.latest) {
      const label = consumer.label ?? ownersLabel(secret, unit);
      return describe(secret, 'changed', secret.latest, label);
    }
  }
  for (const secret of owned) {
    const revision = untoldObsolete(secret);
    if (revision !== undefined) {
      return describe(secret, 'remove', revision, secret.label);
    }
  }
  return undefined;
}

/** When the unit has to look again although nothing changed: the next turn of its secrets. */
export function nextSecretTime(
  reader: Reader,
  unit: UnitDocument,
  application: ApplicationDocument,
): Date | undefined {
  return secretsOwnedHere(reader, unit, application)
    .flatMap((secret) => [expiryDue(secret) ?? [], rotationDue(secret) ?? []].flat())
    .toSorted((a, b) => a.getTime() - b.getTime())[0];
}

function nextDueHook(owned: readonly SecretDocument[], now: Date): SecretHookInfo | undefined {
  const isDue = (at: Date | undefined) => at !== undefined && at <= now;
  const expired = owned.find((secret) => isDue(expiryDue(secret)));
  if (expired !== undefined) {
    return describe(expired, 'expired', expired.latest, expired.label);
  }
  const rotating = owned.find((secret) => isDue(rotationDue(secret)));
  return rotating === undefined
    ? undefined
    : describe(rotating, 'rotate', rotating.latest, rotating.label);
}

/** Secrets whose secret-remove and its like go to this unit: its own, and the application's if it leads. */
function secretsOwnedHere(
  reader: Reader,
  unit: UnitDocument,
  application: ApplicationDocument,
): readonly SecretDocument[] {
  const own = reader.find('secrets of owner', unit.name);
  return application.leader === unit.name
    ? [...own, ...reader.find('secrets of owner', application.name)]
    : own;
}

/** Units of the owner that gave a secret no label of their own hear the owner's, as on Juju. */
function ownersLabel(secret: SecretDocument, unit: UnitDocument): string | undefined {
  const { kind, name } = secret.owner;
  const isOwners = kind !== 'model' && (name === unit.name || name === unit.application);
  return isOwners ? secret.label : undefined;
}

function untoldObsolete(secret: SecretDocument): number | undefined {
  const tracked = new Set(Object.values(secret.consumers).map((consumer) => consumer.tracked));
  return secret.revisions.find(
    ({ revision, obsoleteTold }) =>
      revision !== secret.latest && !tracked.has(revision) && !obsoleteTold,
  )?.revision;
}

function describe(
  secret: SecretDocument,
  step: SecretHookInfo['step'],
  revision: number,
  label: string | undefined,
): SecretHookInfo {
  return { kind: 'secret', step, secret: secret.id, label: label ?? '', revision };
}
