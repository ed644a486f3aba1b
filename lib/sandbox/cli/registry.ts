/** Which commands exist and where they are; a command's code is loaded only when it runs. */
import type { Command } from './command.ts';

export interface RegistryEntry {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly load: () => Promise<Command>;
}

function entry(
  name: string,
  load: () => Promise<Command>,
  ...aliases: readonly string[]
): RegistryEntry {
  return { name, aliases, load };
}

/** All commands, by name. */
export const COMMANDS: readonly RegistryEntry[] = [
  entry('actions', async () => (await import('./commands/actions.ts')).actions, 'list-actions'),
  entry('add-model', async () => (await import('./commands/models.ts')).addModel),
  entry('add-machine', async () => (await import('./commands/machine-changes.ts')).addMachine),
  entry('add-secret', async () => (await import('./commands/secret-changes.ts')).addSecret),
  entry('add-storage', async () => (await import('./commands/storage-changes.ts')).addStorage),
  entry('add-unit', async () => (await import('./commands/units.ts')).addUnit),
  entry('attach-resource', async () => (await import('./commands/resources.ts')).attachResource),
  entry(
    'attach-storage',
    async () => (await import('./commands/storage-changes.ts')).attachStorage,
  ),
  entry('bootstrap', async () => (await import('./commands/lifecycle.ts')).bootstrap),
  entry('cancel-task', async () => (await import('./commands/tasks.ts')).cancelTask),
  entry('config', async () => (await import('./commands/config.ts')).config),
  entry('consume', async () => (await import('./commands/saas.ts')).consume),
  entry(
    'constraints',
    async () => (await import('./commands/constraints.ts')).constraints,
    'get-constraints',
  ),
  entry(
    'controllers',
    async () => (await import('./commands/controllers.ts')).controllers,
    'list-controllers',
  ),
  entry('debug-log', async () => (await import('./commands/debug-log.ts')).debugLog),
  entry('deploy', async () => (await import('./commands/deploy.ts')).deploy),
  entry(
    'detach-storage',
    async () => (await import('./commands/storage-changes.ts')).detachStorage,
  ),
  entry('destroy-model', async () => (await import('./commands/models.ts')).destroyModel),
  entry('exec', async () => (await import('./commands/exec.ts')).exec),
  entry('expose', async () => (await import('./commands/expose.ts')).expose),
  entry('find-offers', async () => (await import('./commands/offers.ts')).findOffers),
  entry('grant-secret', async () => (await import('./commands/secret-grants.ts')).grantSecret),
  entry('integrate', async () => (await import('./commands/relations.ts')).integrate, 'relate'),
  entry('kill-controller', async () => (await import('./commands/lifecycle.ts')).killController),
  entry('machines', async () => (await import('./commands/machines.ts')).machines, 'list-machines'),
  entry('model-config', async () => (await import('./commands/model-config.ts')).modelConfig),
  entry(
    'model-constraints',
    async () => (await import('./commands/constraints.ts')).modelConstraints,
    'get-model-constraints',
  ),
  entry('models', async () => (await import('./commands/models.ts')).models, 'list-models'),
  entry('offer', async () => (await import('./commands/offers.ts')).offer),
  entry('offers', async () => (await import('./commands/offers.ts')).offers, 'list-offers'),
  entry(
    'operations',
    async () => (await import('./commands/operations.ts')).operations,
    'list-operations',
  ),
  entry('refresh', async () => (await import('./commands/refresh.ts')).refresh, 'upgrade-charm'),
  entry('remove-application', async () => (await import('./commands/units.ts')).removeApplication),
  entry(
    'remove-machine',
    async () => (await import('./commands/machine-changes.ts')).removeMachine,
  ),
  entry('remove-offer', async () => (await import('./commands/offers.ts')).removeOffer),
  entry('remove-relation', async () => (await import('./commands/relations.ts')).removeRelation),
  entry(
    'remove-saas',
    async () => (await import('./commands/saas.ts')).removeSaas,
    'remove-consumed-application',
  ),
  entry('remove-secret', async () => (await import('./commands/secret-changes.ts')).removeSecret),
  entry(
    'remove-storage',
    async () => (await import('./commands/storage-changes.ts')).removeStorage,
  ),
  entry('remove-unit', async () => (await import('./commands/units.ts')).removeUnit),
  entry('resolved', async () => (await import('./commands/resolved.ts')).resolved, 'resolve'),
  entry(
    'resources',
    async () => (await import('./commands/resources.ts')).resources,
    'list-resources',
  ),
  entry('resume-relation', async () => (await import('./commands/saas.ts')).resumeRelation),
  entry('revoke-secret', async () => (await import('./commands/secret-grants.ts')).revokeSecret),
  entry('run', async () => (await import('./commands/run.ts')).run),
  entry('sandbox', async () => (await import('./commands/sandbox.ts')).sandbox),
  entry('scp', async () => (await import('./commands/ssh.ts')).scp),
  entry('secrets', async () => (await import('./commands/secrets.ts')).secrets, 'list-secrets'),
  entry('set-constraints', async () => (await import('./commands/constraints.ts')).setConstraints),
  entry(
    'set-model-constraints',
    async () => (await import('./commands/constraints.ts')).setModelConstraints,
  ),
  entry('show-action', async () => (await import('./commands/actions.ts')).showAction),
  entry(
    'show-application',
    async () => (await import('./commands/show-application.ts')).showApplication,
  ),
  entry('show-controller', async () => (await import('./commands/controllers.ts')).showController),
  entry('show-model', async () => (await import('./commands/models.ts')).showModel),
  entry('show-machine', async () => (await import('./commands/machines.ts')).showMachine),
  entry('show-offer', async () => (await import('./commands/offers.ts')).showOffer),
  entry('show-operation', async () => (await import('./commands/operations.ts')).showOperation),
  entry('show-secret', async () => (await import('./commands/secrets.ts')).showSecret),
  entry(
    'show-status-log',
    async () => (await import('./commands/show-status-log.ts')).showStatusLog,
  ),
  entry('show-storage', async () => (await import('./commands/storage.ts')).showStorage),
  entry('show-task', async () => (await import('./commands/tasks.ts')).showTask),
  entry('show-unit', async () => (await import('./commands/show-unit.ts')).showUnit),
  entry('ssh', async () => (await import('./commands/ssh.ts')).ssh),
  entry('status', async () => (await import('./commands/status.ts')).status),
  entry('storage', async () => (await import('./commands/storage.ts')).storage, 'list-storage'),
  entry(
    'storage-pools',
    async () => (await import('./commands/storage.ts')).storagePools,
    'list-storage-pools',
  ),
  entry('suspend-relation', async () => (await import('./commands/saas.ts')).suspendRelation),
  entry('switch', async () => (await import('./commands/models.ts')).switchModel),
  entry('trust', async () => (await import('./commands/expose.ts')).trust),
  entry('unexpose', async () => (await import('./commands/expose.ts')).unexpose),
  entry('update-secret', async () => (await import('./commands/secret-changes.ts')).updateSecret),
  entry('version', async () => (await import('./commands/lifecycle.ts')).version),
  entry('wait-for', async () => (await import('./commands/wait-for.ts')).waitFor),
  entry('whoami', async () => (await import('./commands/controllers.ts')).whoami),
];

/** The command with this name or alias. */
export function findCommand(name: string): RegistryEntry | undefined {
  return COMMANDS.find((command) => command.name === name || command.aliases.includes(name));
}

/** Commands whose names are near a misspelt one, nearest first. */
export function closestCommands(name: string): readonly string[] {
  return COMMANDS.flatMap((command) => [command.name, ...command.aliases])
    .map((candidate) => ({ candidate, distance: editDistance(name, candidate) }))
    .filter(({ distance }) => distance <= Math.max(1, Math.floor(name.length / 3)))
    .toSorted((a, b) => a.distance - b.distance)
    .slice(0, 3)
    .map(({ candidate }) => candidate);
}

/** How many letters have to change (Levenshtein). */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const substitution = (previous[j - 1] ?? 0) + Number(a[i - 1] !== b[j - 1]);
      current.push(Math.min(substitution, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
