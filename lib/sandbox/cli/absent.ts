/** Commands that Juju has and the sandbox does not, and what to do instead. */

const NO_CLOUDS =
  'this host plays all machines: there is no cloud, controller or machine to manage';
const NO_USERS = 'the sandbox has one user';
const ONE_MODEL = 'models of the sandbox are made anew, not kept or moved';
const NO_FIREWALL = 'the sandbox has no firewalls: what listens can be reached';
const NO_STORE = 'the sandbox deploys charms from local paths only';
const NO_SPACES = 'the sandbox has one network, that of this machine';
const NO_SSH =
  "units of the sandbox are processes of this machine: use 'juju exec --unit <unit> -- <command>' or 'juju ssh'";
const NOT_YET = 'the sandbox does not do this yet';
const NO_BACKENDS = 'the sandbox keeps secrets in its own model store';

const REASONS: readonly (readonly [reason: string, commands: string])[] = [
  [
    NO_SSH,
    'debug-hooks debug-hook debug-code ssh-keys add-ssh-key import-ssh-key remove-ssh-key list-ssh-keys',
  ],
  [
    NO_CLOUDS,
    'retry-provisioning upgrade-machine add-cloud remove-cloud update-cloud clouds list-clouds show-cloud regions list-regions add-credential autoload-credentials credentials list-credentials remove-credential show-credential show-credentials update-credential update-credentials set-credential set-default-credentials set-default-credential set-default-region default-credential default-region update-public-clouds add-k8s remove-k8s update-k8s controller-config register unregister sync-agent-binary sync-agent-binaries upgrade-controller enable-ha enable-destroy-controller create-backup download-backup migrate metrics collect-metrics kill-machine',
  ],
  [
    NO_USERS,
    'add-user remove-user disable-user enable-user show-user users list-users login logout change-user-password grant revoke grant-cloud revoke-cloud',
  ],
  [
    ONE_MODEL,
    'upgrade-model model-defaults model-default export-bundle diff-bundle dump-model dump-db',
  ],
  [NO_FIREWALL, 'set-firewall-rule firewall-rules list-firewall-rules'],
  [NO_STORE, 'find info download charm-resources list-charm-resources set-application-base'],
  [
    NO_SPACES,
    'add-space remove-space move-to-space reload-spaces rename-space spaces list-spaces show-space subnets list-subnets add-subnet bind',
  ],
  [
    NO_BACKENDS,
    'add-secret-backend remove-secret-backend update-secret-backend secret-backends list-secret-backends show-secret-backend model-secret-backend',
  ],
  [
    "the pools of the sandbox are directories of this host: 'juju storage-pools' lists them",
    'import-filesystem create-storage-pool update-storage-pool remove-storage-pool',
  ],
  [NOT_YET, 'scale-application'],
  ['end the sandbox with "juju kill-controller"', 'destroy-controller'],
  [
    'the sandbox does not do this',
    'attach dashboard help-tool hook-tool hook-tools help-hook-commands help-action-commands wallets agreements agree budget create-wallet set-wallet sla charm disable-command enable-command disabled-commands list-disabled-commands documentation',
  ],
];

const ABSENT = new Map(
  REASONS.flatMap(([reason, commands]) => commands.split(/\s+/).map((name) => [name, reason])),
);

/** Why Juju's command `name` does not exist here; undefined when Juju has no such command either. */
export function whyAbsent(name: string): string | undefined {
  return ABSENT.get(name);
}
