import { describeCalls, idle } from './calls-contract.ts';

describeCalls({
  name: 'juju',
  file: 'cases.json',
  async prepare(sandbox) {
    await sandbox.juju('bootstrap localhost ctrl --add-model first');
    await sandbox.juju('deploy ./charm a -n 2');
    await idle(sandbox, [
      { model: 'first', unit: 'a/0' },
      { model: 'first', unit: 'a/1' },
    ]);
  },
});
