/** Juju's hook tools as functions, one to one, over one port. */
export { actionFail, actionGet, actionLog, actionSet } from './action.ts';
export { applicationVersionSet, type GoalState, goalState, isLeader } from './application.ts';
export { configGet } from './config.ts';
export {
  HookToolError,
  type HookToolFailure,
  NotLeaderError,
  PermissionDeniedError,
  RelationNotFoundError,
  SecretNotFoundError,
  SecretPermissionError,
} from './errors.ts';
export { jujuLog, type LogLevel } from './log.ts';
export { type InterfaceAddress, type NetworkInfo, networkGet } from './network.ts';
export { closePort, openedPorts, openPort } from './port.ts';
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
  type SecretGrant,
  type SecretInfo,
  type SecretKey,
  type SecretMetadata,
  type SecretOwner,
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
export { type StatusValue, statusGet, statusSet } from './status.ts';
export { type StorageFacts, storageAdd, storageGet, storageList } from './storage.ts';
