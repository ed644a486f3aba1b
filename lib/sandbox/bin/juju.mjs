#!/usr/bin/env node
// The `juju` command of the sandbox. Any Node from 18 on may start this file.
import * as nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';
import { withNode24 } from '../../system/with-node24.mjs';

await withNode24(import.meta.url, async () => {
  // Compiled code is kept, so that the next command starts sooner; a folder that cannot be written is no harm.
  const cache = new URL('../../../node_modules/.cache/juju', import.meta.url);
  nodeModule.enableCompileCache?.(fileURLToPath(cache));
  const { runProcessMain } = await import('../cli/process-main.ts');
  await runProcessMain();
});
