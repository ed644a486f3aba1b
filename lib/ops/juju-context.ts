/**
 * What Juju says about this dispatch through the environment, read once and frozen.
 * Juju exports some variables empty; empty means absent here. Nothing else in the SDK reads the
 * environment.
 */
import { HintError } from '#system';

/** The environment of one dispatch. Example values are in each field's comment. */
export interface JujuContext {
  /** `app/0` */
  readonly unitName: string;
  /** `app` */
  readonly appName: string;
  /** Absolute path of the unpacked charm. */
  readonly charmDir: string;
  /** `hooks/config-changed` or `actions/backup`; absent when run by hand with juju-exec. */
  readonly dispatchPath: string | undefined;
  /** `prod` */
  readonly modelName: string;
  readonly modelUuid: string;
  /** `3.6.28` */
  readonly jujuVersion: string;
  /** `app/0-config-changed-5f3a…`; only valid while the hook runs. */
  readonly contextId: string | undefined;
  readonly machineId: string | undefined;
  readonly availabilityZone: string | undefined;
  /** The unit this subordinate sits beside. */
  readonly principalUnit: string | undefined;
  /** `host:port` of each controller. */
  readonly apiAddresses: readonly string[];
  /** Endpoint of a relation event: `database`. */
  readonly relationName: string | undefined;
  /** 7, from `database:7`. */
  readonly relationId: number | undefined;
  readonly remoteUnit: string | undefined;
  readonly remoteApp: string | undefined;
  readonly departingUnit: string | undefined;
  readonly actionName: string | undefined;
  /** Task id: `2`. */
  readonly actionId: string | undefined;
  /** `secret:9m4e2mr0ui3e8a215n4g` */
  readonly secretId: string | undefined;
  readonly secretLabel: string | undefined;
  readonly secretRevision: number | undefined;
  /** `data/0` */
  readonly storageId: string | undefined;
  /** Mount point or device. */
  readonly storageLocation: string | undefined;
  readonly storageKind: string | undefined;
  /** Proxies for the charm's own requests, from the model's `juju-http-proxy` etc. */
  readonly proxies: {
    readonly http: string | undefined;
    readonly https: string | undefined;
    readonly ftp: string | undefined;
    readonly noProxy: string | undefined;
  };
}

type Environment = Readonly<Record<string, string | undefined>>;

/** @throws HintError when a variable every dispatch has is missing or malformed. */
export function parseJujuContext(environment: Environment): JujuContext {
  const get = (name: string): string | undefined => environment[name] || undefined;
  const unitName = required(get, 'JUJU_UNIT_NAME');
  if (!/^[a-z][a-z0-9-]*\/\d+$/.test(unitName)) {
    throw malformed('JUJU_UNIT_NAME', unitName, 'a unit name such as app/0');
  }
  return Object.freeze({
    unitName,
    appName: unitName.slice(0, unitName.indexOf('/')),
    charmDir: get('JUJU_CHARM_DIR') ?? required(get, 'CHARM_DIR'),
    dispatchPath: get('JUJU_DISPATCH_PATH'),
    modelName: get('JUJU_MODEL_NAME') ?? '',
    modelUuid: get('JUJU_MODEL_UUID') ?? '',
    jujuVersion: get('JUJU_VERSION') ?? '0.0.0',
    contextId: get('JUJU_CONTEXT_ID'),
    machineId: get('JUJU_MACHINE_ID'),
    availabilityZone: get('JUJU_AVAILABILITY_ZONE'),
    principalUnit: get('JUJU_PRINCIPAL_UNIT'),
    apiAddresses: Object.freeze((get('JUJU_API_ADDRESSES') ?? '').split(' ').filter(Boolean)),
    ...eventVariables(get),
    proxies: Object.freeze({
      http: get('JUJU_CHARM_HTTP_PROXY'),
      https: get('JUJU_CHARM_HTTPS_PROXY'),
      ftp: get('JUJU_CHARM_FTP_PROXY'),
      noProxy: get('JUJU_CHARM_NO_PROXY'),
    }),
  });
}

type Get = (name: string) => string | undefined;

function eventVariables(get: Get) {
  return {
    relationName: get('JUJU_RELATION'),
    relationId: parseNumber('JUJU_RELATION_ID', get('JUJU_RELATION_ID')?.split(':').at(-1)),
    remoteUnit: get('JUJU_REMOTE_UNIT'),
    remoteApp: get('JUJU_REMOTE_APP'),
    departingUnit: get('JUJU_DEPARTING_UNIT'),
    actionName: get('JUJU_ACTION_NAME'),
    actionId: get('JUJU_ACTION_UUID'),
    secretId: get('JUJU_SECRET_ID'),
    secretLabel: get('JUJU_SECRET_LABEL'),
    secretRevision: parseNumber('JUJU_SECRET_REVISION', get('JUJU_SECRET_REVISION')),
    storageId: get('JUJU_STORAGE_ID'),
    storageLocation: get('JUJU_STORAGE_LOCATION'),
    storageKind: get('JUJU_STORAGE_KIND'),
  };
}

function parseNumber(name: string, value: string | undefined): number | undefined {
  if (value === undefined) {
    return undefined;
  }
  if (!/^\d+$/.test(value)) {
    throw malformed(name, value, 'a number');
  }
  return Number(value);
}

function required(get: Get, name: string): string {
  const value = get(name);
  if (value === undefined) {
    throw new HintError(`cannot read the Juju environment: ${name} is not set`, {
      code: 'no-juju-environment',
      hint: 'let Juju run the charm, or use juju-exec on its machine',
    });
  }
  return value;
}

function malformed(name: string, value: string, expected: string): HintError {
  return new HintError(`cannot read the Juju environment: ${name}="${value}" is not ${expected}`, {
    code: 'no-juju-environment',
    hint: 'let Juju run the charm, or use juju-exec on its machine',
  });
}
