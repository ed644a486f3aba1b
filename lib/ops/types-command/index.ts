/** The command `ops-types`: types of a charm from its metadata. Not part of what charms import. */
export { runOpsTypes } from './run-ops-types.ts';
