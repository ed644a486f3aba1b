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
  const secrets = reader.all('secret');
  const owned = secrets.filter((one) => isOwnedHere(one, unit, application));
  const due = nextDueHook(owned, now);
  if (due !== undefined) {
    return due;
  }
  for (const secret of secrets) {
    const consumer = secret.consumers[unit.name];
    if (consumer !== undefined && consumer.told < secret.latest) {
      return describe(secret, 'changed', secret.latest, consumer.label);
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
  return reader
    .all('secret')
    .filter((one) => isOwnedHere(one, unit, application))
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

/** Whether secret-remove and its like go to this unit: the owning unit, or the owning leader. */
function isOwnedHere(
  { owner }: SecretDocument,
  unit: UnitDocument,
  application: ApplicationDocument,
): boolean {
  return owner.kind === 'unit'
    ? owner.name === unit.name
    : owner.kind === 'application' &&
        owner.name === application.name &&
        application.leader === unit.name;
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
