/** What a database understands beyond version 0 of the interface (docs/decisions/0005-protocol-extensions.md). */
import type { Feature } from '#database-backup';
import { HintError } from '#system';

export interface Target {
  readonly name: string;
  readonly features: ReadonlySet<Feature>;
  /** False where its units have not introduced themselves yet. */
  readonly isKnown: boolean;
}

/** @throws HintError `not-ready` where that cannot be told yet */
export function assertKnown(targets: readonly Pick<Target, 'name' | 'isKnown'>[]): void {
  const unknown = targets.filter(({ isKnown }) => !isKnown);
  if (unknown.length > 0) {
    const names = unknown.map(({ name }) => name).join(', ');
    throw new HintError(
      `nothing was asked: what ${names} understands is not known, its units have not introduced themselves yet`,
      { code: 'not-ready', hint: 'repeat in a moment, when juju status shows its units' },
    );
  }
}

/** @throws HintError `not-ready` as `assertKnown`, `not-supported` naming the databases that cannot, and what to do instead */
export function assertAgreed(
  targets: readonly Target[],
  feature: Feature,
  words: { readonly wish: string; readonly hint: string },
): void {
  const without = targets.filter(({ features }) => !features.has(feature));
  assertKnown(without);
  if (without.length > 0) {
    const names = without.map(({ name }) => name).join(', ');
    throw new HintError(
      `the charm of ${names} does not understand ${words.wish} (feature ${feature})`,
      { code: 'not-supported', hint: words.hint },
    );
  }
}
