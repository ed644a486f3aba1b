/** State-transition tests of charms: state in, one event, state out. */
export { InconsistentStateError } from './consistency.ts';
export { Context, type ContextOptions, type RunOptions, UncaughtCharmError } from './context.ts';
export {
  type AnyRelationState,
  type Data,
  type PeerRelationState,
  peerRelation,
  type RelationState,
  relation,
} from './relation-state.ts';
export { type SecretFields, type SecretState, secret } from './secret-state.ts';
export {
  type NetworkState,
  State,
  type StateFields,
  type StorageState,
  state,
} from './state.ts';
export { type RemoteUnitOption, type TestEvent, TestEvents } from './test-events.ts';
export type { LogLine } from './world.ts';
