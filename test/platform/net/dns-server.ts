import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import ipaddr from 'ipaddr.js';
import { onTestFinished } from 'vitest';

const TYPES = { 1: 'A', 28: 'AAAA' } as const;
const CODES = { NXDOMAIN: 3, SERVFAIL: 2 } as const;

/** What a name server says about a name: addresses, an error, or nothing at all. */
export type Answer = readonly string[] | keyof typeof CODES | 'silence';

/** A name server on 127.0.0.1 (RFC 1035, as much as a test needs). @returns `address:port` and the questions so far */
export async function dnsServer(answer: (name: string, type: 'A' | 'AAAA') => Answer) {
  const questions: string[] = [];
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    const { name, type, question } = readQuestion(query);
    questions.push(`${type} ${name}`);
    const said = answer(name, type);
    if (said === 'silence') return;
    const addresses = typeof said === 'string' ? [] : said;
    const head = Buffer.alloc(12);
    query.copy(head, 0, 0, 2);
    head.writeUInt16BE(0x8180 | (typeof said === 'string' ? CODES[said] : 0), 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(addresses.length, 6);
    socket.send(Buffer.concat([head, question, ...addresses.map(record)]), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  onTestFinished(() => void socket.close());
  return { servers: [`127.0.0.1:${socket.address().port}`], questions };
}

function readQuestion(query: Buffer) {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const type: 'A' | 'AAAA' = query.readUInt16BE(at + 1) === 28 ? TYPES[28] : TYPES[1];
  return { name: labels.join('.'), type, question: query.subarray(12, at + 5) };
}

/** An answer about the name of the question (a pointer to byte 12), for a minute. */
function record(address: string): Buffer {
  const bytes = Buffer.from(ipaddr.parse(address).toByteArray());
  const head = Buffer.from([0xc0, 12, 0, bytes.length === 4 ? 1 : 28, 0, 1, 0, 0, 0, 60, 0, bytes.length]);
  return Buffer.concat([head, bytes]);
}
