/** A charm SDK in the spirit of Python ops: events, model, actions, statuses. Knows Juju only. */
export { ActionEvent } from './action-event.ts';
export type { ActionResults, ActionResultValue } from './action-results.ts';
export { CharmBase, type CharmConstructor, type TypesOf } from './charm.ts';
export { CharmEvents, type RelationEvents, type StorageEvents } from './charm-events.ts';
export type {
  ActionName,
  ActionParams,
  ActionTypes,
  BindingName,
  CharmTypes,
  EndpointName,
  EndpointOf,
  EndpointTypes,
  Nothing,
  NumberOption,
  OptionName,
  OptionValueOf,
  ResourceName,
  ResourceTypes,
  StorageName,
  StorageTypes,
  TextOption,
} from './charm-types.ts';
export { type FireCustomEventOptions, fireCustomEvent } from './custom-event.ts';
export {
  type DataCodec,
  DataModel,
  DataModelError,
  type DataModelOptions,
  type DataProblem,
  InvalidDataModelError,
  type JsonSchema,
  type SchemaIssue,
  schemaIssues,
  textCodec,
} from './data-model/index.ts';
export { DispatchEnd } from './dispatch-end.ts';
export { EventBase } from './event-base.ts';
export { type EventCodec, EventSource } from './event-source.ts';
export {
  CollectStatusEvent,
  HookEvent,
  RelationDepartedEvent,
  RelationEvent,
  SecretEvent,
  StorageEvent,
} from './events.ts';
export {
  CharmObject,
  Framework,
  type Handler,
  type NamedMethod,
  type Observable,
} from './framework.ts';
export * as hookTools from './hook-tools/index.ts';
export {
  CloudAccessError,
  type CloudCredential,
  type CloudSpec,
  HookToolError,
  NotLeaderError,
  PermissionDeniedError,
  RelationNotFoundError,
  type SecretContent,
  type SecretInfo,
  type SecretMetadata,
  SecretNotFoundError,
  SecretPermissionError,
} from './hook-tools/index.ts';
export { type JujuContext, parseJujuContext } from './juju-context.ts';
export { loadCharmMeta } from './load-meta.ts';
export type { LogFields, Logger } from './logger.ts';
export { type MainOptions, main } from './main.ts';
export type {
  ActionMeta,
  CharmMeta,
  EndpointMeta,
  OptionMeta,
  OptionValue,
  StorageMeta,
} from './meta.ts';
export { Application } from './model/application.ts';
export { Config } from './model/config.ts';
export { Databag } from './model/databag.ts';
export {
  DatabagAccessError,
  LeaderOnlyError,
  TooManyRelationsError,
  UndeclaredNameError,
} from './model/errors.ts';
export { Model } from './model/model.ts';
export type { Network } from './model/network.ts';
export type { Port, PortLike } from './model/port.ts';
export { Relation } from './model/relation.ts';
export { bareSecretId, type GrantOptions, isSameSecret, Secret } from './model/secret.ts';
export {
  ActiveStatus,
  BlockedStatus,
  ErrorStatus,
  MaintenanceStatus,
  type SettableStatus,
  Status,
  type StatusName,
  TerminatedStatus,
  UnknownStatus,
  WaitingStatus,
} from './model/status.ts';
export { Storage } from './model/storage.ts';
export { Unit } from './model/unit.ts';
export type { SimpleValue } from './simple-value.ts';
export { type StoredValues, storedState } from './stored-state.ts';
