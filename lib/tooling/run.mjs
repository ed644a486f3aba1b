// Runs one of the project's programs on a machine where nothing was installed yet: any Node from 18 on
// starts this file, which brings the npm packages, among them Node 24, and hands over to that.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const modules = join(root, 'node_modules');

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

/** `npm ci`, once for each state of the lock file. */
function installPackages() {
  const stamp = join(modules, '.installed-lock');
  const wanted = lockDigest();
  if (existsSync(node24()) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) {
    return;
  }
  process.stderr.write('Installing npm packages (once) …\n');
  const result = spawnSync(
    'npm',
    ['ci', '--no-audit', '--no-fund', '--ignore-scripts', '--loglevel=error'],
    { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] },
  );
  if (result.error !== undefined || result.status !== 0) {
    fail(
      'npm could not install the packages of package-lock.json; its messages stand above. ' +
        'Check that a package registry is reachable ("npm ping"), then try again.',
    );
  }
  writeFileSync(stamp, wanted);
}

/** npm links no bins of the root package; `npx juju` looks for them here. */
function linkCommands() {
  const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const folder = join(modules, '.bin');
  mkdirSync(folder, { recursive: true });
  for (const [name, path] of Object.entries(bin)) {
    const link = join(folder, name);
    rmSync(link, { force: true });
    symlinkSync(relative(folder, join(root, path)), link);
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
