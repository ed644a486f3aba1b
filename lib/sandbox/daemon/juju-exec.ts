/**
 * juju-exec on the unit's machine: commands in the context of a unit, also from processes that have
 * outlived the hook that started them. https://github.com/juju/juju/blob/3.6/cmd/jujud/run
 */
import { runProcess } from '#system';
import type { ContextRelation } from '../agent/hook-context.ts';
import { onMachine } from '../agent/hook-operation.ts';
import type { AgentServices } from '../agent/services.ts';
import { parseFlags } from '../hook-tools/flags.ts';
import { ToolError, usageError } from '../hook-tools/tool-error.ts';
import type { RelationDocument } from '../model/documents.ts';
import { isUnitName, unitTag } from '../model/names.ts';
import { endpointOf, remoteEndpointOf, remoteUnits } from '../model/relations.ts';
import type { Agents } from './agents.ts';
import type { BinaryResult, ToolCallMessage } from './tool-call.ts';

const FLAGS = {
  unit: { kind: 'text', aliases: ['u'] },
  relation: { kind: 'text', aliases: ['r'] },
  'remote-unit': { kind: 'text' },
  'remote-app': { kind: 'text' },
  'force-remote-unit': { kind: 'boolean' },
  'no-context': { kind: 'boolean' },
  operator: { kind: 'boolean' },
} as const;

type Flags = ReturnType<typeof parseFlags>['flags'];

/** Runs the commands when the unit's agent gets to them; answers after their end. */
export async function jujuExec(
  services: AgentServices,
  agents: Agents,
  message: ToolCallMessage,
): Promise<BinaryResult> {
  try {
    return await execute(services, agents, message);
  } catch (error) {
    if (error instanceof ToolError) {
      const stderr = Buffer.from(`ERROR ${error.message}\n`);
      return { code: error.exitCode, stdout: Buffer.alloc(0), stderr };
    }
    throw error;
  }
}

async function execute(
  services: AgentServices,
  agents: Agents,
  { args, contextId, unit: caller, cwd }: ToolCallMessage,
): Promise<BinaryResult> {
  if (contextId !== '') {
    throw new ToolError(
      `juju-exec cannot be called from within a hook, have context ${JSON.stringify(contextId)}`,
    );
  }
  const { flags, positionals } = parseFlags(args, FLAGS);
  if (flags.boolean('no-context')) {
    return await runPlain(services, joined(positionals), { caller, cwd });
  }
  const units = unitsOnMachineOf(services, caller);
  const target = chooseUnit({ flags, positionals, units });
  const script = joined(target.commands);
  const relation = chooseRelation(services, target.unit, flags);
  return await new Promise((resolve) => {
    const commands = {
      script,
      done: resolve,
      ...(relation === undefined ? {} : { relation }),
    };
    if (!agents.enqueue(target.unit, commands)) {
      const stderr = Buffer.from(`ERROR no runner is registered for unit ${target.unit}\n`);
      resolve({ code: 1, stdout: Buffer.alloc(0), stderr });
    }
  });
}

interface Choice {
  readonly flags: Flags;
  readonly positionals: readonly string[];
  readonly units: readonly string[];
}

/** `-u app/0 cmd`, `app/0 cmd`, `unit-app-0 cmd`, or `cmd` where only one unit can be meant. */
function chooseUnit({ flags, positionals, units }: Choice): {
  readonly unit: string;
  readonly commands: readonly string[];
} {
  const told = flags.text('unit');
  if (told !== undefined && told !== '') {
    return { unit: known(told, units), commands: positionals };
  }
  const [first, ...rest] = positionals;
  if (first !== undefined && rest.length > 0 && told === undefined && looksLikeUnit(first)) {
    return { unit: known(first, units), commands: rest };
  }
  // A unit alone on its machine need not be named.
  const [only] = units;
  if (only === undefined || units.length > 1) {
    throw usageError('missing unit-name');
  }
  return { unit: only, commands: positionals };
}

/** All units of the model for a caller that does not say which unit it belongs to. */
function unitsOnMachineOf({ store }: AgentServices, caller: string): readonly string[] {
  const machine = store.get('unit', caller)?.machine;
  return store
    .all('unit')
    .filter((unit) => machine === undefined || unit.machine === machine)
    .map(({ name }) => name);
}

function looksLikeUnit(text: string): boolean {
  return isUnitName(text) || /^unit-[a-z0-9-]+-\d+$/.test(text);
}

function known(text: string, units: readonly string[]): string {
  const found = units.find((name) => name === text || unitTag(name) === text);
  if (found === undefined) {
    throw new ToolError(`unit ${JSON.stringify(text)} not found on this machine`);
  }
  return found;
}

/** One argument is shell text as it stands; several are quoted one by one. */
function joined(words: readonly string[]): string {
  const [only] = words;
  if (only === undefined) {
    throw usageError('missing commands');
  }
  return words.length === 1
    ? only
    : words.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(' ');
}

function chooseRelation(
  services: AgentServices,
  unit: string,
  flags: Flags,
): ContextRelation | undefined {
  const text = flags.text('relation') ?? '';
  const asked = flags.text('remote-unit') ?? '';
  if (text === '') {
    if (asked !== '') {
      throw new ToolError(`remote unit: ${asked}, provided without a relation`);
    }
    return undefined;
  }
  const { application } = services.store.require('unit', unit);
  const relation = requireRelation(services, application, text);
  const remoteUnit = chooseRemote(services, { unit, relation, asked, flags });
  const remoteApp = flags.text('remote-app') || remoteApplication(relation, application);
  return { id: relation.id, remoteApp, ...(remoteUnit === undefined ? {} : { remoteUnit }) };
}

function requireRelation(
  { store }: AgentServices,
  application: string,
  text: string,
): RelationDocument {
  const id = /^(?:[^:]+:)?(\d+)$/.exec(text)?.[1];
  if (id === undefined) {
    throw usageError('invalid relation id');
  }
  const relation = store.get('relation', id);
  if (relation === undefined || endpointOf(relation, application) === undefined) {
    throw new ToolError(`unknown relation id: ${id}`);
  }
  return relation;
}

function remoteApplication(relation: RelationDocument, application: string): string {
  return remoteEndpointOf(relation, application)?.application ?? '';
}

function chooseRemote(
  services: AgentServices,
  {
    unit,
    relation,
    asked,
    flags,
  }: {
    readonly unit: string;
    readonly relation: RelationDocument;
    readonly asked: string;
    readonly flags: Flags;
  },
): string | undefined {
  if (asked !== '' && flags.boolean('force-remote-unit')) {
    return asked;
  }
  const present = remoteUnits(services.store, relation, unit);
  const shown = `possibilities are [${present.join(' ')}]`;
  if (asked !== '') {
    if (!present.includes(asked)) {
      throw new ToolError(`unknown remote unit ${asked}; ${shown}`);
    }
    return asked;
  }
  if (flags.given('remote-app')) {
    return undefined;
  }
  if (present.length === 0) {
    throw new ToolError(`cannot infer remote unit in empty relation ${relation.id}`);
  }
  if (present.length > 1) {
    throw new ToolError(`ambiguous remote unit; ${shown}`);
  }
  return present[0];
}

/** Without a context; on the machine of the unit that asks, where it says which it is. */
async function runPlain(
  services: AgentServices,
  script: string,
  { caller, cwd }: { readonly caller: string; readonly cwd: string },
): Promise<BinaryResult> {
  const plain = { file: '/bin/bash', args: ['-s'], cwd };
  const command =
    services.store.get('unit', caller) === undefined
      ? plain
      : await onMachine(services, caller, plain);
  const { exitCode, stdout, stderr } = await runProcess(command.file, command.args, {
    stdin: script,
    cwd: command.cwd,
    acceptExitCodes: Array.from({ length: 256 }, (_, code) => code),
  });
  return { code: exitCode, stdout: Buffer.from(stdout), stderr: Buffer.from(stderr) };
}
