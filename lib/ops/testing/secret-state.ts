/** Secrets of a test's state. */
import { frozenCopy } from './freeze.ts';

export interface SecretState {
  /** `secret:` and 20 characters. */
  readonly id: string;
  readonly label: string | undefined;
  /** `none`: of another application, or of the administrator. */
  readonly owner: 'application' | 'unit' | 'none';
  /** What this unit tracks; undefined: it has never read the secret. */
  readonly trackedContent: Readonly<Record<string, string>> | undefined;
  /** Number of the revision this unit tracks. */
  readonly trackedRevision: number | undefined;
  readonly latestContent: Readonly<Record<string, string>>;
  /** Number of the latest revision. */
  readonly revision: number;
  readonly removedRevisions: readonly number[];
  readonly description: string | undefined;
  /** `hourly` to `yearly`, or `never`. */
  readonly rotate: string | undefined;
  /** RFC 3339. */
  readonly expire: string | undefined;
  /** False: reading it is refused. Of secrets of others only. */
  readonly granted: boolean;
  /** Relation id → applications and units that may read it. Of own secrets only. */
  readonly grants: Readonly<Record<number, readonly string[]>>;
}

export type SecretFields = Partial<Omit<SecretState, 'latestContent'>> & {
  /** Content of the latest revision. */
  readonly content: Readonly<Record<string, string>>;
};

/**
 * A secret of somebody else that was granted, unless told otherwise; tracked at its latest revision.
 * With a `trackedContent` of its own it is tracked at the revision before the latest; with
 * `trackedContent: undefined` it has never been read.
 */
export function secret(fields: SecretFields): SecretState {
  const { content, ...rest } = fields;
  const tracked = Object.hasOwn(rest, 'trackedContent') ? rest.trackedContent : content;
  const isBehind = tracked !== undefined && !sameContent(tracked, content);
  const revision = rest.revision ?? (isBehind ? 2 : 1);
  return frozenCopy({
    id: rest.id ?? nextSecretId(),
    label: undefined,
    owner: 'none',
    trackedContent: tracked,
    trackedRevision: tracked === undefined ? undefined : revision - (isBehind ? 1 : 0),
    latestContent: content,
    revision,
    removedRevisions: [],
    description: undefined,
    rotate: undefined,
    expire: undefined,
    granted: true,
    grants: {},
    ...rest,
  });
}

/** Whether two contents have the same keys and values: then Juju makes no new revision. */
export function sameContent(
  one: Readonly<Record<string, string>>,
  other: Readonly<Record<string, string>>,
): boolean {
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => one[key] === other[key]);
}

let lastSecret = 0;

/** A new id in Juju's form: 20 digits of base 32. */
export function nextSecretId(): string {
  lastSecret += 1;
  return `secret:${lastSecret.toString(32).padStart(20, '0')}`;
}
