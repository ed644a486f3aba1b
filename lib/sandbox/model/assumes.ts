/**
 * What a charm assumes of Juju (`assumes` of metadata.yaml), and whether the sandbox has it. Pure.
 * https://github.com/juju/juju/blob/3.6/core/assumes/sat_checker.go
 */
import { ModelError } from '../errors.ts';

export type Assumption =
  | {
      readonly kind: 'feature';
      readonly feature: string;
      readonly version?: { readonly operator: '>=' | '<'; readonly number: string };
    }
  | { readonly kind: 'any-of' | 'all-of'; readonly parts: readonly Assumption[] };

/**
 * @param version of Juju, the one feature there is
 * @throws ModelError naming everything that is missing
 */
export function checkAssumes(assumes: readonly Assumption[], version: string): void {
  const missing = assumes.flatMap((one) => unmet(one, version));
  if (missing.length > 0) {
    throw new ModelError(
      ['Charm feature requirements cannot be met:', ...missing.map((line) => `  ${line}`)].join(
        '\n',
      ),
      'refused',
    );
  }
}

/** Lines that say what is missing; none when it is there. */
function unmet(assumption: Assumption, version: string): readonly string[] {
  if (assumption.kind === 'feature') {
    return unmetFeature(assumption, version);
  }
  const parts = assumption.parts.map((part) => unmet(part, version));
  const isMet =
    assumption.kind === 'all-of'
      ? parts.every((lines) => lines.length === 0)
      : parts.some((lines) => lines.length === 0);
  const heading =
    assumption.kind === 'all-of'
      ? '- charm requires all of the following:'
      : '- charm requires at least one of the following:';
  return isMet ? [] : [heading, ...parts.flat().map((line) => `  ${line}`)];
}

function unmetFeature(
  { feature, version: wanted }: Extract<Assumption, { kind: 'feature' }>,
  version: string,
): readonly string[] {
  const name = JSON.stringify(feature);
  const shown = wanted === undefined ? '' : ` (version ${wanted.operator} ${wanted.number})`;
  if (feature !== 'juju') {
    return [`- charm requires feature ${name}${shown} but model does not support it`];
  }
  if (wanted === undefined) {
    return [];
  }
  const order = compareVersions(version, wanted.number);
  const isMet = wanted.operator === '>=' ? order >= 0 : order < 0;
  return isMet
    ? []
    : [`- charm requires feature ${name}${shown} but model currently supports version ${version}`];
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((text) => text.split('.').map(Number));
  for (const index of [0, 1, 2]) {
    const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0);
    if (difference !== 0) {
      return difference;
    }
  }
  return 0;
}
