/** `juju wait-for application|unit`. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { FullStatus } from '../../api-status.ts';
import { booleanFlag, durationFlag, textFlag } from '../arguments/flag-kinds.ts';
import { defineCommand, refuseExtra } from '../command.ts';
import { CommandError, quoted, UsageError } from '../errors.ts';
import type { Session } from '../session.ts';
import { allUnits } from '../status/all-units.ts';
import { type Fields, parseQuery, type Query } from '../wait/query.ts';

const DEFAULT_TIMEOUT_MS = 10 * 60_000;
const POLL_MS = 200;

const KINDS: Readonly<
  Record<
    string,
    { query: string; fields: (status: FullStatus, name: string) => Fields | undefined }
  >
> = {
  application: { query: 'life=="alive" && status=="active"', fields: applicationFields },
  unit: { query: 'life=="alive" && workload-status=="active"', fields: unitFields },
};

export const waitFor = defineCommand({
  name: 'wait-for',
  usage: 'application|unit <name>',
  summary: 'Wait until an application or unit is as asked.',
  details:
    'Without --query, until it is active. A query compares fields: for an application name,\n' +
    'life, status, message, exposed, charm-url, workload-version; for a unit name, life, application,\n' +
    'leader, workload-status, workload-message, agent-status, agent-message, public-address.',
  examples: [
    'juju wait-for application db',
    `juju wait-for unit db/0 --query='workload-status=="blocked"' --timeout 1m`,
  ],
  flags: {
    query: textFlag('What to wait for', { placeholder: '<query>' }),
    timeout: durationFlag('How long to wait; 10m unless given'),
    summary: booleanFlag('Accepted for compatibility; changes nothing'),
  },
  run: async ({ session, positionals, flags }) => {
    const [kind = '', name, ...extra] = positionals;
    const known = KINDS[kind];
    if (known === undefined) {
      throw new UsageError(
        `cannot wait for ${quoted(kind)} in the sandbox; it is "application" or "unit"`,
      );
    }
    if (name === undefined) {
      throw new UsageError(`${kind} name must be supplied when waiting for ${kind}`);
    }
    refuseExtra(extra);
    await waitUntil(session, {
      kind,
      name,
      holds: parseQuery(flags.query ?? known.query),
      fieldsOf: known.fields,
      timeoutMs: flags.timeout ?? DEFAULT_TIMEOUT_MS,
    });
  },
});

interface Wait {
  readonly kind: string;
  readonly name: string;
  readonly holds: Query;
  readonly fieldsOf: (status: FullStatus, name: string) => Fields | undefined;
  readonly timeoutMs: number;
}

async function waitUntil(session: Session, wait: Wait): Promise<void> {
  const { kind, name } = wait;
  const deadline = performance.now() + wait.timeoutMs;
  let shown = '';
  for (;;) {
    const fields = wait.fieldsOf(await session.call('status', {}), name);
    if (fields !== undefined && wait.holds(fields)) {
      return;
    }
    const line = describe(kind, name, fields);
    if (line !== shown) {
      shown = line;
      session.info(line);
    }
    if (performance.now() >= deadline) {
      throw new CommandError(`timed out waiting for ${kind} ${quoted(name)}`);
    }
    await sleep(POLL_MS);
  }
}

function describe(kind: string, name: string, fields: Fields | undefined): string {
  if (fields === undefined) {
    return `${kind} ${quoted(name)} not found, waiting for it...`;
  }
  const status = fields['status'] ?? fields['workload-status'] ?? '';
  const message = fields['message'] ?? fields['workload-message'] ?? '';
  return `${kind} ${quoted(name)} is ${status}${message === '' ? '' : `: ${message}`}, waiting...`;
}

function applicationFields({ applications }: FullStatus, name: string): Fields | undefined {
  const found = applications.find((application) => application.name === name);
  return found === undefined
    ? undefined
    : {
        name,
        life: found.life ?? 'alive',
        status: found.status.current,
        message: found.status.message ?? '',
        exposed: found.exposed,
        'charm-url': found.charm.url,
        'workload-version': found.workloadVersion ?? '',
      };
}

function unitFields(status: FullStatus, name: string): Fields | undefined {
  const found = allUnits(status).find((unit) => unit.name === name);
  return found === undefined
    ? undefined
    : {
        name,
        life: found.life ?? 'alive',
        application: name.split('/')[0] ?? '',
        leader: found.leader,
        'workload-status': found.workload.current,
        'workload-message': found.workload.message ?? '',
        'agent-status': found.agent.current,
        'agent-message': found.agent.message ?? '',
        'public-address': found.address ?? '',
      };
}
