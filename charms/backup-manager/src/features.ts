/** What a database understands beyond version 0 of the interface (docs/decisions/0005-protocol-extensions.md). */
import type { Feature } from '#database-backup';
import { HintError } from '#system';

/** @throws HintError `not-supported` naming the databases that cannot, and what to do instead */
export function assertAgreed(
  targets: readonly { readonly name: string; readonly features: ReadonlySet<Feature> }[],
  feature: Feature,
  words: { readonly wish: string; readonly hint: string },
): void {
  const without = targets.filter(({ features }) => !features.has(feature));
  if (without.length > 0) {
    const names = without.map(({ name }) => name).join(', ');
    throw new HintError(
      `the charm of ${names} does not understand ${words.wish} (feature ${feature})`,
      { code: 'not-supported', hint: words.hint },
    );
  }
}
