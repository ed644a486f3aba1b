/** resource-get. */
import { callTool, type HookToolRunner } from './runner.ts';

// The first call downloads the resource, which may be an image of some gigabytes.
const DOWNLOAD_TIMEOUT_MS = 30 * 60_000;

/** Path of the resource on this machine. */
export function resourceGet(tools: HookToolRunner, name: string): string {
  return callTool(tools, {
    tool: 'resource-get',
    args: [name],
    timeoutMs: DOWNLOAD_TIMEOUT_MS,
  }).trim();
}
