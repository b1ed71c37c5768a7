import type { FieldProblem } from '../../lib/errors.ts';
import { createMatcher } from './match-text.ts';
import type { TriggerSettings } from './triggers.model.ts';

/** What is wrong with settings as a whole; what is wrong with a single field the schema has said already. */
export function settingsProblems(settings: TriggerSettings): FieldProblem[] {
  return [...patternProblems(settings), ...replyProblems(settings)];
}

/** Whether two triggers have the same problems, for they are alike in what is looked at. */
export function isSameRule(one: TriggerSettings, other: TriggerSettings): boolean {
  return LOOKED_AT.every((name) => one[name] === other[name]);
}

const LOOKED_AT = [
  'match',
  'pattern',
  'fold_case',
  'fold_accents',
  'reply',
  'reply_url',
  'fallback_reply',
] as const satisfies (keyof TriggerSettings)[];

function patternProblems(settings: TriggerSettings): FieldProblem[] {
  const { match, pattern } = settings;
  if (match === 'any') {
    return pattern === null ? [] : [{ pointer: '/pattern', detail: 'must be null where `match` is `any`' }];
  }
  const matcher = createMatcher(settings);
  return matcher.ok ? [] : [{ pointer: '/pattern', detail: matcher.reason }];
}

function replyProblems({ reply, reply_url, fallback_reply }: TriggerSettings): FieldProblem[] {
  return [
    ...(reply !== null && reply_url !== null
      ? [{ pointer: '/reply', detail: 'must be null where there is a `reply_url`; use `fallback_reply`' }]
      : []),
    ...(fallback_reply !== null && reply_url === null
      ? [{ pointer: '/fallback_reply', detail: 'needs a `reply_url` that it stands in for' }]
      : []),
  ];
}
