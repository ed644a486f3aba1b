/** Juju's rules for the entries of a .charm archive, and what a machine needs to run them. */
import { dirname, isAbsolute, normalize } from 'node:path/posix';
import { quote, type Report } from './document.ts';
import { type ArchiveEntry, typeOf } from './read-archive.ts';

// e_machine of the ELF header: https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html
const ELF_MACHINES: Readonly<Record<number, string>> = {
  0x3e: 'amd64',
  0xb7: 'arm64',
  0x15: 'ppc64el',
  0x16: 's390x',
  0xf3: 'riscv64',
};
const ELF_MAGIC = Buffer.from([0x7f, 0x45, 0x4c, 0x46]);
const SPECIAL_BITS = 0o7000;

/** Reports what Juju would refuse to unpack, or could not run once it is unpacked. */
export function checkEntries(
  entries: readonly ArchiveEntry[],
  architectures: readonly string[],
  report: Report,
): void {
  const seen = new Set<string>();
  for (const entry of entries) {
    if (seen.has(entry.name)) {
      report(`${entry.name}: is twice in the archive`);
    }
    seen.add(entry.name);
    checkEntry(entry, architectures, report);
  }
  checkEntryPoint(entries, report);
  const revision = entries.find(({ name }) => name === 'revision')?.text;
  if (revision !== undefined && !/^\s*\d+\s*$/.test(revision)) {
    report('revision: invalid revision file');
  }
}

function checkEntry(entry: ArchiveEntry, architectures: readonly string[], report: Report): void {
  const type = typeOf(entry);
  if (type === 'other') {
    report(`${entry.name}: is neither a file, nor a directory, nor a symbolic link`);
  }
  if (type === 'symlink') {
    checkLink(entry.name, entry.text ?? '', report);
  }
  if (type === 'file' && (entry.mode & SPECIAL_BITS) !== 0) {
    report(`${entry.name}: has the set-user-id, set-group-id or sticky bit`);
  }
  const machine = elfMachine(entry.head);
  const misfits = architectures.filter((one) => machine !== undefined && one !== machine);
  if (misfits.length > 0) {
    report(`${entry.name}: is a program for ${machine}, the charm is for ${misfits.join(', ')}`);
  }
}

function checkLink(name: string, target: string, report: Report): void {
  const end = normalize(`${dirname(name)}/${target}`);
  if (isAbsolute(target) || end === '..' || end.startsWith('../')) {
    report(`${name}: symlink links out of charm: ${quote(target)}`);
  }
}

function checkEntryPoint(entries: readonly ArchiveEntry[], report: Report): void {
  const dispatch = entries.find(({ name }) => name === 'dispatch');
  if (dispatch !== undefined && typeOf(dispatch) === 'file' && (dispatch.mode & 0o100) === 0) {
    report('dispatch: is not executable, and Juju does not make it so');
  }
  if (dispatch === undefined && !entries.some(({ name }) => name.startsWith('hooks/'))) {
    report('dispatch: is missing, and so are hooks: nothing would ever run');
  }
}

/** Debian's name of the architecture an ELF program is for; undefined for anything else. */
export function elfMachine(head: Buffer): string | undefined {
  if (head.length < 20 || !head.subarray(0, 4).equals(ELF_MAGIC)) {
    return undefined;
  }
  // EI_DATA: 1 is little-endian, 2 is big-endian.
  const machine = head[5] === 2 ? head.readUInt16BE(18) : head.readUInt16LE(18);
  return ELF_MACHINES[machine] ?? `machine ${machine}`;
}
