#!/usr/bin/env node
// The `juju-s3` command: the sandbox's S3 server. Any Node from 18 on may start this file.
import { withNode24 } from '../../system/with-node24.mjs';

await withNode24(import.meta.url, async () => {
  const { runProcessMain } = await import('../s3-server/cli/process-main.ts');
  await runProcessMain();
});
