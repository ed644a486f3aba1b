/** `juju help`, `juju help commands` and `juju help COMMAND`. */
import type { Command } from './command.ts';
import { formatHelp } from './help-text.ts';
import { COMMANDS, findCommand } from './registry.ts';
import type { Session } from './session.ts';
import { unknownCommand } from './unknown-command.ts';

const OVERVIEW = `The juju command of the sandbox: a Juju on this one machine, for trying charms without a controller.
It is not for production: units share the host, and stopping the sandbox ends them.

Start and stop:

    juju bootstrap                      start the sandbox
    juju kill-controller --no-prompt    stop it and forget everything in it

Try a charm:

    juju deploy ./my-charm              deploy a charm folder or a packed .charm file
    juju status                         see how it is doing
    juju run my-charm/0 some-action     run one of its actions
    juju integrate one other            relate two applications
    juju debug-log                      see what it does
    juju resolved my-charm/0            run a failed hook again

Test a charm against faults (these are the sandbox's own, see "juju help sandbox"):

    juju sandbox stop-agent my-charm/0  and start-agent, freeze, thaw, drop-commit, force-leader
    juju sandbox fire my-charm/0 update-status
    juju sandbox advance 24h            move the clock
    juju sandbox kill-daemon            the next command starts it again
    juju sandbox record run.jsonl       write down a run, to replay it elsewhere

See "juju help commands" for all commands, "juju help <command>" for one of them.
`;

/** Prints the help asked for. */
export async function runHelp(args: readonly string[], session: Session): Promise<number> {
  const [topic] = args.filter((word) => !word.startsWith('-'));
  if (topic === undefined) {
    session.io.out(OVERVIEW);
    return 0;
  }
  if (topic === 'commands') {
    session.io.out(await commandList());
    return 0;
  }
  const entry = findCommand(topic);
  if (entry === undefined) {
    throw unknownCommand(topic);
  }
  session.io.out(formatHelp(await entry.load()));
  return 0;
}

// What Juju has not.
const OWN_COMMANDS = ['sandbox'];

async function commandList(): Promise<string> {
  const commands = await Promise.all(COMMANDS.map(async ({ load }) => load()));
  const own = commands.filter(({ name }) => OWN_COMMANDS.includes(name));
  const others = commands.filter((command) => !own.includes(command));
  return `${others.map(line).join('')}\nOf the sandbox, not of Juju:\n\n${own.map(line).join('')}`;
}

function line({ name, summary, aliases }: Command): string {
  const also = aliases.length === 0 ? '' : ` (also: ${aliases.join(', ')})`;
  return `${name.padEnd(22)} ${summary}${also}\n`;
}
