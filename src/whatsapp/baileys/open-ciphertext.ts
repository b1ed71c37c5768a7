import type { SignalCreds } from '@whiskeysockets/baileys';
import { ProtocolAddress, SessionCipher } from 'whatsapp-rust-bridge';
import { type LoneSession, loneSessions } from '../../lib/signal-session-record.ts';
import { type RatchetState, SignalError, withStorage } from './signal-storage.ts';

export interface Sealed {
  type: 'pkmsg' | 'msg';
  ciphertext: Uint8Array;
}

/**
 * Opens a message of a device. Two people who write first at the same time have two sessions, and may go on to use
 * both; the bridge (as libsignal's JavaScript) spoils the session it tries in vain before it finds the right one, and
 * the next message on it is lost. So each session is tried by itself, and a vain try changes nothing.
 * @throws SignalError when none opens it
 */
export async function openCiphertext(
  creds: SignalCreds,
  state: RatchetState,
  address: string,
  { type, ciphertext }: Sealed,
): Promise<Uint8Array> {
  const open = (tried: RatchetState) =>
    withStorage(creds, tried, async (storage) => {
      using from = ProtocolAddress.from(address);
      using cipher = new SessionCipher(storage, from);
      return await (type === 'pkmsg'
        ? cipher.decryptPreKeyWhisperMessage(ciphertext)
        : cipher.decryptWhisperMessage(ciphertext));
    });
  // The bridge takes the right session by itself: the message names it.
  if (type === 'pkmsg') return open(state);

  const record = await state.load('session', address);
  let failure = new SignalError('no_session');
  for (const session of record === undefined ? [] : loneSessions(record)) {
    try {
      return await open(onlySession(state, session));
    } catch (error) {
      // A message that this very session opened before belongs to no other.
      if (!(error instanceof SignalError) || error.failure === 'duplicate') throw error;
      failure = error;
    }
  }
  throw failure;
}

/** The state as if the device had this session only; what it becomes is stored in front of the others. */
function onlySession(state: RatchetState, { record, rejoin }: LoneSession): RatchetState {
  return {
    load: (kind, id) => (kind === 'session' ? Promise.resolve(record) : state.load(kind, id)),
    store: (kind, id, value) =>
      state.store(kind, id, kind === 'session' && value !== null ? rejoin(value) : value),
  };
}
