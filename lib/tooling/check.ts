/** `npm run check`: format, lint with import boundaries, types, generated types, dead code and the fast tests. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { formatDuration } from '#system';
import { runJest } from './jest.ts';
import { projectRoot } from './project.ts';

const modules = join(projectRoot, 'node_modules');

const charms = readdirSync(join(projectRoot, 'charms')).map((name) => join('charms', name));
const opsTypes = join(projectRoot, 'lib/ops/types-command/bin/ops-types.mjs');

const STEPS: readonly { readonly name: string; readonly command: readonly string[] }[] = [
  { name: 'format', command: [join(modules, '.bin/biome'), 'check', '--error-on-warnings', '.'] },
  { name: 'lint', command: [join(modules, '.bin/oxlint'), '--type-aware', '--deny-warnings'] },
  { name: 'types', command: [join(modules, 'typescript/bin/tsc')] },
  { name: 'types of the charms', command: [opsTypes, '--check', ...charms] },
  { name: 'dead code', command: [join(modules, 'knip/bin/knip.js'), '--no-progress'] },
];

let failures = 0;
for (const { name, command } of STEPS) {
  report(
    name,
    () => spawnSync(process.execPath, command, { cwd: projectRoot, stdio: 'inherit' }).status === 0,
  );
}
const started = performance.now();
const totals = await runJest(['test/unit', 'test/contract']);
conclude('fast tests', totals.success, started);
process.stdout.write(`${totals.passed} passed, ${totals.failed} failed\n`);
process.exitCode = failures === 0 ? 0 : 1;

function report(name: string, step: () => boolean): void {
  const start = performance.now();
  conclude(name, step(), start);
}

function conclude(name: string, passed: boolean, start: number): void {
  failures += passed ? 0 : 1;
  process.stdout.write(
    `${passed ? 'ok    ' : 'FAILED'} ${name} (${formatDuration(performance.now() - start)})\n`,
  );
}
