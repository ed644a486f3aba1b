/** Where the project and its own Node lie. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { HintError } from '#system';

export const projectRoot = fileURLToPath(new URL('../..', import.meta.url));

/** Debian's names of processor architectures, and Node's for the same. */
export const ARCHITECTURES = { amd64: 'x64', arm64: 'arm64' } as const;
export type Architecture = keyof typeof ARCHITECTURES;

/** The architecture this machine has. */
export function thisArchitecture(): Architecture {
  return process.arch === 'arm64' ? 'arm64' : 'amd64';
}

/**
 * The Node 24 of the npm packages for an architecture.
 * @throws HintError when that package is not installed here (npm skips other architectures').
 */
export function nodeBinary(architecture: Architecture = thisArchitecture()): string {
  const name = `node-linux-${ARCHITECTURES[architecture]}`;
  const path = join(projectRoot, 'node_modules', name, 'bin', 'node');
  if (!existsSync(path)) {
    throw new HintError(`cannot find Node for ${architecture} at node_modules/${name}`, {
      code: 'node-missing',
      hint: `run "npm install --no-save --force ${name}" to fetch it for packing`,
    });
  }
  return path;
}
