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

/** The npm package that carries Node for an architecture. */
export function nodePackageName(architecture: Architecture): string {
  return `node-linux-${ARCHITECTURES[architecture]}`;
}

/**
 * The Node 24 of the npm packages, for this machine.
 * @throws HintError when that package is not installed here.
 */
export function nodeBinary(): string {
  const name = nodePackageName(thisArchitecture());
  const path = join(projectRoot, 'node_modules', name, 'bin', 'node');
  if (!existsSync(path)) {
    throw new HintError(`cannot find Node at node_modules/${name}`, {
      code: 'node-missing',
      hint: 'run "npm install"',
    });
  }
  return path;
}
