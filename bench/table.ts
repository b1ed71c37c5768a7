/** One line of the result. */
export interface Row {
  what: string;
  unit: string;
  raw?: number | undefined;
  pingr: number;
}

const HEAD = ['what', 'unit', 'raw Baileys', 'Pingr', 'ratio'];

/** The rows as a Markdown table, aligned for the terminal. */
export function tableOf(rows: readonly Row[]): string {
  const lines = rows.map(({ what, unit, raw, pingr }) => [
    what,
    unit,
    raw === undefined ? '–' : figure(raw),
    figure(pingr),
    raw === undefined || raw <= 0 ? '–' : (pingr / raw).toFixed(2),
  ]);
  const widths = HEAD.map((head, column) =>
    Math.max(...[HEAD, ...lines].map((line) => (line[column] ?? head).length)),
  );
  const show = (cells: string[]) =>
    `| ${cells.map((cell, n) => (n < 2 ? cell.padEnd(widths[n] ?? 0) : cell.padStart(widths[n] ?? 0))).join(' | ')} |`;
  const rule = `| ${widths.map((width, n) => (n < 2 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  return [show(HEAD), rule, ...lines.map(show)].join('\n');
}

/** Three significant digits. */
function figure(value: number): string {
  if (!Number.isFinite(value)) return '–';
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
