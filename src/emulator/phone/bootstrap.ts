import { createHash, hkdfSync } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { proto } from '@whiskeysockets/baileys/WAProto/index.js';
import { deliverMessage } from '../network/deliver-message.ts';
import type { Device } from '../network/device.ts';
import { serverSeconds } from '../network/emulation.ts';
import { jidOf } from '../network/identity.ts';
import type { Phone } from '../network/phone.ts';
import { element } from '../wire/node.ts';
import { serialize } from './content.ts';
import { newMessageId, type PhoneContext } from './phone-context.ts';
import { encryptFor } from './send.ts';

/**
 * Sends a new companion what it waits for after its first login: the key of the account's settings and an (empty)
 * history. Until the history is there, clients hold back every event for up to 20 seconds.
 */
export async function bootstrapCompanion(context: PhoneContext, device: Device): Promise<void> {
  device.record.bootstrapped = true;
  device.save();
  await context.lane.run(async () => {
    await sendToCompanion(context, device, appStateKeyShare(context.phone));
    await sendToCompanion(context, device, historyNotification());
  });
}

async function sendToCompanion(
  context: PhoneContext,
  device: Device,
  protocolMessage: proto.Message.IProtocolMessage,
): Promise<void> {
  const { emulation, phone, peerMessages } = context;
  const id = newMessageId();
  const plaintext = serialize({ protocolMessage });
  peerMessages.set(id, plaintext);
  const attributes = {
    from: jidOf(phone.identity),
    id,
    t: serverSeconds(emulation),
    type: 'text',
    category: 'peer',
    notify: phone.record.name,
  };
  const enc = await encryptFor(context, device, plaintext);
  deliverMessage(emulation, device, element('message', attributes, [enc]));
}

/** The one key that all of the account's settings are encrypted with; it derives from the phone's identity. */
function appStateKeyShare(phone: Phone): proto.Message.IProtocolMessage {
  const secret = phone.keys.identity.privateKey;
  const keyData = Buffer.from(hkdfSync('sha256', secret, Buffer.alloc(0), 'app state key', 32));
  const keyId = createHash('sha256').update(keyData).digest().subarray(0, 6);
  const fingerprint = { rawId: phone.keys.registrationId, currentIndex: 0, deviceIndexes: [0] };
  const key = { keyId: { keyId }, keyData: { keyData, fingerprint, timestamp: 0 } };
  return {
    type: proto.Message.ProtocolMessage.Type.APP_STATE_SYNC_KEY_SHARE,
    appStateSyncKeyShare: { keys: [key] },
  };
}

function historyNotification(): proto.Message.IProtocolMessage {
  const history = proto.HistorySync.encode({
    syncType: proto.HistorySync.HistorySyncType.INITIAL_BOOTSTRAP,
    chunkOrder: 1,
    progress: 100,
  }).finish();
  return {
    type: proto.Message.ProtocolMessage.Type.HISTORY_SYNC_NOTIFICATION,
    historySyncNotification: {
      syncType: proto.Message.HistorySyncType.INITIAL_BOOTSTRAP,
      chunkOrder: 1,
      progress: 100,
      initialHistBootstrapInlinePayload: deflateSync(history),
    },
  };
}
