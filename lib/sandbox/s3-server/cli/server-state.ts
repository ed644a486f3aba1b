/** Which process serves a data directory, and where it listens, for `status` and `stop`. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  identifyProcess,
  isProcessAlive,
  type ProcessIdentity,
  readFileIfExists,
  writeFileAtomic,
} from '#system';

export interface ServerState {
  readonly process: ProcessIdentity;
  readonly endpoint: string;
  /** Where its keys are, when they came from a file. */
  readonly credentialsFile: string | undefined;
}

/** Notes that this process serves the directory. */
export async function writeServerState(
  dataDirectory: string,
  state: Omit<ServerState, 'process'>,
): Promise<void> {
  const identity = identifyProcess(process.pid);
  await writeFileAtomic(stateFile(dataDirectory), JSON.stringify({ process: identity, ...state }));
}

/** The server of the directory, if it is running. */
export async function readServerState(dataDirectory: string): Promise<ServerState | undefined> {
  const text = await readFileIfExists(stateFile(dataDirectory));
  if (text === undefined) {
    return undefined;
  }
  const state = JSON.parse(text) as ServerState;
  return isProcessAlive(state.process) ? state : undefined;
}

export async function removeServerState(dataDirectory: string): Promise<void> {
  await rm(stateFile(dataDirectory), { force: true });
}

function stateFile(dataDirectory: string): string {
  return join(dataDirectory, 'server.json');
}
