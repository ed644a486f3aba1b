/** Building and checking the project: what the demo and the tests need of it. */

export { bundleProgram } from './bundle-charm.ts';
export { ensureDebianPackages } from './debian-packages.ts';
export { type PackedCharm, packCharm } from './pack-charm.ts';
export { nodeBinary, projectRoot } from './project.ts';
