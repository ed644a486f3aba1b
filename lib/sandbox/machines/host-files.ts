/** What a machine takes over from this host: its file systems, and settings made to fit. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hasErrorCode } from '#system';

// Kinds whose files are on a disk (or are shared with the host on purpose).
const DISKS = /^(?:ext[234]|xfs|btrfs|zfs|f2fs|overlay|bcachefs|fuse\.fuse-overlayfs|virtiofs|9p)$/;
// Machines have their own, or nothing at all.
const OWN =
  /^\/(?:proc|sys|dev|run|tmp|boot|efi|mnt|media|lost\+found|snap|var\/lib\/(?:docker|containerd|lxd|lxcfs|incus))(?:\/|$)/;
const STUB_RESOLVER = '/run/systemd/resolve/resolv.conf';

/**
 * Mount points besides `/` whose files machines see, outermost first. Pure.
 * @param mountinfo as in proc(5)
 * @param root the sandbox's directory; what is mounted below it is its own business
 */
export function mountsOf(mountinfo: string, root: string): readonly string[] {
  const found = mountinfo
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [before = '', after = ''] = line.split(' - ');
      return { place: unescape(before.split(' ')[4] ?? ''), kind: after.split(' ')[0] ?? '' };
    })
    .filter(
      ({ place, kind }) =>
        DISKS.test(kind) &&
        place !== '/' &&
        !OWN.test(place) &&
        !`${place}/`.startsWith(`${root}/`) &&
        // A file bound over another, and names that mount options cannot hold.
        !/^\/etc\/(?:hosts|hostname|resolv\.conf)$/.test(place) &&
        !/[,:\\\n]/.test(place),
    )
    .map(({ place }) => place);
  return [...new Set(found)].toSorted();
}

export function mountsOfHost(root: string): readonly string[] {
  return mountsOf(readFileSync('/proc/self/mountinfo', 'utf8'), root);
}

/** Files of /etc that must not be the host's. */
export function etcFiles(machine: {
  readonly hostname: string;
  readonly address: string;
}): Readonly<Record<string, string>> {
  const { hostname, address } = machine;
  return {
    hostname: `${hostname}\n`,
    hosts: [
      '127.0.0.1 localhost',
      '::1 localhost ip6-localhost ip6-loopback',
      `${address} ${hostname}`,
      '',
    ].join('\n'),
    'machine-id': `${createHash('sha256').update(hostname).digest('hex').slice(0, 32)}\n`,
    'resolv.conf': resolverSettings(),
  };
}

/** The host's name servers; those behind a resolver on its loopback, which machines cannot reach. */
function resolverSettings(): string {
  const own = readOrEmpty('/etc/resolv.conf');
  const behind = readOrEmpty(STUB_RESOLVER);
  return /^nameserver\s+127\./m.test(own) && behind !== '' ? behind : own;
}

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (hasErrorCode(error, 'ENOENT')) {
      return '';
    }
    throw error;
  }
}

/** Spaces and such are octal in mountinfo. */
function unescape(text: string): string {
  return text.replaceAll(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCodePoint(Number.parseInt(digits, 8)),
  );
}
