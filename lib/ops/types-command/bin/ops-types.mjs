#!/usr/bin/env node
// The `ops-types` command: types of a charm from its metadata. Any Node from 18 on may start this file.
import { withNode24 } from '../../../system/with-node24.mjs';

await withNode24(import.meta.url, async () => {
  const { runOpsTypes } = await import('../index.ts');
  process.exitCode = await runOpsTypes(process.argv.slice(2), process);
});
