// Runs one of the project's programs on a machine where nothing was installed yet: any Node from 18 on
// starts this file, which brings the npm packages, among them Node 24, and hands over to that.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const modules = join(root, 'node_modules');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

function node24() {
  return join(modules, `node-linux-${process.arch}`, 'bin', 'node');
}

function lockDigest() {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
}

// Keeps to the lock file and does not rewrite it, as `npm ci` does; but `npm ci` also refuses a lock
// that lacks packages of other platforms, which npm writes where a registry mirror holds only some.
const INSTALL = [
  'install',
  '--no-save',
  '--no-audit',
  '--no-fund',
  '--ignore-scripts',
  '--loglevel=error',
];

/** Installs the packages, once for each state of the lock file. */
function installPackages() {
  const stamp = join(modules, '.installed-lock');
  const wanted = lockDigest();
  if (existsSync(node24()) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) {
    return;
  }
  process.stderr.write('Installing npm packages (once) …\n');
  if (isRecentNode()) {
    npm(['npm', ...INSTALL]);
  } else {
    withRecentNpm((command) => npm([...command, ...INSTALL]));
  }
  writeFileSync(stamp, wanted);
}

/**
 * npm silently leaves out optional packages, among them the native halves of our tools, whose
 * `engines` do not admit the Node it runs on itself; they ask for 20.19 or 22.12.
 */
function isRecentNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  return major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19);
}

/** Lends a recent Node with a recent npm, from a folder that is gone afterwards. */
function withRecentNpm(use) {
  const folder = mkdtempSync(join(tmpdir(), 'recent-npm-'));
  try {
    const nodePackage = `node-linux-${process.arch}`;
    const nodeVersion = manifest.optionalDependencies[nodePackage];
    npm([
      'npm',
      ...INSTALL,
      '--prefix',
      folder,
      `${nodePackage}@${nodeVersion}`,
      manifest.packageManager,
    ]);
    use([
      join(folder, 'node_modules', nodePackage, 'bin', 'node'),
      join(folder, 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    ]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function npm([command, ...args]) {
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  if (result.error !== undefined || result.status !== 0) {
    fail(
      'npm could not install the packages of package-lock.json; its messages stand above. ' +
        'Check that a package registry is reachable ("npm ping"), then try again.',
    );
  }
}

/** npm links no bins of the root package; `npx juju` looks for them here. */
function linkCommands() {
  const folder = join(modules, '.bin');
  mkdirSync(folder, { recursive: true });
  for (const [name, path] of Object.entries(manifest.bin)) {
    const link = join(folder, name);
    const target = relative(folder, join(root, path));
    if (readLink(link) !== target) {
      rmSync(link, { force: true });
      symlinkSync(target, link);
    }
  }
}

function readLink(path) {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

if (process.platform !== 'linux' || !['x64', 'arm64'].includes(process.arch)) {
  fail(
    `This runs on Linux on amd64 or arm64, as Juju machines do; here is ${process.platform} on ${process.arch}.`,
  );
}
const [program, ...args] = process.argv.slice(2);
if (program === undefined) {
  fail('usage: node lib/tooling/run.mjs PROGRAM [ARGUMENT …]');
}
installPackages();
linkCommands();
const child = spawn(
  node24(),
  ['--disable-warning=ExperimentalWarning', join(root, program), ...args],
  { stdio: 'inherit' },
);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => child.kill(signal));
}
child.on('error', (error) =>
  fail(`cannot start ${node24()}: ${error.message}; remove node_modules and try again.`),
);
child.on('close', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
