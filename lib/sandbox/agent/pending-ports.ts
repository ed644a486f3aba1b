/**
 * Ports opened and closed by a hook that has not succeeded yet. What is open on the machine is looked up, and
 * what the hook closes counts as open until it has succeeded, as in Juju:
 * https://github.com/juju/juju/blob/3.6/internal/worker/uniter/runner/context/ports.go
 */
import { ModelError } from '../errors.ts';
import type { PortRange } from '../model/documents.ts';
import { formatPort, portsOverlap, samePort } from '../model/ports.ts';
import type { Reader, Transaction } from '../store/store.ts';

export class PendingPorts {
  readonly #reader: Reader;
  readonly #unit: string;
  #opened: readonly PortRange[] = [];
  #closed: readonly PortRange[] = [];

  constructor(reader: Reader, unit: string) {
    this.#reader = reader;
    this.#unit = unit;
  }

  /** The ranges as this hook sees them. */
  draft(): readonly PortRange[] {
    const open = this.#reader.get('unit', this.#unit)?.ports ?? [];
    return without([...open, ...this.#opened], this.#closed);
  }

  /** @throws ModelError when the range overlaps another that is open on the machine. */
  open(range: PortRange): void {
    this.#closed = without(this.#closed, [range]);
    this.#checkEarlier('open', range, this.#opened);
    this.#checkMachine('open', range);
    this.#opened = this.draft().some((one) => samePort(one, range))
      ? this.#opened
      : [...this.#opened, range];
  }

  /** @throws ModelError when the range overlaps another that is open on the machine. */
  close(range: PortRange): void {
    this.#opened = without(this.#opened, [range]);
    this.#checkEarlier('close', range, this.#closed);
    this.#checkMachine('close', range);
    this.#closed = [...without(this.#closed, [range]), range];
  }

  flush(transaction: Transaction): void {
    if (this.#opened.length + this.#closed.length > 0) {
      transaction.patch('unit', this.#unit, { ports: this.draft() });
      this.#opened = [];
      this.#closed = [];
    }
  }

  #checkEarlier(verb: Verb, range: PortRange, asked: readonly PortRange[]): void {
    const rival = asked.find((one) => portsOverlap(one, range) && !samePort(one, range));
    if (rival !== undefined) {
      this.#refuse(verb, range, { range: rival, unit: this.#unit, remark: ' requested earlier' });
    }
  }

  /** Units on one machine share its ports; what another one has open cannot be opened again. */
  #checkMachine(verb: Verb, range: PortRange): void {
    const machine = this.#reader.get('unit', this.#unit)?.machine;
    for (const { name, ports, machine: place } of this.#reader.all('unit')) {
      const rival = ports.find(
        (one) => portsOverlap(one, range) && (name !== this.#unit || !samePort(one, range)),
      );
      if (place === machine && rival !== undefined) {
        this.#refuse(verb, range, { range: rival, unit: name, remark: '' });
      }
    }
  }

  #refuse(verb: Verb, range: PortRange, rival: Rival): never {
    throw new ModelError(
      `cannot ${verb} ${formatPort(range)} (unit ${JSON.stringify(this.#unit)}): port range conflicts with ${formatPort(rival.range)} (unit ${JSON.stringify(rival.unit)})${rival.remark}`,
    );
  }
}

type Verb = 'open' | 'close';

interface Rival {
  readonly range: PortRange;
  readonly unit: string;
  readonly remark: string;
}

function without(ranges: readonly PortRange[], others: readonly PortRange[]): readonly PortRange[] {
  return ranges.filter((range) => !others.some((other) => samePort(range, other)));
}
