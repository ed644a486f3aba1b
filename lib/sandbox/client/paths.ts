/** Where things of one sandbox lie below its data directory. */
import { homedir } from 'node:os';
import { join } from 'node:path';

/** `$JUJU_DATA`, else `~/.local/share/juju-sandbox`. */
export function defaultDataDirectory(env: Readonly<Record<string, string | undefined>>): string {
  const told = env['JUJU_DATA'];
  return told === undefined || told === ''
    ? join(homedir(), '.local', 'share', 'juju-sandbox')
    : told;
}

export interface SandboxPaths {
  readonly root: string;
  /** Calls of the `juju` command. */
  readonly daemonSocket: string;
  /** Calls of hook tools; alone in its directory, which machines see. */
  readonly agentSocket: string;
  readonly database: string;
  readonly daemonLog: string;
  readonly debugLog: string;
  readonly pidFile: string;
  /** Hook tools, first on every hook's PATH. */
  readonly tools: string;
  /** Unpacked charms by name and revision. */
  readonly charms: string;
  /** One directory a unit. */
  readonly agents: string;
  /** Named pipes for the output of charms. */
  readonly pipes: string;
  /** Uploaded resources. */
  readonly resources: string;
  /** Data of storage attached to no unit. */
  readonly storage: string;
}

export function sandboxPaths(root: string): SandboxPaths {
  return {
    root,
    daemonSocket: join(root, 'daemon.sock'),
    agentSocket: join(root, 'run', 'agent.sock'),
    database: join(root, 'model.sqlite'),
    daemonLog: join(root, 'daemon.log'),
    debugLog: join(root, 'debug.log'),
    pidFile: join(root, 'daemon.pid'),
    tools: join(root, 'tools'),
    charms: join(root, 'charms'),
    agents: join(root, 'agents'),
    pipes: join(root, 'pipes'),
    storage: join(root, 'storage'),
    resources: join(root, 'resources'),
  };
}
