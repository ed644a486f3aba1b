/**
 * Tables as Juju prints them: columns padded by two spaces, the last cell of a row not padded at all,
 * everything before it padded even when nothing follows (Go's tabwriter with tab-separated cells).
 */

export interface Column {
  readonly title: string;
  readonly align?: 'right';
}

/** A text, or one in a colour of the terminal. */
export type Cell = string | PaintedText;

export interface PaintedText {
  readonly text: string;
  readonly colour: Colour;
}

export type Colour = 'red' | 'green' | 'yellow' | 'cyan';

const CODES: Readonly<Record<Colour, number>> = { red: 31, green: 32, yellow: 33, cyan: 36 };

/** Header and rows, each line with its newline. Rows shorter than the header end early. */
export function formatTable(
  columns: readonly (string | Column)[],
  rows: readonly (readonly Cell[])[],
): string {
  const settled = columns.map((column) =>
    typeof column === 'string' ? { title: column } : column,
  );
  const lines = [settled.map(({ title }) => title), ...rows];
  const widths = settled.map((_, index) =>
    Math.max(...lines.map((cells) => width(textOf(cells[index] ?? '')))),
  );
  return lines.map((cells) => formatLine(cells, settled, widths)).join('');
}

function formatLine(
  cells: readonly Cell[],
  columns: readonly Column[],
  widths: readonly number[],
): string {
  const last = cells.length - 1;
  const padded = cells.map((cell, index) => {
    const missing = ' '.repeat((widths[index] ?? 0) - width(textOf(cell)));
    const shown = painted(cell);
    if (columns[index]?.align === 'right') {
      return `${missing}${shown}${index === last ? '' : '  '}`;
    }
    return index === last ? shown : `${shown}${missing}  `;
  });
  return `${padded.join('')}\n`;
}

function textOf(cell: Cell): string {
  return typeof cell === 'string' ? cell : cell.text;
}

function painted(cell: Cell): string {
  return typeof cell === 'string' || cell.text === ''
    ? textOf(cell)
    : `\u001B[${CODES[cell.colour]}m${cell.text}\u001B[0m`;
}

function width(text: string): number {
  return Array.from(text).length;
}
