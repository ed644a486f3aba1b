/** `juju status --format summary`, to the letter of cmd/juju/status/output_summary.go in Juju 3.6. */
import { isIPv4 } from 'node:net';
import type { FullStatus } from '../../api-status.ts';
import { compareNaturally } from '../../go-output/natural-sort.ts';
import { allUnits } from './all-units.ts';

// Juju begins a new line after so many ports.
const PORTS_A_LINE = 3;

/** Subnets and ports, then how many machines, units and applications are in which state. */
export function formatSummary(view: FullStatus): string {
  const units = allUnits(view);
  const ports = [...new Set(units.flatMap((unit) => unit.ports))].toSorted();
  const head = headLines(subnets(view).join(', '), portLines(ports));
  const body = [
    ...counted(
      '# Machines:',
      view.machines.map(({ agent }) => agent.current),
    ),
    [' '],
    ...counted(
      '# Units:',
      units.map(({ workload }) => workload.current),
    ),
    [' '],
    ['# Applications:', `(${view.applications.length})`],
    ...view.applications
      .toSorted((a, b) => compareNaturally(a.name, b.name))
      .map(({ name, exposed }) => [name, `${exposed ? 1 : 0}/1`, 'exposed']),
    [' '],
    ['# Remote:', `(${view.remoteApplications.length})`],
    ...view.remoteApplications
      .toSorted((a, b) => compareNaturally(a.name, b.name))
      .map(({ name, url }) => [name, '', url]),
  ];
  return head + rightAligned(body);
}

function portLines(ports: readonly string[]): string[][] {
  const lines: string[][] = [];
  for (let at = 0; at < Math.max(1, ports.length); at += PORTS_A_LINE) {
    const shown = ports.slice(at, at + PORTS_A_LINE).join(', ');
    const more = at + PORTS_A_LINE < ports.length ? ', ' : '';
    lines.push([at === 0 ? ' Utilizing ports:' : '', shown + more]);
  }
  return lines;
}

function counted(title: string, states: readonly string[]): string[][] {
  const counts = new Map<string, number>();
  for (const state of states) {
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  return [
    [title, `(${states.length})`],
    ...[...counts]
      .toSorted(([a], [b]) => compareNaturally(a, b))
      .map(([state, count]) => [`${state}:`, ` ${count} `]),
  ];
}

/** Each address with the mask of its class, unless a subnet before has it. */
function subnets(view: FullStatus): readonly string[] {
  const found: { readonly network: string; readonly text: string }[] = [];
  const addresses = [
    ...view.machines.map(({ addresses: [first = ''] }) => first),
    ...allUnits(view).map(({ address = '' }) => address),
  ];
  for (const address of addresses.filter((one) => isIPv4(one))) {
    const bits = classBits(address);
    const network = address
      .split('.')
      .slice(0, bits / 8)
      .join('.');
    if (!found.some((one) => one.network === network)) {
      found.push({ network, text: `${address}/${bits}` });
    }
  }
  return found.map(({ text }) => text);
}

function classBits(address: string): number {
  const first = Number(address.split('.')[0]);
  if (first < 128) {
    return 8;
  }
  return first < 192 ? 16 : 24;
}

const widthOf = (text: string) => text.length + 2;

/** Lines of ports that go on are not padded, and end the column that subnets and ports share. */
function headLines(subnetText: string, ports: readonly (readonly string[])[]): string {
  const title = 'Running on subnets:';
  const first = title.length + 2;
  const last = ports.length - 1;
  const shared = Math.max(widthOf(subnetText), ...ports.map(([, text = '']) => widthOf(text)));
  const width = (text: string) => (last === 0 ? shared : widthOf(text));
  const lines = ports.map(
    ([label = '', text = ''], index) =>
      label.padEnd(first) + (index < last ? text : text.padEnd(width(text))),
  );
  return `${title.padEnd(first)}${subnetText.padEnd(width(subnetText))}\n${lines.join('\n')}\n`;
}

/** As Go's tabwriter does it: the width of a column is that of its run of neighbouring lines. */
function rightAligned(rows: readonly (readonly string[])[]): string {
  const first = widthsOf(rows.map((cells) => cells.slice(0, 1)))[0] ?? 0;
  return rows
    .map((cells, index) => {
      const block = blockAround(rows, index);
      const widths = [first, ...widthsOf(block.map((row) => row.slice(1)))];
      return `${cells.map((cell, at) => cell.padStart(widths[at] ?? 0)).join('')}\n`;
    })
    .join('');
}

const isShort = (cells: readonly string[]) => cells.length < 2;

/** The neighbouring lines that have a second cell. */
function blockAround(
  rows: readonly (readonly string[])[],
  index: number,
): readonly (readonly string[])[] {
  const before = rows.slice(0, index).findLastIndex(isShort);
  const after = rows.slice(index).findIndex(isShort);
  return rows.slice(before + 1, after === -1 ? rows.length : index + after);
}

function widthsOf(rows: readonly (readonly string[])[]): readonly number[] {
  const columns = Math.max(0, ...rows.map((cells) => cells.length));
  return Array.from({ length: columns }, (_, at) =>
    Math.max(...rows.map((cells) => (cells[at] === undefined ? 0 : cells[at].length + 2))),
  );
}
