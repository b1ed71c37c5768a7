/** Microseconds on a clock that all processes of the machine share. */
export function sharedMicros(): number {
  return Number(process.hrtime.bigint() / 1000n);
}
