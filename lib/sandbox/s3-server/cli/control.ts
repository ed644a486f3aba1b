/** `juju-s3 status`, `stop` and `credentials`: about a server that runs, or does not. */
import { HintError, isProcessAlive, readFileIfExists, systemClock } from '#system';
import { credentialsFile } from './credentials.ts';
import { readServerState, removeServerState, type ServerState } from './server-state.ts';

const STOP_TIMEOUT_MS = 10_000;
const POLL_MS = 50;

/** What is known of the server, for people. */
export async function describeStatus(dataDirectory: string): Promise<string> {
  const state = await requireRunning(dataDirectory);
  return [
    `endpoint: ${state.endpoint}`,
    `process: ${state.process.pid}`,
    `data: ${dataDirectory}`,
  ].join('\n');
}

/** Ends the server; nothing to do when none runs. True when there was one. */
export async function stopServer(dataDirectory: string): Promise<boolean> {
  const state = await readServerState(dataDirectory);
  if (state === undefined) {
    return false;
  }
  process.kill(state.process.pid, 'SIGTERM');
  for (let waitedMs = 0; isProcessAlive(state.process); waitedMs += POLL_MS) {
    if (waitedMs >= STOP_TIMEOUT_MS) {
      // A server killed leaves no half object, so there is no harm in it.
      process.kill(state.process.pid, 'SIGKILL');
    }
    await systemClock.sleep(POLL_MS);
  }
  await removeServerState(dataDirectory);
  return true;
}

/** Where the keys are, and what to do with them. The secret itself is not printed. */
export async function describeCredentials(dataDirectory: string): Promise<string> {
  const state = await readServerState(dataDirectory);
  if (state !== undefined && state.credentialsFile === undefined) {
    return 'The server was given its keys by JUJU_S3_ACCESS_KEY and JUJU_S3_SECRET_KEY.';
  }
  const file = state?.credentialsFile ?? credentialsFile(dataDirectory);
  if ((await readFileIfExists(file)) === undefined) {
    throw new HintError(`there are no credentials in ${dataDirectory} yet`, {
      code: 'no-credentials',
      hint: 'start the server once: juju-s3 start',
    });
  }
  return [
    `The keys are in ${file} (only its owner may read it).`,
    '',
    'To give them to the backup manager:',
    `  juju add-secret s3-credentials --file ${file}`,
    '  juju grant-secret s3-credentials backup-manager',
    `  juju config backup-manager endpoint=${state?.endpoint ?? 'ENDPOINT'} bucket=BUCKET credentials=SECRET-URI`,
  ].join('\n');
}

async function requireRunning(dataDirectory: string): Promise<ServerState> {
  const state = await readServerState(dataDirectory);
  if (state === undefined) {
    throw new HintError(`no S3 server is running on ${dataDirectory}`, {
      code: 'not-running',
      hint: 'start one: juju-s3 start --detach',
    });
  }
  return state;
}
