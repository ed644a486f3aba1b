#!/usr/bin/env node
// The `juju` command of the sandbox. Any Node from 18 on may start this file; the work is done by
// Node 24, which the project brings along: this process itself where it is one, else a child that
// shares our terminal, gets our signals and gives us its exit code.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as nodeModule from 'node:module';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const root = new URL('../../../', import.meta.url);

if (Number.parseInt(process.versions.node, 10) >= 24) {
  // Compiled code is kept, so that the next command starts sooner; a folder that cannot be written is no harm.
  nodeModule.enableCompileCache?.(fileURLToPath(new URL('node_modules/.cache/juju', root)));
  const { runProcessMain } = await import('../cli/process-main.ts');
  await runProcessMain();
} else {
  handOver(fileURLToPath(new URL(`node_modules/node-linux-${process.arch}/bin/node`, root)));
}

function handOver(node) {
  if (!existsSync(node)) {
    process.stderr.write(
      `ERROR cannot find Node 24 at ${node}\nRun "npm ci" in ${fileURLToPath(root)} and try again.\n`,
    );
    process.exit(1);
  }
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    // A terminal sends its signals to both of us; waiting for the child is all there is to do then.
    process.on(signal, () => child.kill(signal));
  }
  child.on('error', (error) => {
    process.stderr.write(`ERROR cannot start ${node}: ${error.message}\n`);
    process.exit(1);
  });
  child.on('close', (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}
