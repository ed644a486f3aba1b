/** One run of a command: its streams, the daemon it talks to, and what the person chose for all commands. */
import { resolve } from 'node:path';
import { hasErrorCode } from '#system';
import type { CallName, Calls, StreamName, Streams } from '../api.ts';
import { callDaemon, streamFromDaemon } from '../client/client.ts';
import { isBootstrapped, startDaemon } from '../client/daemon-control.ts';
import { currentModel, findAddedModel } from '../client/models.ts';
import { defaultDataDirectory } from '../client/paths.ts';
import { CommandError } from './errors.ts';
import type { CommandIo } from './io.ts';

/** The flags that all commands share. */
interface CommonChoices {
  readonly model: string | undefined;
  readonly controller: string | undefined;
  readonly verbose: boolean;
  readonly quiet: boolean;
}

export interface Session {
  readonly io: CommandIo;
  /** The data directory of the model that the command is about. */
  readonly root: string;
  /** The sandbox's data directory, which is that of its first model too. */
  readonly controllerRoot: string;
  /** Asks the daemon; one that died is started again first. */
  readonly call: <N extends CallName>(
    name: N,
    params: Calls[N]['params'],
  ) => Promise<Calls[N]['result']>;
  /** The same for the model in a data directory. */
  readonly callModel: <N extends CallName>(
    root: string,
    name: N,
    params: Calls[N]['params'],
  ) => Promise<Calls[N]['result']>;
  readonly stream: <N extends StreamName>(
    name: N,
    params: Streams[N]['params'],
  ) => AsyncGenerator<Streams[N]['item'], void>;
  /** Progress for a person, on standard error; nothing when quiet. */
  readonly info: (line: string) => void;
  /** The same, shown only with --verbose. */
  readonly detail: (line: string) => void;
  readonly select: (choices: CommonChoices) => void;
  /** `Continue [y/N]?`. @throws CommandError `aborted` on anything but yes. */
  readonly confirm: () => Promise<void>;
}

/** A session on the sandbox that the environment names. */
export function createSession(io: CommandIo): Session {
  let chosen: CommonChoices | undefined;
  let modelChecked = false;
  const controllerRoot = resolve(io.cwd, defaultDataDirectory(io.env));
  const info = (line: string) => {
    if (chosen?.quiet !== true) {
      io.err(`${line}\n`);
    }
  };
  const root = () => modelRoot(controllerRoot, wantedModel(io, chosen));
  const ready = async () => {
    ensureBootstrapped(controllerRoot);
    await ensureDaemon(root(), io);
    if (!modelChecked && chosen !== undefined) {
      modelChecked = true;
      await checkModel(root(), wantedModel(io, chosen), chosen.controller);
    }
  };
  return {
    io,
    get root() {
      return root();
    },
    controllerRoot,
    info,
    detail: (line) => {
      if (chosen?.verbose === true) {
        info(line);
      }
    },
    select: (choices) => {
      chosen = choices;
    },
    callModel: async (modelRootPath, name, params) => {
      ensureBootstrapped(controllerRoot);
      await ensureDaemon(modelRootPath, io);
      return callDaemon(modelRootPath, name, params, { signal: io.signal });
    },
    call: async (name, params) => {
      await ready();
      return callDaemon(root(), name, params, { signal: io.signal });
    },
    stream: async function* (name, params) {
      await ready();
      yield* streamFromDaemon(root(), name, params, { signal: io.signal });
    },
    confirm: async () => confirm(io),
  };
}

/** What `--model`, else `$JUJU_MODEL` asks for. */
function wantedModel(io: CommandIo, chosen: CommonChoices | undefined): string | undefined {
  return chosen?.model ?? (io.env['JUJU_MODEL'] || undefined);
}

/** Where the model lies; a name that is none leads to the first one, which then does not answer to it. */
function modelRoot(controllerRoot: string, wanted: string | undefined): string {
  const [, asked] = splitModel(wanted);
  const name = asked?.replace(/^admin\//, '') ?? currentModel(controllerRoot);
  return name === undefined
    ? controllerRoot
    : (findAddedModel(controllerRoot, name) ?? controllerRoot);
}

function ensureBootstrapped(root: string): void {
  if (!isBootstrapped(root)) {
    throw new CommandError(`no sandbox in ${root}\nRun "juju bootstrap" to start one.`);
  }
}

async function ensureDaemon(root: string, io: CommandIo): Promise<void> {
  try {
    await callDaemon(root, 'ping', {});
  } catch (error) {
    if (!hasErrorCode(error, 'daemon-down')) {
      throw error;
    }
    io.err(`The sandbox in ${root} was not running; starting it again.\n`);
    await startDaemon(root);
  }
}

/** There is one controller with its models; asking for others is a mistake to be told. */
async function checkModel(
  root: string,
  model: string | undefined,
  controller: string | undefined,
): Promise<void> {
  if (model === undefined && controller === undefined) {
    return;
  }
  const { modelName, modelUuid, controllerName } = await callDaemon(root, 'ping', {});
  const [ofModel, name] = splitModel(model);
  const wanted = controller ?? ofModel;
  if (wanted !== undefined && wanted !== controllerName) {
    throw new CommandError(`controller ${wanted} not found`);
  }
  if (name !== undefined && ![modelName, `admin/${modelName}`, modelUuid].includes(name)) {
    throw new CommandError(
      `model ${controllerName}:admin/${name.replace(/^admin\//, '')} not found`,
    );
  }
}

/** `controller:owner/model`, each part but the last optional. */
function splitModel(text: string | undefined): readonly [string | undefined, string | undefined] {
  if (text === undefined) {
    return [undefined, undefined];
  }
  const at = text.indexOf(':');
  const name = text.slice(at + 1);
  return [at === -1 ? undefined : text.slice(0, at), name === '' ? undefined : name];
}

async function confirm(io: CommandIo): Promise<void> {
  io.out('Continue [y/N]? ');
  const answer = await io.readLine();
  if (answer === undefined) {
    io.out('\n');
  }
  if (!['y', 'yes'].includes((answer ?? '').trim().toLowerCase())) {
    throw new CommandError('aborted');
  }
}
