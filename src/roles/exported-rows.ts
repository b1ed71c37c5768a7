import { exportedAlert } from '../features/abuse/exported-alert.ts';
import { exportedChange } from '../features/audit/exported-change.ts';
import { exportedEvent } from '../features/events/exported-event.ts';
import type { ShowRow } from '../features/privacy/write-export.ts';
import type { Core } from './core.ts';
import { eventSubjects } from './event-subjects.ts';

/** Tables of which an account's export shows more than their columns say, by the slices that they belong to. */
export function exportedRows(parts: Pick<Core, 'database' | 'vault'>): Readonly<Record<string, ShowRow>> {
  return {
    account_alerts: exportedAlert,
    audit_log: exportedChange,
    events: exportedEvent(eventSubjects(parts)),
  };
}
