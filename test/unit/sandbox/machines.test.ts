import { describe, expect, test } from '@jest/globals';
import { mountsOf } from '../../../lib/sandbox/machines/host-files.ts';
import { choosePrefix } from '../../../lib/sandbox/machines/network.ts';
import { hardwareAddress } from '../../../lib/sandbox/model/machines.ts';

describe('the network of machines', () => {
  test.each([
    ['', '00ff', '10.0.255'],
    ['10.0.255.0/24 dev jj000000 proto kernel\n', '00ff', '10.1.0'],
    ['10.0.255.17 dev tun0\n', '00ff', '10.1.0'],
    ['10.0.0.0/9 dev vpn0\ndefault via 10.0.0.1 dev vpn0\n', '00ff', '10.128.0'],
    ['default via 192.0.2.1 dev eth0\n192.0.2.0/24 dev eth0\n', 'ffff', '10.255.255'],
    ['10.255.255.128/25 dev a\n', 'ffff', '10.0.0'],
  ])('is none that a route leads to: %j', (routes, seed, prefix) => {
    expect(choosePrefix(seed, routes)).toBe(prefix);
  });

  test('hardware addresses differ as addresses do', () => {
    expect(hardwareAddress('10.144.73.2')).toBe('00:16:3e:90:49:02');
    expect(hardwareAddress('10.144.73.254')).toBe('00:16:3e:90:49:fe');
  });
});

describe('the file systems of machines', () => {
  test.each([
    ['the root is not among them', [line('/', 'ext4')], []],
    [
      'disks are, outermost first',
      [line('/srv/a', 'xfs'), line('/srv', 'ext4')],
      ['/srv', '/srv/a'],
    ],
    ['what machines have of their own is not', [line('/tmp', 'ext4'), line('/run/x', 'ext4')], []],
    ['kernel file systems are not', [line('/x', 'proc'), line('/y', 'tmpfs')], []],
    ['what lies in the sandbox is not', [line('/data/box/m', 'ext4')], []],
    ['what the sandbox lies in is', [line('/data', 'ext4')], ['/data']],
    ['names that a mount option cannot hold are not', [line('/a:b', 'ext4')], []],
    ['names are read as they are written there', [line(String.raw`/a\040b`, 'ext4')], ['/a b']],
    ['nothing twice', [line('/srv', 'ext4'), line('/srv', 'ext4')], ['/srv']],
  ])('%s', (_name, lines, expected) => {
    expect(mountsOf(`${lines.join('\n')}\n`, '/data/box')).toEqual(expected);
  });
});

function line(place: string, kind: string): string {
  return `36 35 98:0 / ${place} rw,noatime master:1 - ${kind} /dev/x rw`;
}
