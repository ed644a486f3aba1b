/**
 * When secrets are due: rotation, and expiry of the latest revision. Pure.
 * Rules: https://github.com/juju/juju/blob/3.6/apiserver/facades/agent/secretsmanager/secrets.go
 * (SecretsRotated) and internal/worker/secretexpire. Turns missed while nobody could run hooks become
 * one here; Juju makes up for each of them.
 */
import type { RotatePolicy, SecretDocument } from './documents.ts';

/** How long after a hook that changed nothing the owner is told again. */
const RETRY_MS = 5 * 60_000;

/** When a secret rotated at `from` is due next; undefined for `never`. */
export function nextRotation(policy: RotatePolicy, from: Date): Date | undefined {
  const next = new Date(from);
  switch (policy) {
    case 'never':
      return undefined;
    case 'hourly':
      next.setTime(next.getTime() + 3_600_000);
      return next;
    case 'daily':
      next.setUTCDate(next.getUTCDate() + 1);
      return next;
    case 'weekly':
      next.setUTCDate(next.getUTCDate() + 7);
      return next;
    case 'monthly':
      next.setUTCMonth(next.getUTCMonth() + 1);
      return next;
    case 'quarterly':
      next.setUTCMonth(next.getUTCMonth() + 3);
      return next;
    case 'yearly':
      next.setUTCFullYear(next.getUTCFullYear() + 1);
      return next;
  }
}

/** With another policy: the first turn is counted from now, later ones go on as they were. */
export function withRotation(
  secret: SecretDocument,
  policy: RotatePolicy,
  now: Date,
): SecretDocument {
  const { rotateAt: before, ...rest } = secret;
  const due = policy === 'never' ? undefined : (before ?? nextRotation(policy, now)?.toISOString());
  return { ...rest, rotate: policy, ...(due === undefined ? {} : { rotateAt: due }) };
}

/** After secret-rotate ran: the next turn, soon when the hook made no new revision or it expires first. */
export function afterRotation(
  secret: SecretDocument,
  { hadRevision, now }: { readonly hadRevision: number; readonly now: Date },
): SecretDocument {
  let next = nextRotation(secret.rotate, new Date(secret.rotateAt ?? now));
  while (next !== undefined && next <= now) {
    next = nextRotation(secret.rotate, next);
  }
  if (next === undefined) {
    return secret;
  }
  const soon = new Date(now.getTime() + RETRY_MS);
  const expires = latestExpiry(secret);
  const expiresFirst = expires !== undefined && expires < next && soon < expires;
  const due = secret.latest === hadRevision || expiresFirst ? soon : next;
  return { ...secret, rotateAt: due.toISOString() };
}

/** After secret-expired ran for a revision that is still there: told again later. */
export function afterExpiry(secret: SecretDocument, revision: number, now: Date): SecretDocument {
  return {
    ...secret,
    revisions: secret.revisions.map((one) =>
      one.revision === revision ? { ...one, expiryToldAt: now.toISOString() } : one,
    ),
  };
}

/** The latest revision with another expiry. */
export function withExpiry(secret: SecretDocument, expires: string): SecretDocument {
  return {
    ...secret,
    revisions: secret.revisions.map((one) => {
      const { expiryToldAt: _forgotten, ...kept } = one;
      return one.revision === secret.latest ? { ...kept, expires } : one;
    }),
  };
}

/** When secret-rotate is due; undefined where the secret is never rotated. */
export function rotationDue({ rotateAt }: SecretDocument): Date | undefined {
  return rotateAt === undefined ? undefined : new Date(rotateAt);
}

/** When secret-expired is due for the latest revision; undefined where it does not expire. */
export function expiryDue(secret: SecretDocument): Date | undefined {
  const expires = latestExpiry(secret);
  const told = secret.revisions.find(({ revision }) => revision === secret.latest)?.expiryToldAt;
  if (expires === undefined || told === undefined) {
    return expires;
  }
  return new Date(Math.max(expires.getTime(), Date.parse(told) + RETRY_MS));
}

function latestExpiry({ revisions, latest }: SecretDocument): Date | undefined {
  const expires = revisions.find(({ revision }) => revision === latest)?.expires;
  return expires === undefined ? undefined : new Date(expires);
}
