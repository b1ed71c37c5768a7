import { Inbox } from '../../src/emulator/network/inbox.ts';
import { startEmulator } from '../../src/emulator/start.ts';
import { sharedMicros } from '../machine/time.ts';

// The emulator as it ships, keeping nothing on disk, with a witness: when a phone has decrypted a message and put it
// in its inbox, the parent hears the time and the text.
const add = Inbox.prototype.add;
Inbox.prototype.add = function addAndTell(message) {
  const entry = add.call(this, message);
  if (message.direction === 'in') process.send?.(`${sharedMicros()} ${message.text}`);
  return entry;
};

process.once('disconnect', () => process.exit());
const emulator = await startEmulator({
  host: '127.0.0.1',
  port: 0,
  controlPort: 0,
  controlToken: process.env['CONTROL_TOKEN'] ?? '',
});
const rootKey = Buffer.from(emulator.rootPublicKey).toString('hex');
process.send?.(`${emulator.wsUrl} ${emulator.controlUrl} ${rootKey}`);
process.once('SIGTERM', () => void emulator.close().then(() => process.exit()));
