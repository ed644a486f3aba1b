/** Conformance of charms to the `database_backup` interface: cases as data, and what plays them. */
export { type ProviderCase, providerCases, type RequirerCase, requirerCases } from './cases.ts';
export { checkProvider, type ProviderEnd } from './check-provider.ts';
export { checkRequirer, type RequirerEnd, type UnitDatabags } from './check-requirer.ts';
export { OpsProviderEnd, OpsRequirerEnd } from './ops-ends.ts';
export { type RunOptions, testProvider, testRequirer } from './run-cases.ts';
