/** The command line of `juju-s3`: from words to a typed command. */
import { isAbsolute, join } from 'node:path';
import { parseArgs } from 'node:util';
import { HintError } from '#system';

export const USAGE = `usage: juju-s3 start [--port N] [--host ADDRESS] [--data DIR] [--bucket NAME]... [--detach]
                     [--credentials FILE] [--region NAME] [--tls-cert FILE --tls-key FILE]
                     [--fsync] [--log]
       juju-s3 status | stop | credentials [--data DIR]

An S3 server for development: one user, path style, files below DIR
(default: $JUJU_S3_DATA, else ~/.local/share/juju-s3). Not for production.

start         run until Ctrl+C; with --detach in the background
  --port N            0, the default, takes any free port
  --bucket NAME       create the bucket unless it exists; may be repeated
  --credentials FILE  lines "access-key: ..." and "secret-key: ..."; else the variables
                      JUJU_S3_ACCESS_KEY and JUJU_S3_SECRET_KEY, else generated in DIR
  --region NAME       refuse requests signed for another region
  --fsync             keep what was confirmed through a power cut, too
  --log               print a line for each request
status        tell whether it runs, and where
stop          stop it
credentials   tell where the keys are, and how to use them
`;

export interface StartCommand {
  readonly verb: 'start';
  readonly dataDirectory: string;
  readonly host: string;
  readonly port: number;
  readonly buckets: readonly string[];
  readonly isDetached: boolean;
  readonly credentialsFile: string | undefined;
  readonly region: string | undefined;
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  readonly fsync: boolean;
  readonly isLogging: boolean;
}

export type Command =
  | StartCommand
  | { readonly verb: 'stop' | 'status' | 'credentials'; readonly dataDirectory: string }
  | { readonly verb: 'help' };

export interface CliEnvironment {
  readonly variables: Readonly<Record<string, string | undefined>>;
  readonly workingDirectory: string;
}

const OPTIONS = {
  port: { type: 'string' },
  host: { type: 'string' },
  data: { type: 'string' },
  bucket: { type: 'string', multiple: true },
  credentials: { type: 'string' },
  region: { type: 'string' },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
  detach: { type: 'boolean' },
  fsync: { type: 'boolean' },
  log: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

type Values = ReturnType<typeof parseValues>['values'];

/** @throws HintError usage */
export function parseCommand(args: readonly string[], environment: CliEnvironment): Command {
  const { values, positionals } = parseValues(args);
  const [verb = 'help', ...rest] = positionals;
  if (values.help === true || verb === 'help') {
    return { verb: 'help' };
  }
  if (rest.length > 0) {
    throw usage(`unexpected argument "${rest[0]}"`);
  }
  const dataDirectory = dataDirectoryOf(values, environment);
  switch (verb) {
    case 'start':
      return startCommand(values, dataDirectory, environment);
    case 'stop':
    case 'status':
    case 'credentials':
      return { verb, dataDirectory };
    default:
      throw usage(`unknown command "${verb}"`);
  }
}

function parseValues(args: readonly string[]) {
  if (args.some((arg) => /^--(?:secret|access)-key\b/.test(arg))) {
    throw new HintError('keys are not taken from the command line, where others can read them', {
      code: 'usage',
      hint: 'put them into a file for --credentials, or into JUJU_S3_ACCESS_KEY and JUJU_S3_SECRET_KEY',
    });
  }
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    throw usage(Error.isError(error) ? error.message : String(error));
  }
}

function startCommand(
  values: Values,
  dataDirectory: string,
  environment: CliEnvironment,
): StartCommand {
  const inFolder = (path: string): string => absolute(path, environment);
  return {
    verb: 'start',
    dataDirectory,
    host: values.host ?? '127.0.0.1',
    port: readPort(values.port ?? '0'),
    buckets: values.bucket ?? [],
    isDetached: values.detach ?? false,
    credentialsFile: values.credentials === undefined ? undefined : inFolder(values.credentials),
    region: values.region,
    tls: readTls(values, inFolder),
    fsync: values.fsync ?? false,
    isLogging: values.log ?? false,
  };
}

function readTls(values: Values, inFolder: (path: string) => string): StartCommand['tls'] {
  const cert = values['tls-cert'];
  const key = values['tls-key'];
  if (cert === undefined && key === undefined) {
    return undefined;
  }
  if (cert === undefined || key === undefined) {
    throw usage('--tls-cert and --tls-key go together');
  }
  return { certFile: inFolder(cert), keyFile: inFolder(key) };
}

function readPort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port > 65_535) {
    throw usage(`"${text}" is no port; give a number from 0 to 65535`);
  }
  return port;
}

function dataDirectoryOf(values: Values, environment: CliEnvironment): string {
  const { variables } = environment;
  const stated = values.data ?? variables['JUJU_S3_DATA'];
  if (stated !== undefined && stated !== '') {
    return absolute(stated, environment);
  }
  const home = variables['HOME'];
  if (home === undefined || home === '') {
    throw usage('there is no HOME to keep data in; give --data DIR');
  }
  return join(home, '.local', 'share', 'juju-s3');
}

function absolute(path: string, environment: CliEnvironment): string {
  return isAbsolute(path) ? path : join(environment.workingDirectory, path);
}

function usage(message: string): HintError {
  return new HintError(message, { code: 'usage', hint: 'see "juju-s3 --help"' });
}
