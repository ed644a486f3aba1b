/**
 * The network of the machines of one sandbox: a bridge of this host, a pair of virtual interfaces a
 * machine, and masquerading, so that machines reach what this host reaches.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProcessError, runProcess } from '#system';
import type { IsolationSettings } from '../model/documents.ts';
import { hardwareAddress } from '../model/machines.ts';
import { machinesDirectory } from './machine-files.ts';

export type Network = IsolationSettings['network'];

// What all sandboxes of this host share: whose forwarding was switched on for their machines.
const SHARED = '/run/juju-sandbox';
const BRIDGE = /^jj[0-9a-f]{6}$/;
const ANYWHERE = 0x0a_00_00_00;

/** The address of the host in the network, and the way out for its machines. */
function gatewayOf({ prefix }: Pick<Network, 'prefix'>): string {
  return `${prefix}.1`;
}

/**
 * A /24 of 10.0.0.0/8 that no route leads to yet. Pure.
 * @param seed hexadecimal digits, so that sandboxes begin to look at different places
 * @param routes as `ip -4 route show table all` prints them
 * @returns the first three numbers
 */
export function choosePrefix(seed: string, routes: string): string {
  const taken = [...routes.matchAll(/\b(10(?:\.\d+){3})(?:\/(\d+))?/g)].map(
    ([, address = '', length = '32']) => ({
      address: toNumber(address),
      length: Math.min(24, Number(length)),
    }),
  );
  const first = Number.parseInt(seed.slice(0, 4), 16);
  for (let step = 0; step < 0x1_00_00; step += 1) {
    const number = (first + step) % 0x1_00_00;
    const candidate = ANYWHERE + number * 256;
    const overlaps = taken.some(
      ({ address, length }) =>
        Math.floor(address / 2 ** (32 - length)) === Math.floor(candidate / 2 ** (32 - length)),
    );
    if (!overlaps) {
      return `10.${Math.floor(number / 256)}.${number % 256}`;
    }
  }
  return '10.0.0';
}

function toNumber(address: string): number {
  return address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
}

/** A network for a new sandbox; nothing is made yet. */
export async function planNetwork(short: string): Promise<Network> {
  const { stdout } = await runProcess('ip', ['-4', 'route', 'show', 'table', 'all']);
  const uplink = /^default\b.*?\bdev (\S+)/m.exec(stdout)?.[1];
  return {
    bridge: `jj${short}`,
    prefix: choosePrefix(short, stdout),
    ...(uplink === undefined ? {} : { uplink }),
  };
}

/**
 * Makes the network where it does not exist (any more).
 * @returns why machines cannot reach the outside, if they cannot
 */
export async function ensureNetwork(root: string, network: Network): Promise<string | undefined> {
  // Noted first: what is made can be taken away again whatever happens in between.
  writeFileSync(notePath(root), JSON.stringify(network), { mode: 0o600 });
  if (!interfaces().includes(network.bridge)) {
    await ip([
      `link add name ${network.bridge} type bridge`,
      `addr add ${gatewayOf(network)}/24 dev ${network.bridge}`,
      `link set dev ${network.bridge} up`,
    ]);
  }
  return await openWayOut(network);
}

/** Connects the machine whose first process is `init`. */
export async function attachMachine(
  { bridge, prefix }: Network,
  machine: { readonly id: string; readonly init: number; readonly address: string },
): Promise<void> {
  const own = `${bridge}-${machine.id}`;
  const hardware = hardwareAddress(machine.address);
  await ip([
    `link add name ${own} type veth peer name eth0 address ${hardware} netns ${machine.init}`,
    `link set dev ${own} master ${bridge} up`,
  ]);
  await ip(
    [
      'link set dev lo up',
      `addr add ${machine.address}/24 dev eth0`,
      'link set dev eth0 up',
      `route add default via ${prefix}.1`,
    ],
    machine.init,
  );
}

/** Takes away everything `ensureNetwork` made for the sandbox, if anything. */
export async function removeNetwork(root: string): Promise<void> {
  const network = readNote(root);
  if (network === undefined) {
    return;
  }
  await quietly('nft', ['delete', 'table', 'ip', tableOf(network)]);
  if (interfaces().includes(network.bridge)) {
    await runProcess('ip', ['link', 'delete', 'dev', network.bridge]);
  }
  if (!interfaces().some((name) => BRIDGE.test(name))) {
    restoreForwarding();
  }
  rmSync(notePath(root), { force: true });
}

async function openWayOut(network: Network): Promise<string | undefined> {
  const { uplink, bridge, prefix } = network;
  if (uplink === undefined) {
    return 'this host has no way to the outside itself';
  }
  const rules = [
    `table ip ${tableOf(network)}`,
    `delete table ip ${tableOf(network)}`,
    `table ip ${tableOf(network)} {`,
    'chain outgoing {',
    'type nat hook postrouting priority 100;',
    `ip saddr ${prefix}.0/24 oifname != "${bridge}" masquerade`,
    '}',
    '}',
    '',
  ].join('\n');
  try {
    await runProcess('nft', ['-f', '-'], { stdin: rules });
  } catch (error) {
    return error instanceof ProcessError && error.exitCode === undefined
      ? 'the command nft is missing (package nftables)'
      : `nft refused to translate addresses: ${error instanceof ProcessError ? error.stderr.trim() : String(error)}`;
  }
  forward(bridge);
  forward(uplink);
  return undefined;
}

/** Lets packets that come in by `name` go on to elsewhere; remembers what was so before. */
function forward(name: string): void {
  const setting = forwardingPath(name);
  if (readFileSync(setting, 'utf8').trim() === '1') {
    return;
  }
  if (!BRIDGE.test(name)) {
    mkdirSync(SHARED, { recursive: true, mode: 0o755 });
    writeFileSync(join(SHARED, name), '');
  }
  writeFileSync(setting, '1');
}

function restoreForwarding(): void {
  let changed: readonly string[];
  try {
    changed = readdirSync(SHARED);
  } catch {
    return;
  }
  for (const name of changed.filter((each) => interfaces().includes(each))) {
    writeFileSync(forwardingPath(name), '0');
  }
  rmSync(SHARED, { recursive: true, force: true });
}

function forwardingPath(name: string): string {
  return `/proc/sys/net/ipv4/conf/${name}/forwarding`;
}

function interfaces(): readonly string[] {
  return readdirSync('/sys/class/net');
}

function tableOf({ bridge }: Network): string {
  return `juju_${bridge.slice(2)}`;
}

async function ip(commands: readonly string[], machine?: number): Promise<void> {
  const stdin = `${commands.join('\n')}\n`;
  await (machine === undefined
    ? runProcess('ip', ['-batch', '-'], { stdin })
    : runProcess('nsenter', ['--target', String(machine), '--net', 'ip', '-batch', '-'], {
        stdin,
      }));
}

async function quietly(command: string, args: readonly string[]): Promise<void> {
  try {
    await runProcess(command, args);
  } catch {
    // It was never made, or the tool that made it is gone.
  }
}

function notePath(root: string): string {
  return join(machinesDirectory(root), 'network.json');
}

function readNote(root: string): Network | undefined {
  try {
    return JSON.parse(readFileSync(notePath(root), 'utf8')) as Network;
  } catch {
    return undefined;
  }
}
