// Loaded before the program with `--expose-gc --import`: collects garbage on SIGUSR2, so that the memory of processes
// is compared without what merely waits to be collected.
process.on('SIGUSR2', () => {
  globalThis.gc?.();
  globalThis.gc?.();
});
