/** Every case as a test of a test runner: jest, vitest, node:test. */
import type { Feature } from '../features.ts';
import { type ProviderCase, providerCases, type RequirerCase, requirerCases } from './cases.ts';
import { checkProvider, type ProviderEnd } from './check-provider.ts';
import { checkRequirer, type RequirerEnd } from './check-requirer.ts';

type Define = (name: string, body: () => Promise<void>) => unknown;

export interface RunOptions {
  /** Defines a test: `test` of the runner. */
  readonly test: Define;
  /** Defines one that is not run: `test.skip`. Cases that are not for this charm go there. */
  readonly skip: Define;
  /** What the charm under test announces. */
  readonly features?: readonly Feature[];
  /** What it can be made to do. */
  readonly uses?: readonly ('finish' | 'cancel')[];
  /** All unless told. */
  readonly levels?: readonly ('must' | 'should')[];
}

/** Tests a provider. @param make answers a fresh one for each case */
export function testProvider(
  make: () => ProviderEnd | Promise<ProviderEnd>,
  options: RunOptions,
): void {
  for (const one of providerCases) {
    define(one, options, async () => await checkProvider(one, await make()));
  }
}

/** Tests a requirer. @param make answers a fresh one for each case */
export function testRequirer(
  make: () => RequirerEnd | Promise<RequirerEnd>,
  options: RunOptions,
): void {
  for (const one of requirerCases) {
    define(one, options, async () => await checkRequirer(one, await make()));
  }
}

function define(
  one: ProviderCase | RequirerCase,
  options: RunOptions,
  check: () => Promise<readonly string[]>,
): void {
  const { test, skip } = options;
  (isFor(one, options) ? test : skip)(`${one.level}: ${one.name}`, async () => {
    const faults = await check();
    if (faults.length > 0) {
      throw new Error(`${faults.join('\n')}\n(${one.why})`);
    }
  });
}

function isFor(one: ProviderCase | RequirerCase, options: RunOptions): boolean {
  const { features = [], uses = [], levels = ['must', 'should'] } = options;
  return (
    levels.includes(one.level) &&
    (one.needs ?? []).every((feature) => features.includes(feature)) &&
    !(one.lacks ?? []).some((feature) => features.includes(feature)) &&
    (one.uses ?? []).every((use) => uses.includes(use))
  );
}
