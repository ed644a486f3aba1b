/**
 * Gives a running worker the newest storage configuration, from memory to memory: keys are in no file. The worker
 * listens on a socket in the job's directory while it needs them and has the charm run a hook; the hook hands over.
 */
import { existsSync } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import { createConnection, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { StorageConfig } from '#database-backup';
import type { JobFiles } from './job-files.ts';

const SOCKET = 'keys.sock';

/** The worker reads at once or is not there any more. */
const HAND_OVER_MS = 2_000;

/** Does nothing where the worker does not ask. */
export async function handOver(files: JobFiles, config: StorageConfig): Promise<void> {
  if (!existsSync(join(files.directory, SOCKET))) {
    return;
  }
  await using directory = await open(files.directory);
  await new Promise<void>((resolve) => {
    const connection = createConnection(shortPath(directory));
    connection.setTimeout(HAND_OVER_MS, () => connection.destroy());
    connection.on('error', () => undefined);
    connection.on('close', () => resolve());
    connection.end(JSON.stringify(config));
  });
}

/** @returns what was handed over while `ask` had the charm run a hook; undefined when nobody did */
export async function receive(
  files: JobFiles,
  ask: () => Promise<void>,
): Promise<StorageConfig | undefined> {
  await using directory = await open(files.directory);
  const path = join(files.directory, SOCKET);
  await rm(path, { force: true });
  let received: Promise<StorageConfig | undefined> = Promise.resolve(undefined);
  const server = createServer({ allowHalfOpen: false }, (connection) => {
    connection.on('error', () => undefined);
    received = text(connection).then(decode, () => undefined);
  });
  await listen(server, shortPath(directory));
  try {
    await ask();
    return await received;
  } finally {
    server.close();
    await rm(path, { force: true });
  }
}

/** The path of a socket must be shorter than most paths of state directories are (108 bytes, unix(7)). */
function shortPath(directory: FileHandle): string {
  return `/proc/self/fd/${directory.fd}/${SOCKET}`;
}

async function listen(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
}

function decode(json: string): StorageConfig | undefined {
  try {
    return JSON.parse(json) as StorageConfig;
  } catch {
    // The hook died in the middle; the text holds keys, and messages of JSON.parse quote it.
    return undefined;
  }
}
