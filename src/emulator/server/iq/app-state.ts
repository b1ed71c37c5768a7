import { serverSeconds } from '../../network/emulation.ts';
import { SERVER } from '../../wire/jid.ts';
import { bytesOf, child, children, element, type WireNode } from '../../wire/node.ts';
import { type Session } from '../session.ts';
import type { IqAnswer } from './iq-answer.ts';

/** Answers reads and writes of the account's synchronised settings. */
export function answerAppState(session: Session, iq: WireNode): IqAnswer {
  const collections = children(child(iq, 'sync'), 'collection');
  return [
    element(
      'sync',
      {},
      collections.map((collection) => answerCollection(session, collection)),
    ),
  ];
}

function answerCollection(session: Session, collection: WireNode): WireNode {
  const { appState } = session.phone;
  const name = collection.attrs['name'] ?? '';
  const base = Number(collection.attrs['version'] ?? 0);
  const patch = bytesOf(child(collection, 'patch'));
  if (patch) {
    const version = appState.append(name, base, patch);
    if (version === undefined) {
      return element('collection', { name, type: 'error' }, [
        element('error', { code: 409, text: 'conflict' }),
      ]);
    }
    announce(session, name, version);
    return element('collection', { name, version });
  }
  const patches = appState.since(name, base).map((stored) => element('patch', {}, stored));
  const attributes = { name, version: appState.version(name), has_more_patches: 'false' };
  return element(
    'collection',
    attributes,
    patches.length > 0 ? [element('patches', {}, patches)] : undefined,
  );
}

/** Tells the account's other companions that a collection changed. */
function announce({ emulation, phone, device }: Session, name: string, version: number): void {
  for (const other of phone.devices.values()) {
    if (other === device) continue;
    const attributes = {
      from: SERVER,
      type: 'server_sync',
      id: `sync-${emulation.nextSequence()}`,
      t: serverSeconds(emulation),
    };
    other.deliver(element('notification', attributes, [element('collection', { name, version })]));
  }
}
