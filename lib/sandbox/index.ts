/** A single-machine Juju for development: daemon, unit agents, hook tools, the `juju` command. */
export type { CallName, Calls, LogLine } from './api.ts';
export type { TaskInfo } from './api-operations.ts';
export type { FullStatus as SandboxStatus } from './api-status.ts';
export { callDaemon, DaemonDownError, DaemonError, streamFromDaemon } from './client/client.ts';
export { isBootstrapped, isDaemonRunning, startDaemon } from './client/daemon-control.ts';
export { killController } from './client/kill-controller.ts';
export { defaultDataDirectory, sandboxPaths } from './client/paths.ts';
export {
  createS3Server,
  type Fault,
  type FaultRequest,
  type Faults,
  type FinishedRequest,
  type S3Server,
  type S3ServerOptions,
} from './s3-server/index.ts';
