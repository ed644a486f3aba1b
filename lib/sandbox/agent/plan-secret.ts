/** Which secret hook a unit owes: consumers hear of new revisions, owners of unused ones. Pure. */
import type { ApplicationDocument, SecretDocument, UnitDocument } from '../model/documents.ts';
import type { SecretHookInfo } from '../model/hook-info.ts';
import type { Reader } from '../store/store.ts';

/** secret-changed before secret-remove, one secret and revision at a time. */
export function nextSecretHook(
  reader: Reader,
  unit: UnitDocument,
  application: ApplicationDocument,
): SecretHookInfo | undefined {
  const secrets = reader.all('secret');
  for (const secret of secrets) {
    const consumer = secret.consumers[unit.name];
    if (consumer !== undefined && consumer.told < secret.latest) {
      return describe(secret, 'changed', secret.latest, consumer.label);
    }
  }
  for (const secret of secrets.filter((one) => isOwnedHere(one, unit, application))) {
    const revision = untoldObsolete(secret);
    if (revision !== undefined) {
      return describe(secret, 'remove', revision, secret.label);
    }
  }
  return undefined;
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
