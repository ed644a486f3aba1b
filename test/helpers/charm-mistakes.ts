/** Small charms with one mistake each, and what Juju's own reader says of them. */
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import yazl from 'yazl';

export interface CharmMistake {
  readonly name: string;
  /** Files to write instead of those of a charm without mistakes; null leaves one out. */
  readonly files: Readonly<Record<string, string | null>>;
  /** Mode of all files that are given here. */
  readonly mode?: number;
  /** Part of the problem our validator has to report. */
  readonly problem: string;
  /** Juju's reader of archives takes it: the mistake shows elsewhere in Juju, later or never. */
  readonly jujuTakesIt?: true;
}

const SOUND: Readonly<Record<string, string>> = {
  'metadata.yaml': 'name: sound\nsummary: s\ndescription: d\n',
  'manifest.yaml': 'bases: [{name: ubuntu, channel: "24.04", architectures: [amd64]}]\n',
  dispatch: '#!/bin/sh\n',
};
const LINK = 0o120777;

const meta = (more: string): Readonly<Record<string, string>> => ({
  'metadata.yaml': `${SOUND['metadata.yaml'] ?? ''}${more}\n`,
});
const config = (text: string) => ({ 'config.yaml': text });
const actions = (text: string) => ({ 'actions.yaml': text });
const manifest = (text: string) => ({ 'manifest.yaml': text });

/** The first has no mistake at all. */
export const SOUND_CHARM: CharmMistake = {
  name: 'nothing',
  files: {
    ...meta(
      'assumes: [juju >= 3.6, {any-of: [k8s-api, juju < 4]}]\nrequires: {db: {interface: x, limit: 1}}\nstorage: {data: {type: filesystem, multiple: {range: 0-2}, minimum-size: 1G, location: /srv}}\nresources: {it: {type: file, filename: it.tgz}}',
    ),
    ...config('options: {n: {type: int, default: 1}, s: {type: secret}}\n'),
    ...actions(
      'go: {description: Goes, params: {count: {type: integer, minimum: 0, exclusiveMinimum: true}}, required: [count]}\n',
    ),
  },
  problem: '',
};

export const CHARM_MISTAKES: readonly CharmMistake[] = [
  { name: 'no metadata', files: { 'metadata.yaml': null }, problem: 'metadata.yaml: is missing' },
  {
    name: 'metadata that is a list',
    files: { 'metadata.yaml': '[]' },
    problem: 'metadata.yaml: is not a map',
  },
  {
    name: 'a name that ends in a number',
    files: { 'metadata.yaml': 'name: x-1\nsummary: s\ndescription: d\n' },
    problem: 'invalid charm name "x-1"',
    jujuTakesIt: true,
  },
  {
    name: 'no summary',
    files: { 'metadata.yaml': 'name: x\ndescription: d\n' },
    problem: 'summary has to be a text',
  },
  {
    name: 'an empty description',
    files: { 'metadata.yaml': 'name: x\nsummary: s\ndescription: ""\n' },
    problem: 'description has to be a text',
    jujuTakesIt: true,
  },
  {
    name: 'series beside bases',
    files: meta('series: [jammy]'),
    problem: 'series has no place',
    jujuTakesIt: true,
  },
  {
    name: 'a reserved relation name',
    files: meta('provides: {juju-x: x}'),
    problem: 'reserved relation name "juju-x"',
  },
  {
    name: 'a reserved interface',
    files: meta('peers: {x: {interface: juju-x}}'),
    problem: 'reserved interface "juju-x"',
  },
  {
    name: 'a relation name in capitals',
    files: meta('provides: {DB: x}'),
    problem: 'invalid relation name "DB"',
    jujuTakesIt: true,
  },
  {
    name: 'one relation name twice',
    files: meta('provides: {db: x}\nrequires: {db: x}'),
    problem: 'duplicated relation name "db"',
  },
  {
    name: 'a relation without an interface',
    files: meta('provides: {db: {limit: 1}}'),
    problem: 'interface: expected string',
  },
  {
    name: 'a scope of its own',
    files: meta('requires: {db: {interface: x, scope: unit}}'),
    problem: 'scope: unexpected value "unit"',
  },
  {
    name: 'a subordinate that attaches nowhere',
    files: meta('subordinate: true'),
    problem: 'a subordinate needs',
  },
  {
    name: 'an extra binding named as a relation',
    files: meta('requires: {db: x}\nextra-bindings: {db: }'),
    problem: '"db" is the name of a relation',
  },
  {
    name: 'storage without a type',
    files: meta('storage: {data: {shared: false}}'),
    problem: 'type: has to be filesystem or block',
  },
  {
    name: 'a block device with a location',
    files: meta('storage: {data: {type: block, location: /srv}}'),
    problem: 'location may not be specified',
  },
  {
    name: 'a location of Juju',
    files: meta('storage: {data: {type: filesystem, location: /var/lib/juju/storage/x}}'),
    problem: 'must not fall within',
    jujuTakesIt: true,
  },
  {
    name: 'a range of words',
    files: meta('storage: {data: {type: filesystem, multiple: {range: some}}}'),
    problem: 'does not match N',
  },
  {
    name: 'a storage size of words',
    files: meta('storage: {data: {type: filesystem, minimum-size: big}}'),
    problem: 'minimum-size: expected a number',
  },
  {
    name: 'storage with another property',
    files: meta('storage: {data: {type: filesystem, properties: [fast]}}'),
    problem: 'may list "transient" only',
  },
  {
    name: 'a resource of another type',
    files: meta('resources: {x: {type: disk, filename: x}}'),
    problem: 'unsupported resource type "disk"',
  },
  {
    name: 'a resource without a file name',
    files: meta('resources: {x: {type: file}}'),
    problem: 'filename is missing',
  },
  {
    name: 'a resource in a folder',
    files: meta('resources: {x: {type: file, filename: a/b}}'),
    problem: 'filename cannot contain "/"',
  },
  {
    name: 'an assumption without a version',
    files: meta('assumes: [juju >=]'),
    problem: 'malformed feature expression "juju >="',
  },
  {
    name: 'assumptions that are no list',
    files: meta('assumes: juju'),
    problem: 'assumes: expected a list',
  },
  {
    name: 'another user',
    files: meta('charm-user: nobody'),
    problem: 'charm-user is root, sudoer or non-root',
  },
  {
    name: 'config without options',
    files: config('port: {type: int}\n'),
    problem: 'empty configuration',
  },
  {
    name: 'an option of another type',
    files: config('options: {port: {type: number}}\n'),
    problem: 'option "port" has unknown type "number"',
  },
  {
    name: 'a default of another type',
    files: config('options: {port: {type: int, default: many}}\n'),
    problem: 'option "port" expected "int", got "many"',
  },
  {
    name: 'a default that YAML 1.1 makes a truth',
    files: config('options: {mode: {type: string, default: on}}\n'),
    problem: 'option "mode" expected "string", got true',
  },
  {
    name: 'an action name with an underscore',
    files: actions('go_on: {}\n'),
    problem: 'bad action name "go_on"',
  },
  {
    name: 'a reserved action name',
    files: actions('juju-go: {}\n'),
    problem: 'prefix is reserved',
  },
  {
    name: 'a reference in an action',
    files: actions('go: {params: {x: {$ref: "#/x"}}}\n'),
    problem: 'schema key "$ref" not compatible',
  },
  {
    name: 'a parameter of another type',
    files: actions('go: {params: {x: {type: text}}}\n'),
    problem: 'invalid params schema',
  },
  {
    name: 'an exclusive bound of a later draft',
    files: actions('go: {params: {x: {type: integer, exclusiveMinimum: 1}}}\n'),
    problem: 'exclusiveMinimum is true or false beside minimum',
  },
  {
    name: 'an action that is parallel in words',
    files: actions('go: {parallel: always}\n'),
    problem: 'parallel: expected boolean',
  },
  {
    name: 'no manifest',
    files: { 'manifest.yaml': null },
    problem: 'manifest.yaml: is missing',
    jujuTakesIt: true,
  },
  {
    name: 'a channel that is a number',
    files: manifest('bases: [{name: ubuntu, channel: 24.04}]\n'),
    problem: 'channel 24.04 not valid',
  },
  {
    name: 'another system',
    files: manifest('bases: [{name: plan9, channel: "4"}]\n'),
    problem: 'os "plan9" not valid',
  },
  {
    name: 'another architecture',
    files: manifest('bases: [{name: ubuntu, channel: "24.04", architectures: [vax]}]\n'),
    problem: 'architecture "vax" not valid',
  },
  {
    name: 'a dispatch that cannot be executed',
    files: { dispatch: '#!/bin/sh\n' },
    mode: 0o100644,
    problem: 'dispatch: is not executable',
    jujuTakesIt: true,
  },
  {
    name: 'no dispatch',
    files: { dispatch: null },
    problem: 'dispatch: is missing',
    jujuTakesIt: true,
  },
  {
    name: 'a link out of the charm',
    files: { 'src/link': '../../etc/passwd' },
    mode: LINK,
    problem: 'symlink links out of charm',
  },
  {
    name: 'an absolute link',
    files: { link: '/etc/passwd' },
    mode: LINK,
    problem: 'symlink links out of charm',
  },
  {
    name: 'a revision of words',
    files: { revision: 'latest\n' },
    problem: 'invalid revision file',
  },
  {
    name: 'a program for another architecture',
    files: { 'bin/it': `\u007fELF\u0002\u0001\u0001${'\0'.repeat(11)}\u0015\0${'\0'.repeat(44)}` },
    mode: 0o100755,
    problem: 'is a program for ppc64el, the charm is for amd64',
    jujuTakesIt: true,
  },
  {
    name: 'a program that changes its user',
    files: { 'bin/it': '#!/bin/sh\n' },
    mode: 0o104755,
    problem: 'has the set-user-id',
    jujuTakesIt: true,
  },
];

/** Writes the archive into `folder`; answers its path. */
export async function writeMistake(mistake: CharmMistake, folder: string): Promise<string> {
  const archive = new yazl.ZipFile();
  for (const [name, text] of Object.entries({ ...SOUND, ...mistake.files })) {
    if (text !== null) {
      const usual = name === 'dispatch' ? 0o100755 : 0o100644;
      const mode = name in mistake.files ? (mistake.mode ?? usual) : usual;
      archive.addBuffer(Buffer.from(text, 'latin1'), name, { mode });
    }
  }
  archive.end();
  const path = join(folder, `${mistake.name.replaceAll(/\W+/g, '-')}.charm`);
  await pipeline(archive.outputStream, createWriteStream(path));
  return path;
}
