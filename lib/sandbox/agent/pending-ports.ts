/** Ports opened and closed by a hook that has not succeeded yet. */
import { ModelError } from '../errors.ts';
import type { PortRange } from '../model/documents.ts';
import { formatPort, portsOverlap, samePort } from '../model/ports.ts';
import type { Reader, Transaction } from '../store/store.ts';

interface PortChange {
  readonly open: boolean;
  readonly range: PortRange;
}

export class PendingPorts {
  readonly #reader: Reader;
  readonly #unit: string;
  readonly #changes: PortChange[] = [];

  constructor(reader: Reader, unit: string) {
    this.#reader = reader;
    this.#unit = unit;
  }

  /** The ranges as this hook sees them. */
  draft(): readonly PortRange[] {
    return this.#changes.reduce(applyChange, this.#reader.get('unit', this.#unit)?.ports ?? []);
  }

  /** @throws ModelError when the range overlaps a different one that is open. */
  open(range: PortRange): void {
    const rival = this.draft().find(
      (other) => portsOverlap(other, range) && !samePort(other, range),
    );
    if (rival !== undefined) {
      const earlier = this.#changes.some(({ range: asked }) => samePort(asked, rival));
      throw new ModelError(
        `cannot open ${formatPort(range)} (unit ${JSON.stringify(this.#unit)}): port range conflicts with ${formatPort(rival)} (unit ${JSON.stringify(this.#unit)})${earlier ? ' requested earlier' : ''}`,
      );
    }
    this.#changes.push({ open: true, range });
  }

  close(range: PortRange): void {
    this.#changes.push({ open: false, range });
  }

  flush(transaction: Transaction): void {
    if (this.#changes.length > 0) {
      transaction.patch('unit', this.#unit, { ports: this.draft() });
      this.#changes.length = 0;
    }
  }
}

function applyChange(
  ports: readonly PortRange[],
  { open, range }: PortChange,
): readonly PortRange[] {
  const others = ports.filter((port) => !samePort(port, range));
  return open ? [...others, range] : others;
}
