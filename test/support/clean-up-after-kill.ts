import { spawn } from 'node:child_process';

/**
 * Ends a server and removes its directory when this process is killed without a chance to do so itself: a shell
 * waits for our end of its input to close.
 * @param pidFile first line holds the pid of the server to end
 */
export function cleanUpAfterKill(pidFile: string, directory: string): void {
  const script = 'cat >/dev/null; kill -INT "$(head -n 1 "$1")"; sleep 2; rm -rf "$2"';
  const child = spawn('/bin/sh', ['-c', script, 'sh', pidFile, directory], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.unref();
}
