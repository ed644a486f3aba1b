/** `juju expose`, `unexpose` and `trust`. */
import { booleanFlag, refusedFlag } from '../arguments/flag-kinds.ts';
import { defineCommand, refuseExtra } from '../command.ts';
import { UsageError } from '../errors.ts';

const NO_ENDPOINTS = refusedFlag('the sandbox has one network and no firewall');

export const expose = defineCommand({
  name: 'expose',
  usage: '<application name>',
  summary: 'Mark an application as reachable from outside; here, only its status changes.',
  examples: ['juju expose web'],
  flags: { endpoints: NO_ENDPOINTS, 'to-cidrs': NO_ENDPOINTS, 'to-spaces': NO_ENDPOINTS },
  run: async ({ session, positionals }) => {
    await session.call('expose', { application: onlyApplication(positionals), exposed: true });
  },
});

export const unexpose = defineCommand({
  name: 'unexpose',
  usage: '<application name>',
  summary: 'Mark an application as not reachable from outside.',
  examples: ['juju unexpose web'],
  flags: { endpoints: NO_ENDPOINTS },
  run: async ({ session, positionals }) => {
    await session.call('expose', { application: onlyApplication(positionals), exposed: false });
  },
});

export const trust = defineCommand({
  name: 'trust',
  usage: '<application name>',
  summary: 'Set the trust of an application; the sandbox has no cloud credentials to give.',
  examples: ['juju trust db', 'juju trust db --remove'],
  flags: {
    remove: booleanFlag('Take the trust back'),
    scope: refusedFlag('it is for Kubernetes'),
  },
  run: async ({ session, positionals, flags }) => {
    const application = onlyApplication(positionals);
    await session.call('set-config', { application, values: { trust: String(!flags.remove) } });
  },
});

function onlyApplication(positionals: readonly string[]): string {
  const [application, ...extra] = positionals;
  if (application === undefined) {
    throw new UsageError('no application name specified');
  }
  refuseExtra(extra);
  return application;
}
