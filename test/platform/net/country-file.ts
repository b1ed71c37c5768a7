/** What a database of countries can hold, as MaxMind's format spells it. */
type Value = string | number | { [name: string]: Value };

const [STRING, UINT32, MAP] = [2, 6, 7];

/** A value in the format's data section: a control byte (type and size), then the bytes. */
function encode(value: Value): Buffer {
  if (typeof value === 'string') {
    const bytes = Buffer.from(value);
    return Buffer.concat([control(STRING, bytes.length), bytes]);
  }
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return Buffer.concat([control(UINT32, 4), bytes]);
  }
  const entries = Object.entries(value);
  return Buffer.concat([
    control(MAP, entries.length),
    ...entries.flatMap(([name, held]) => [encode(name), encode(held)]),
  ]);
}

/** Sizes up to 28 fit into the byte itself; one more byte holds those up to 284. */
function control(type: number, size: number): Buffer {
  return size < 29 ? Buffer.from([(type << 5) | size]) : Buffer.from([(type << 5) | 29, size - 29]);
}

/** A file in MaxMind's format (version 2.0, 24-bit records) that says the same of every address. */
export function countryFile(record: Value): Buffer {
  const [nodeCount, separator] = [1, 16];
  const pointer = Buffer.alloc(3);
  pointer.writeUIntBE(nodeCount + separator, 0, 3);
  return Buffer.concat([
    pointer,
    pointer,
    Buffer.alloc(separator),
    encode(record),
    Buffer.from('\xab\xcd\xefMaxMind.com', 'latin1'),
    encode({
      ...{ binary_format_major_version: 2, binary_format_minor_version: 0, build_epoch: 0 },
      ...{ database_type: 'Test', ip_version: 6, node_count: nodeCount, record_size: 24 },
    }),
  ]);
}
