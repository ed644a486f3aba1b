/** The S3 server for development and tests. */
export type { Fault, FaultRequest, Faults } from './faults.ts';
export type { FinishedRequest, S3ServerOptions } from './options.ts';
export { createS3Server, type S3Server } from './server.ts';
