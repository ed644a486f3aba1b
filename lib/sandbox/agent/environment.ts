/**
 * The environment of hooks, actions and juju-exec: built from nothing, as Juju builds it.
 * https://github.com/juju/juju/blob/3.6/internal/worker/uniter/runner/context/context.go
 */
import type { JsonRecord } from '../json.ts';
import { MODEL } from '../model/documents.ts';
import { hookName } from '../model/hook-info.ts';
import { endpointOf } from '../model/relations.ts';
import type { HookContext } from './hook-context.ts';
import { type AgentServices, JUJU_VERSION } from './services.ts';
import { storageLocation } from './storage-directories.ts';
import { unitDirectory } from './unit-directory.ts';

const AGENT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin';

export type Environment = Readonly<Record<string, string>>;

/** `dispatchPath` is absent for juju-exec. */
export function hookEnvironment(
  services: AgentServices,
  context: HookContext,
  dispatchPath: string | undefined,
): Environment {
  const model = services.store.require('model', MODEL);
  const charm = unitDirectory(services.paths, context.unit).charm;
  return {
    CHARM_DIR: charm,
    JUJU_CHARM_DIR: charm,
    JUJU_CONTEXT_ID: context.id,
    JUJU_AGENT_SOCKET_ADDRESS: services.paths.agentSocket,
    JUJU_AGENT_SOCKET_NETWORK: 'unix',
    JUJU_HOOK_NAME: context.hook === undefined ? '' : hookName(context.hook),
    ...(dispatchPath === undefined ? {} : { JUJU_DISPATCH_PATH: dispatchPath }),
    JUJU_UNIT_NAME: context.unit,
    JUJU_MODEL_NAME: model.name,
    JUJU_MODEL_UUID: model.uuid,
    JUJU_PRINCIPAL_UNIT: context.unitDocument().principal ?? '',
    JUJU_MACHINE_ID: context.unitDocument().machine,
    JUJU_AVAILABILITY_ZONE: '',
    JUJU_API_ADDRESSES: `${services.address}:17070`,
    JUJU_VERSION,
    CLOUD_API_VERSION: '',
    JUJU_SLA: 'unsupported',
    ...proxies(model.config),
    PATH: `${services.paths.tools}:${AGENT_PATH}`,
    LANG: 'C.UTF-8',
    TERM: 'tmux-256color',
    DEBIAN_FRONTEND: 'noninteractive',
    APT_LISTCHANGES_FRONTEND: 'none',
    ...relationVariables(context),
    ...actionVariables(context),
    ...secretVariables(context),
    ...storageVariables(services, context),
  };
}

function relationVariables(context: HookContext): Environment {
  const { relation, hook } = context;
  const document = relation && context.store.get('relation', String(relation.id));
  const endpoint = document && endpointOf(document, context.application)?.endpoint;
  if (relation === undefined || endpoint === undefined) {
    return {};
  }
  const departing = hook?.kind === 'relation' ? hook.departing : undefined;
  return {
    JUJU_RELATION: endpoint,
    JUJU_RELATION_ID: `${endpoint}:${relation.id}`,
    JUJU_REMOTE_UNIT: relation.remoteUnit ?? '',
    JUJU_REMOTE_APP: relation.remoteApp,
    ...(departing === undefined ? {} : { JUJU_DEPARTING_UNIT: departing }),
  };
}

function actionVariables({ isAction, task, label }: HookContext): Environment {
  return isAction && task !== undefined
    ? { JUJU_ACTION_NAME: label, JUJU_ACTION_UUID: task, JUJU_ACTION_TAG: `action-${task}` }
    : {};
}

function secretVariables({ hook, store }: HookContext): Environment {
  if (hook?.kind !== 'secret') {
    return {};
  }
  const source = store.get('secret', hook.secret)?.source;
  return {
    JUJU_SECRET_ID: `secret:${source === undefined ? '' : `//${source}/`}${hook.secret}`,
    JUJU_SECRET_LABEL: hook.label,
    ...(hook.step === 'remove' || hook.step === 'expired'
      ? { JUJU_SECRET_REVISION: String(hook.revision) }
      : {}),
  };
}

function storageVariables({ paths }: AgentServices, { hook, storage }: HookContext): Environment {
  const found = hook?.kind === 'storage' ? storage.find(hook.storage) : undefined;
  return found === undefined
    ? {}
    : {
        JUJU_STORAGE_ID: found.id,
        JUJU_STORAGE_LOCATION: storageLocation(paths, found) ?? '',
        JUJU_STORAGE_KIND: 'filesystem',
      };
}

function proxies(config: JsonRecord): Environment {
  const variables: Record<string, string> = {};
  for (const kind of ['http', 'https', 'ftp']) {
    variables[`JUJU_CHARM_${kind.toUpperCase()}_PROXY`] = optionText(config, `juju-${kind}-proxy`);
  }
  variables['JUJU_CHARM_NO_PROXY'] = optionText(config, 'juju-no-proxy');
  for (const kind of ['http-proxy', 'https-proxy', 'ftp-proxy', 'no-proxy']) {
    const value = optionText(config, kind);
    if (value !== '') {
      const name = kind.replace('-', '_');
      variables[name] = value;
      variables[name.toUpperCase()] = value;
    }
  }
  return variables;
}

function optionText(config: JsonRecord, name: string): string {
  const value = config[name];
  return typeof value === 'string' ? value : '';
}
