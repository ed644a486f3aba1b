/** Names one run of a hook, with all its environment depends on. */

export const LIFECYCLE_HOOKS = [
  'install',
  'start',
  'stop',
  'remove',
  'config-changed',
  'upgrade-charm',
  'update-status',
  'leader-elected',
  'leader-settings-changed',
] as const;

export type LifecycleHook = (typeof LIFECYCLE_HOOKS)[number];
export type RelationStep = 'created' | 'joined' | 'changed' | 'departed' | 'broken';

export interface LifecycleHookInfo {
  readonly kind: 'lifecycle';
  readonly name: LifecycleHook;
  /** What the hook takes notice of: configVersion for config-changed, version of leader settings. */
  readonly version?: number;
}

export interface RelationHookInfo {
  readonly kind: 'relation';
  readonly step: RelationStep;
  readonly relation: number;
  readonly endpoint: string;
  readonly remoteApp: string;
  /** Absent for created, broken and changes of the application's bag. */
  readonly remoteUnit?: string;
  readonly departing?: string;
  /** The bag's version this changed hook tells of. */
  readonly version?: number;
}

export interface SecretHookInfo {
  readonly kind: 'secret';
  readonly step: 'changed' | 'rotate' | 'expired' | 'remove';
  readonly secret: string;
  readonly label: string;
  /** changed, rotate: the latest one; expired, remove: the one it is about. */
  readonly revision: number;
}

export interface StorageHookInfo {
  readonly kind: 'storage';
  readonly step: 'attached' | 'detaching';
  /** `data/0`. */
  readonly storage: string;
}

export type HookInfo = (LifecycleHookInfo | RelationHookInfo | SecretHookInfo | StorageHookInfo) & {
  /** Fired by `juju sandbox fire`: the unit learns nothing from it. */
  readonly byHand?: true;
};

/** `config-changed`, `db-relation-joined`, `secret-changed`: as charms and messages name it. */
export function hookName(hook: HookInfo): string {
  switch (hook.kind) {
    case 'lifecycle':
      return hook.name;
    case 'relation':
      return `${hook.endpoint}-relation-${hook.step}`;
    case 'secret':
      return `secret-${hook.step}`;
    case 'storage':
      return `${hook.storage.split('/', 1)[0] ?? ''}-storage-${hook.step}`;
  }
}

/** What it is about, for the agent status: `db-relation-joined hook for pg/0`. */
export function describeHook(hook: HookInfo): string {
  const suffix = hook.kind === 'relation' && hook.remoteUnit ? ` for ${hook.remoteUnit}` : '';
  return `${hookName(hook)} hook${suffix}`;
}
