/** `juju wait-for application|machine|model|unit`. */
import { setTimeout as sleep } from 'node:timers/promises';
import { sortKeys } from '../../go-output/values.ts';
import { toYaml } from '../../go-output/yaml.ts';
import { booleanFlag, durationFlag, textFlag } from '../arguments/flag-kinds.ts';
import { isApplicationName, isMachineId, isUnitName } from '../arguments/names.ts';
import { defineCommand } from '../command.ts';
import { CommandError, quoted, UsageError } from '../errors.ts';
import type { Session } from '../session.ts';
import { parseQuery, type Query } from '../wait/query.ts';
import { findSubject, type Kind, type Looked } from '../wait/scopes.ts';

const DEFAULT_TIMEOUT_MS = 10 * 60_000;
const POLL_MS = 200;

interface KindOfSubject {
  readonly query: string;
  /** `name`, or `id` for machines. */
  readonly called: string;
  readonly isValid: (name: string) => boolean;
}

const KINDS: Readonly<Record<Kind, KindOfSubject>> = {
  application: {
    query: 'life=="alive" && status=="active"',
    called: 'name',
    isValid: isApplicationName,
  },
  machine: { query: 'life=="alive" && status=="started"', called: 'id', isValid: isMachineId },
  model: {
    query: 'life=="alive" && status=="available"',
    called: 'name',
    isValid: (name) => /^[a-z0-9]+[a-z0-9-]*$/.test(name),
  },
  unit: {
    query: 'life=="alive" && workload-status=="active"',
    called: 'name',
    isValid: isUnitName,
  },
};

export const waitFor = defineCommand({
  name: 'wait-for',
  usage: 'application|machine|model|unit <name>',
  summary: 'Wait for an entity to reach a specified state.',
  details:
    'Without --query, until it is active, started or available. A query compares members of what\n' +
    'is waited for, also those of its units and machines:\n' +
    "forEach(units, unit => unit.workload-status=='active' && len(unit.machines)==1). A query that\n" +
    'names something that does not exist is answered with what does.',
  examples: [
    'juju wait-for application db',
    `juju wait-for unit db/0 --query='workload-status=="blocked"' --timeout 1m`,
    `juju wait-for model default --query='forEach(applications, app => app.status=="active")'`,
  ],
  flags: {
    query: textFlag('What to wait for', { placeholder: '<query>' }),
    timeout: durationFlag('How long to wait; 10m unless given'),
    summary: booleanFlag('Print what the query looked at when it holds', { initial: true }),
  },
  run: async ({ session, positionals, flags }) => {
    const { kind, name } = parseSubject(positionals);
    const looked = await waitUntil(session, {
      kind,
      name,
      holds: parseQuery(flags.query ?? KINDS[kind].query),
      timeoutMs: flags.timeout ?? DEFAULT_TIMEOUT_MS,
    });
    if (flags.summary) {
      const title = ['application', 'model'].includes(kind) ? capitalised(kind) : kind;
      session.info(`${title} ${quoted(name)} is running`);
      session.io.out(
        toYaml({ properties: sortKeys(looked.properties), ...withoutEmpty(looked.children) }),
      );
    }
  },
});

function parseSubject([kind = '', name, ...extra]: readonly string[]): {
  readonly kind: Kind;
  readonly name: string;
} {
  const known = isKind(kind) ? kind : undefined;
  if (known === undefined) {
    throw new UsageError(
      `unrecognized command: juju wait-for ${kind}; there are ${Object.keys(KINDS).join(', ')}`,
    );
  }
  const { called, isValid } = KINDS[known];
  if (name === undefined) {
    throw new UsageError(`${known} ${called} must be supplied when waiting for an ${known}`);
  }
  if (extra.length > 0) {
    throw new UsageError(
      `only one ${known} ${called} can be supplied as an argument to this command`,
    );
  }
  if (!isValid(name)) {
    throw new UsageError(`${quoted(name)} is not valid ${known} ${called}`);
  }
  return { kind: known, name };
}

function isKind(text: string): text is Kind {
  return Object.hasOwn(KINDS, text);
}

interface Wait {
  readonly kind: Kind;
  readonly name: string;
  readonly holds: Query;
  readonly timeoutMs: number;
}

/** @throws CommandError after the timeout, or when the subject is removed meanwhile. */
async function waitUntil(session: Session, wait: Wait): Promise<Looked> {
  const { kind, name } = wait;
  const deadline = performance.now() + wait.timeoutMs;
  let shown = '';
  let wasThere = false;
  for (;;) {
    const looked: Looked = { properties: {}, children: {} };
    const subject = findSubject(kind, name, await session.call('status', {}), looked);
    if (subject !== undefined && wait.holds(subject.scope)) {
      return looked;
    }
    if (subject === undefined && wasThere) {
      throw new CommandError(`${kind} ${name} removed`);
    }
    wasThere = subject !== undefined;
    const state =
      subject === undefined
        ? 'not found'
        : `found${kind === 'application' ? ` with ${quoted(subject.status)}` : ''}`;
    const line = `${kind} ${quoted(name)} ${state}, waiting...`;
    if (line !== shown) {
      shown = line;
      session.info(line);
    }
    if (performance.now() >= deadline) {
      throw new CommandError(`timed out waiting for ${quoted(name)} to reach goal state`);
    }
    await sleep(POLL_MS);
  }
}

function withoutEmpty(children: Looked['children']): Looked['children'] {
  return Object.fromEntries(
    Object.entries(children).filter(([, items]) =>
      Object.values(items).some((members) => Object.keys(members).length > 0),
    ),
  );
}

function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
