import type { MessageStatus } from '../../../src/features/messages/messages.model.ts';

const RANK: Record<MessageStatus, number> = {
  queued: 0,
  sending: 1,
  sent: 2,
  delivered: 3,
  read: 4,
  played: 5,
  failed: 9,
  received: 9,
};

/**
 * The status after news arrives, in whatever order news comes: forward only, and a failure counts only while nothing
 * was delivered. What the database does (`app.message_rank`) is held against it.
 */
export function nextStatus(current: MessageStatus, news: MessageStatus): MessageStatus {
  if (news === 'failed') return RANK[current] <= RANK.sent ? 'failed' : current;
  return RANK[news] > RANK[current] ? news : current;
}
