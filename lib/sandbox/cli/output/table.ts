/**
 * Tables as Juju prints them: columns padded by two spaces, the last cell of a row not padded at all,
 * everything before it padded even when nothing follows (Go's tabwriter with tab-separated cells).
 */

export interface Column {
  readonly title: string;
  readonly align?: 'right';
}

/** Header and rows, each line with its newline. Rows shorter than the header end early. */
export function formatTable(
  columns: readonly (string | Column)[],
  rows: readonly (readonly string[])[],
): string {
  const settled = columns.map((column) =>
    typeof column === 'string' ? { title: column } : column,
  );
  const lines = [settled.map(({ title }) => title), ...rows];
  const widths = settled.map((_, index) =>
    Math.max(...lines.map((cells) => width(cells[index] ?? ''))),
  );
  return lines.map((cells) => formatLine(cells, settled, widths)).join('');
}

function formatLine(
  cells: readonly string[],
  columns: readonly Column[],
  widths: readonly number[],
): string {
  const last = cells.length - 1;
  const padded = cells.map((cell, index) => {
    const missing = ' '.repeat((widths[index] ?? 0) - width(cell));
    if (columns[index]?.align === 'right') {
      return `${missing}${cell}${index === last ? '' : '  '}`;
    }
    return index === last ? cell : `${cell}${missing}  `;
  });
  return `${padded.join('')}\n`;
}

function width(text: string): number {
  return Array.from(text).length;
}
