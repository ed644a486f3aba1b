/** State-transition tests of charms: state in, one event, state out. */
export type { CloudSpecFields } from './cloud-state.ts';
export { InconsistentStateError } from './consistency/index.ts';
export { Context, type ContextOptions, type RunOptions, UncaughtCharmError } from './context.ts';
export { type DeliverOptions, deliver } from './deliver.ts';
export { type OpsMatchers, opsMatchers } from './matchers.ts';
export { type BindAddressState, type NetworkState, network } from './network-state.ts';
export {
  type AnyRelationState,
  type Data,
  type PeerRelationState,
  peerRelation,
  type RelationState,
  relation,
  type SubordinateFields,
  subordinateRelation,
} from './relation-state.ts';
export { type SecretFields, type SecretState, secret } from './secret-state.ts';
export { type ModelState, State, type StateFields, state } from './state.ts';
export { type StorageFields, type StorageState, storage } from './storage-state.ts';
export {
  type DeferredState,
  type StoredStateFields,
  type StoredStateState,
  storedStateState,
} from './stored-state.ts';
export { type RemoteUnitOption, type TestEvent, TestEvents } from './test-events.ts';
export type { GivenParams, TypedStateFields } from './typed-fields.ts';
export type { EmittedEvent, LogLine } from './world.ts';
