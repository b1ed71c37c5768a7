import { Readable } from 'node:stream';
import Papa from 'papaparse';
import { z } from 'zod';
import { dispositionOf } from './content-disposition.ts';

export const EXPORT_FORMATS = ['csv', 'jsonl'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

const MEDIA = { csv: 'text/csv', jsonl: 'application/x-ndjson' } as const;

/** Query parameter `format` of an export; spread into the route's query schema. */
export const exportQuery = {
  format: z.enum(EXPORT_FORMATS).default('csv').meta({
    description: '`csv` with a header line (RFC 4180), or `jsonl`: one JSON object a line.',
    example: 'csv',
  }),
};

/** What the reference says of an export's answer. */
export const exportAnswer = (description: string) => ({
  description,
  media: {
    [MEDIA.csv]: z.string().meta({ description: 'A header line and one line a row.' }),
    [MEDIA.jsonl]: z.string().meta({ description: 'One JSON object a line.' }),
  },
  headers: { 'content-disposition': 'Name for the file.' },
});

type Cell = string | number | boolean | null;

export interface Export<Column extends string> {
  format: ExportFormat;
  /** Name of the file, without its ending. */
  name: string;
  columns: readonly Column[];
  /** Read one after the other, as fast as the caller takes them. */
  pages: AsyncIterable<readonly Record<Column, Cell>[]>;
}

/** A reply that streams rows. In CSV, cells that a spreadsheet would run as a formula get an apostrophe before them. */
export function exportReply<Column extends string>({ format, name, columns, pages }: Export<Column>) {
  const text = format === 'csv' ? csvOf(columns, pages) : jsonLinesOf(pages);
  return {
    status: 200 as const,
    media: MEDIA[format],
    bytes: Readable.from(text, { objectMode: false }),
    headers: { 'content-disposition': dispositionOf(`${name}.${format}`) },
  };
}

async function* csvOf<Column extends string>(
  columns: readonly Column[],
  pages: Export<Column>['pages'],
): AsyncGenerator<string> {
  yield `${Papa.unparse([[...columns]])}\r\n`;
  for await (const page of pages) {
    if (page.length === 0) continue;
    const cells = page.map((row) => columns.map((column) => row[column]));
    yield `${Papa.unparse(cells, { escapeFormulae: true })}\r\n`;
  }
}

async function* jsonLinesOf(pages: AsyncIterable<readonly object[]>): AsyncGenerator<string> {
  for await (const page of pages) {
    if (page.length > 0) yield page.map((row) => `${JSON.stringify(row)}\n`).join('');
  }
}
