/** The command line of `recover`: from words to what is to be done, and with which store. */
import { parseArgs } from 'node:util';
import { HintError } from '#system';

export const USAGE = `usage: recover STORE --list [--path PREFIX]
       recover STORE --artefact-path PATH --to DIRECTORY
       recover STORE --artefact-path PATH --items
       recover STORE --artefact-path PATH --item NAME --to FILE
       recover STORE --artefact-path PATH --verify
       recover STORE --artefact-path PATH --export FILE
       recover STORE --import FILE --model NAME --application NAME [--path PREFIX]

Brings back backups of juju-database-backup with nothing but Node 24, this file and the storage.

  --list                list the backups in the bucket, or below --path
  --artefact-path PATH  the backup, as --list or the charm's list-backups names it
  --to DIRECTORY        restore all of it there; the directory must be empty or missing
  --items               list the files the backup holds
  --item NAME --to FILE restore one of them; "-" is the standard output
  --item NAME --to DIR  restore a directory of it into DIR, which must be empty or missing
  --verify              read everything back and compare, without keeping it
  --export FILE         write all of it into one file that "tar --zstd" opens; "-" is the standard output
  --import FILE         make a backup of such a file, or of any tar; "-" is the standard input

STORE is one of
  --bucket NAME [--endpoint URL] [--region NAME] [--uri-style path|host] [--ca-file PEM]
                        an S3 bucket; keys are read from --credentials FILE (lines "access-key: …"
                        and "secret-key: …"), or from AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY
  --directory DIR       a copy of the bucket's objects in a directory

Encrypted backups need --key-file FILE: the recovery kit, or a file with nothing but the passphrase.
An exported file is not encrypted. An imported one is with --key-file, which then is a file with the
passphrase; where the application's backups are encrypted, it takes --unencrypted to do without.
`;

export interface S3Source {
  readonly kind: 's3';
  /** As the relation writes it: `bucket`, `endpoint`, `region`, `s3-uri-style`. */
  readonly settings: Readonly<Record<string, string>>;
  readonly caFile: string | undefined;
  readonly credentialsFile: string | undefined;
}

export type Source = S3Source | { readonly kind: 'directory'; readonly directory: string };

/** A backup to read, and what opens it. */
export interface Artefact {
  readonly source: Source;
  readonly artefactPath: string;
  readonly keyFile: string | undefined;
}

/** Where a file becomes a backup. */
export interface ImportTask {
  readonly source: Source;
  readonly file: string;
  readonly path: string;
  readonly model: string;
  readonly app: string;
  readonly keyFile: string | undefined;
  /** Also where the other backups of the application are encrypted. */
  readonly isUnencrypted: boolean;
}

export type Task =
  | { readonly kind: 'help' }
  | { readonly kind: 'list'; readonly source: Source; readonly path: string }
  | ({ readonly kind: 'items' | 'verify' } & Artefact)
  | ({ readonly kind: 'restore' | 'export'; readonly to: string } & Artefact)
  | ({ readonly kind: 'import' } & ImportTask)
  | ({ readonly kind: 'item'; readonly item: string; readonly to: string } & Artefact);

const OPTIONS = {
  list: { type: 'boolean' },
  items: { type: 'boolean' },
  verify: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  path: { type: 'string' },
  'artefact-path': { type: 'string' },
  item: { type: 'string' },
  to: { type: 'string' },
  bucket: { type: 'string' },
  endpoint: { type: 'string' },
  region: { type: 'string' },
  'uri-style': { type: 'string' },
  'ca-file': { type: 'string' },
  credentials: { type: 'string' },
  directory: { type: 'string' },
  'key-file': { type: 'string' },
  export: { type: 'string' },
  import: { type: 'string' },
  model: { type: 'string' },
  application: { type: 'string' },
  unencrypted: { type: 'boolean' },
} as const;

type Values = ReturnType<typeof parseValues>;

/** @throws HintError `usage` naming what is missing or not understood */
export function parseTask(args: readonly string[]): Task {
  const values = parseValues(args);
  if (values.help === true || args.length === 0) {
    return { kind: 'help' };
  }
  const source = sourceOf(values);
  if (values.list === true) {
    return { kind: 'list', source, path: values.path ?? '' };
  }
  if (values.import !== undefined) {
    return importTask(values, source, values.import);
  }
  const artefactPath = values['artefact-path'];
  if (artefactPath === undefined) {
    throw usage(
      'say what to do: --list, or --artefact-path with --to, --items, --item, --verify or --export',
    );
  }
  return taskFor(values, { source, artefactPath, keyFile: values['key-file'] });
}

function taskFor(values: Values, artefact: Artefact): Task {
  const { item, to } = values;
  if (values.items === true) {
    return { kind: 'items', ...artefact };
  }
  if (values.verify === true) {
    return { kind: 'verify', ...artefact };
  }
  if (values.export !== undefined) {
    return { kind: 'export', to: values.export, ...artefact };
  }
  if (to === undefined) {
    throw usage('say where to put it with --to');
  }
  return item === undefined
    ? { kind: 'restore', to, ...artefact }
    : { kind: 'item', item, to, ...artefact };
}

function importTask(values: Values, source: Source, file: string): Task {
  const { model, application: app, path = '' } = values;
  if (model === undefined || app === undefined) {
    throw usage('say whose backup it becomes with --model and --application');
  }
  return {
    kind: 'import',
    source,
    file,
    path,
    model,
    app,
    keyFile: values['key-file'],
    isUnencrypted: values.unencrypted === true,
  };
}

function sourceOf(values: Values): Source {
  const { bucket, directory } = values;
  if ((bucket === undefined) === (directory === undefined)) {
    throw usage('name the storage with either --bucket or --directory');
  }
  if (directory !== undefined) {
    return { kind: 'directory', directory };
  }
  const settings = {
    bucket,
    endpoint: values.endpoint,
    region: values.region,
    's3-uri-style': values['uri-style'],
  };
  const given = Object.entries(settings).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return {
    kind: 's3',
    settings: Object.fromEntries(given),
    caFile: values['ca-file'],
    credentialsFile: values.credentials,
  };
}

function parseValues(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, strict: true }).values;
  } catch (error) {
    throw usage(error instanceof Error ? error.message : String(error));
  }
}

function usage(problem: string): HintError {
  return new HintError(problem, { code: 'usage', hint: 'see: recover --help' });
}
