import { runProcess } from '#system';
import { describeEngine } from '../../contract/engine-contract.ts';
import { createPostgresqlHarness } from './postgresql-harness.ts';

describeEngine('postgresql', createPostgresqlHarness, async (from, to) => {
  await runProcess('cp', ['-a', `${from}/.`, to]);
});
