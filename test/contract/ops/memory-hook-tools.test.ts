import { charmMetaFrom } from '../../../lib/ops/load-meta.ts';
import { createMemoryRunner } from '../../../lib/ops/testing/memory-runner.ts';
import { World } from '../../../lib/ops/testing/world.ts';
import { PROBE_META } from '../../helpers/probe-charm.ts';
import { hookToolsContract } from './hook-tools-contract.ts';

hookToolsContract('in memory', (given, event) =>
  createMemoryRunner(
    new World(given, event, { meta: charmMetaFrom(PROBE_META), appName: 'probe', unitNumber: 0 }),
  ),
);
