/** Juju's hook tools as functions, one to one, over one port. */
export { actionFail, actionGet, actionLog, actionSet } from './action.ts';
export {
  applicationVersionSet,
  type Goal,
  type GoalState,
  goalState,
  isLeader,
} from './application.ts';
export { type CloudCredential, type CloudSpec, credentialGet } from './cloud.ts';
export { configGet } from './config.ts';
export {
  CloudAccessError,
  HookToolError,
  type HookToolFailure,
  NotLeaderError,
  PermissionDeniedError,
  RelationNotFoundError,
  SecretNotFoundError,
  SecretPermissionError,
} from './errors.ts';
export { jujuLog, type LogLevel } from './log.ts';
export { jujuReboot, unitGet } from './machine.ts';
export { type InterfaceAddress, type NetworkInfo, networkGet } from './network.ts';
export {
  closePort,
  type EndpointPorts,
  openedPorts,
  openedPortsByEndpoint,
  openPort,
  type PortOptions,
} from './port.ts';
export { createProcessRunner, type ProcessRunnerOptions } from './process-runner.ts';
export {
  type RelationKey,
  relationGet,
  relationIds,
  relationList,
  relationListApp,
  relationModelGet,
  relationSet,
} from './relation.ts';
export { resourceGet } from './resource.ts';
export {
  callJson,
  callTool,
  type HookToolCall,
  type HookToolOutcome,
  type HookToolRunner,
} from './runner.ts';
export {
  type SecretAccess,
  type SecretGrant,
  type SecretInfo,
  type SecretKey,
  type SecretMetadata,
  type SecretOwner,
  type SecretRevocation,
  type SecretRotation,
  secretAdd,
  secretGet,
  secretGrant,
  secretIds,
  secretInfoGet,
  secretRemove,
  secretRevoke,
  secretSet,
} from './secret.ts';
export { checkSecretContent, type SecretContent } from './secret-files.ts';
export { stateDelete, stateGet, stateSet } from './state.ts';
export {
  type ApplicationStatusFacts,
  applicationStatusGet,
  type StatusFacts,
  type StatusValue,
  statusGet,
  statusSet,
} from './status.ts';
export { type StorageFacts, storageAdd, storageGet, storageList } from './storage.ts';
