import { describeCalls, idle } from './calls-contract.ts';
import type { Sandbox } from './juju-process.ts';

describeCalls({
  name: 'juju about offers',
  file: 'cross-model.json',
  async prepare(sandbox) {
    const { juju } = sandbox;
    await juju('bootstrap localhost ctrl --add-model first');
    await juju('add-model prod --no-switch');
    await juju('deploy ./charm here');
    await juju('deploy -m prod ./charm there');
    await idle(sandbox, [
      { model: 'first', unit: 'here/0' },
      { model: 'prod', unit: 'there/0' },
    ]);
  },
  async settle(call, sandbox) {
    if (call === 'integrate here prod.hosted') {
      await joined(sandbox);
    }
  },
});

/** Both models have heard of each other. */
async function joined({ juju }: Sandbox): Promise<void> {
  for (;;) {
    const { out } = await juju('show-unit -m prod there/0 --endpoint serves');
    if (out.includes('in-scope: true')) {
      return;
    }
  }
}
