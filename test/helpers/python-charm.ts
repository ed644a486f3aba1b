/** Packs a Python charm as charmcraft does: its sources, its packages in `venv/`, and a `dispatch`. */
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { zipDirectory } from '../../lib/tooling/zip-directory.ts';
import type { PythonVenv } from './python-venv.ts';

// What only the environment itself needs.
const NOT_PACKED = new Set([
  'pip',
  'setuptools',
  'pkg_resources',
  '_distutils_hack',
  '__pycache__',
]);

const DISPATCH = `#!/bin/sh
export JUJU_DISPATCH_PATH="\${JUJU_DISPATCH_PATH:-$0}"
export PYTHONPATH=lib:venv
exec ./src/charm.py
`;

const MANIFEST = `bases:
- {name: ubuntu, channel: "22.04", architectures: [amd64, arm64]}
`;

/**
 * Packs the charm in `source` (metadata.yaml and its kin, `src/charm.py`) with the packages of `venv`
 * into `output`; answers the archive.
 */
export async function packPythonCharm(
  source: string,
  venv: PythonVenv,
  output: string,
): Promise<string> {
  const name = basename(source);
  const directory = join(output, 'unpacked', name);
  await mkdir(directory, { recursive: true });
  await cp(source, directory, { recursive: true, filter: isPacked });
  await cp(venv.sitePackages, join(directory, 'venv'), {
    recursive: true,
    verbatimSymlinks: true,
    filter: (path) => path === venv.sitePackages || isPacked(path),
  });
  await writeFile(join(directory, 'dispatch'), DISPATCH, { mode: 0o755 });
  await writeFile(join(directory, 'manifest.yaml'), MANIFEST);
  const archive = join(output, `${name}_ubuntu-22.04-amd64.charm`);
  await zipDirectory(directory, archive);
  return archive;
}

function isPacked(path: string): boolean {
  const [name = ''] = basename(path).split('-');
  return !NOT_PACKED.has(name);
}
