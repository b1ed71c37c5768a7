import { child, type WireNode } from '../../wire/node.ts';
import type { Session } from '../session.ts';
import { unlink } from '../unlink.ts';
import type { IqAnswer } from './iq-answer.ts';

/** Answers what a companion asks about itself: that it be removed. */
export function answerCompanion(session: Session, iq: WireNode): IqAnswer {
  if (!child(iq, 'remove-companion-device')) return undefined;
  const { connection } = session;
  unlink(session, session);
  // The result leaves first; then there is nothing left to talk about.
  setImmediate(() => connection.end());
  return [];
}
