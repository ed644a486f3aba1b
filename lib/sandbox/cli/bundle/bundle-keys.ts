/** Which keys a bundle may have: those that are followed, those that change nothing, and those refused. */
import { quoted } from '../errors.ts';
import { isTree, type Tree } from './read-bundle.ts';

export type Subject = 'bundle' | 'application' | 'machine';

interface Keys {
  readonly followed: readonly string[];
  /** They say nothing to Juju either, or are for people. */
  readonly silent: readonly string[];
  /** Followed by Juju; here a remark says that they change nothing. */
  readonly idle: readonly string[];
  readonly refused: Readonly<Record<string, string>>;
}

const SERIES = 'series are gone: write a base such as ubuntu@22.04';
const NO_OFFERS = "bundles of the sandbox are about one model: use 'juju offer' and 'juju consume'";

export const KEYS: Readonly<Record<Subject, Keys>> = {
  bundle: {
    followed: ['applications', 'machines', 'relations', 'default-base'],
    silent: [
      'name',
      'type',
      'description',
      'summary',
      'tags',
      'docs',
      'website',
      'issues',
      'source',
    ],
    idle: [],
    refused: {
      bundle: 'the sandbox has machines, no Kubernetes',
      saas: NO_OFFERS,
      series: SERIES,
      services: 'write applications',
    },
  },
  application: {
    followed:
      'charm base num_units scale to options expose trust constraints storage resources'.split(' '),
    silent: [],
    idle: ['annotations', 'channel', 'revision', 'plan'],
    refused: {
      series: SERIES,
      devices: 'the sandbox plays all machines on this host',
      offers: NO_OFFERS,
      'exposed-endpoints': 'the sandbox has one network and no firewall',
      placement: 'it is for Kubernetes',
      bindings: 'the sandbox has one network, the space alpha',
    },
  },
  machine: {
    followed: ['base'],
    silent: [],
    idle: ['annotations', 'constraints'],
    refused: { series: SERIES },
  },
};

/** @param what the thing whose keys they are: `application "db"` */
export function checkKeys(
  tree: Tree,
  keys: Keys,
  what: string,
): { readonly problems: readonly string[]; readonly remarks: readonly string[] } {
  const owner = what === 'bundle ""' ? 'the bundle' : what;
  const problems: string[] = [];
  const remarks: string[] = [];
  for (const [key, value] of Object.entries(tree)) {
    const reason = keys.refused[key];
    if (reason !== undefined && !meansNothing(key, value)) {
      problems.push(`${key} of ${owner}: ${reason}`);
    } else if (keys.idle.includes(key)) {
      remarks.push(`${key} of ${owner}: no effect in the sandbox`);
    } else if (reason === undefined && ![...keys.followed, ...keys.silent].includes(key)) {
      remarks.push(`unknown key ${quoted(key)} of ${owner} is ignored`);
    }
  }
  return { problems, remarks };
}

/** Bindings to the one space there is, and empty values. */
function meansNothing(key: string, value: unknown): boolean {
  const isEmpty = value === null || (isTree(value) && Object.keys(value).length === 0);
  return (
    isEmpty ||
    (key === 'bindings' && isTree(value) && Object.values(value).every((one) => one === 'alpha'))
  );
}
