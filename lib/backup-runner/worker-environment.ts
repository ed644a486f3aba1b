/** The environment of a worker: what it needs to find Juju's tools and the storage, nothing else. Pure. */

export type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

// Without JUJU_CONTEXT_ID: it names a hook that will be over, and juju-exec refuses to run with it.
const KEPT = [
  'JUJU_UNIT_NAME',
  'JUJU_CHARM_DIR',
  'JUJU_MODEL_NAME',
  'JUJU_MODEL_UUID',
  'JUJU_VERSION',
  // Where the hook's own compiled code lies: the storage client of a worker takes longer to compile than to run.
  'NODE_COMPILE_CACHE',
];

// Juju passes the model's proxy settings under names of its own; programs know these.
const PROXIES: readonly (readonly [from: string, to: string])[] = [
  ['JUJU_CHARM_HTTP_PROXY', 'http_proxy'],
  ['JUJU_CHARM_HTTPS_PROXY', 'https_proxy'],
  ['JUJU_CHARM_NO_PROXY', 'no_proxy'],
];

/** Threads that come and go by MiB leave the C library an arena each of freed memory: 20 MiB less with two for all. */
const SPARING = { MALLOC_ARENA_MAX: '2' } as const;

/** @param environment that of the hook */
export function workerEnvironment(environment: Environment): Record<string, string> {
  const kept = KEPT.map((name) => [name, environment[name]] as const);
  const proxies = PROXIES.flatMap(([from, to]) => [
    [to, environment[from]] as const,
    [to.toUpperCase(), environment[from]] as const,
  ]);
  const given = [...kept, ...proxies].filter(
    (pair): pair is readonly [string, string] => pair[1] !== undefined && pair[1] !== '',
  );
  return {
    PATH: environment['PATH'] ?? DEFAULT_PATH,
    LANG: 'C.UTF-8',
    LC_ALL: 'C.UTF-8',
    ...SPARING,
    ...Object.fromEntries(given),
  };
}
