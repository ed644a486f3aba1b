/** Ports a unit declares as reachable; `juju expose` opens them to the world. */
import { closePort, openedPorts, openPort } from '../hook-tools/index.ts';
import type { Session } from './session.ts';

/** One port, a range of ports (`to` included), or ICMP. */
export type Port =
  | { readonly protocol: 'tcp' | 'udp'; readonly port: number; readonly to?: number }
  | { readonly protocol: 'icmp' };

/** A number stands for that TCP port. */
export type PortLike = Port | number;

export class Ports {
  readonly #session: Session;
  #opened: Set<string> | undefined;

  constructor(session: Session) {
    this.#session = session;
  }

  list(): readonly Port[] {
    return [...this.#read()].map(parsePort);
  }

  open(port: PortLike): void {
    openPort(this.#session.tools, formatPort(port));
    this.#opened?.add(formatPort(port));
  }

  close(port: PortLike): void {
    closePort(this.#session.tools, formatPort(port));
    this.#opened?.delete(formatPort(port));
  }

  /** Makes the opened ports exactly these. */
  setAll(ports: readonly PortLike[]): void {
    const wanted = new Set(ports.map(formatPort));
    const opened = this.#read();
    // Close first: a range that overlaps an opened one is a conflict.
    for (const port of [...opened].filter((candidate) => !wanted.has(candidate))) {
      this.close(parsePort(port));
    }
    for (const port of [...wanted].filter((candidate) => !opened.has(candidate))) {
      this.open(parsePort(port));
    }
  }

  #read(): Set<string> {
    this.#opened ??= new Set(openedPorts(this.#session.tools));
    return this.#opened;
  }
}

/** As Juju writes it: `80/tcp`, `8080-8088/udp`, `icmp`. */
function formatPort(port: PortLike): string {
  if (typeof port === 'number') {
    return `${port}/tcp`;
  }
  if (port.protocol === 'icmp') {
    return 'icmp';
  }
  const range = port.to === undefined || port.to === port.port ? '' : `-${port.to}`;
  return `${port.port}${range}/${port.protocol}`;
}

function parsePort(text: string): Port {
  const [range = '', protocol] = text.split('/');
  const [from = '', to] = range.split('-');
  if (range === 'icmp') {
    return { protocol: 'icmp' };
  }
  return {
    protocol: protocol === 'udp' ? 'udp' : 'tcp',
    port: Number(from),
    ...(to === undefined ? {} : { to: Number(to) }),
  };
}
