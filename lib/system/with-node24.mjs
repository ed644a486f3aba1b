// Lets a command that any Node from 18 on may start be done by Node 24, which the project brings
// along: this process itself where it is one, else a child that shares our terminal, gets our signals
// and gives us its exit code.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const root = new URL('../../', import.meta.url);

/** Runs `work` here, or starts `self` (the URL of the calling file) again with Node 24. */
export async function withNode24(self, work) {
  if (Number.parseInt(process.versions.node, 10) >= 24) {
    await work();
  } else {
    handOver(
      fileURLToPath(new URL(`node_modules/node-linux-${process.arch}/bin/node`, root)),
      fileURLToPath(self),
    );
  }
}

function handOver(node, program) {
  if (!existsSync(node)) {
    process.stderr.write(
      `ERROR cannot find Node 24 at ${node}\nRun "npm ci" in ${fileURLToPath(root)} and try again.\n`,
    );
    process.exit(1);
  }
  const child = spawn(node, [program, ...process.argv.slice(2)], { stdio: 'inherit' });
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
