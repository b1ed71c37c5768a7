import { declaredErrors } from '../lib/errors.ts';
import { declaredOutcomes } from '../lib/outcomes.ts';
import './api-routes.ts';
import './api-parts.ts';

/** The reference of problems that the API answers with, made from their definitions. */
export function errorDocs(): string {
  const sections = declaredErrors().map(
    ({ code, status, title, remedy }) => `### \`${code}\`\n\n${status}. ${title}.\n\n${remedy}\n`,
  );
  return `# Errors

Made from the code by \`npm run docs\`; do not edit.

Every error is a problem document (RFC 9457): \`type\`, \`title\`, \`status\`, a stable \`code\`, a \`detail\` about this
occurrence, \`request_id\`, and \`errors\` with a JSON pointer for each field that is wrong. Branch on \`code\`.

${sections.join('\n')}
## Codes in objects

These answer no request: they tell what became of a message or a session later on. \`GET /errors/{code}\` has them, too.

${outcomeTables()}`;
}

function outcomeTables(): string {
  const outcomes = declaredOutcomes();
  const tables = [...new Set(outcomes.map(({ field }) => field))].map((field) => {
    const rows = outcomes
      .filter((outcome) => outcome.field === field)
      .map(({ code, meaning }) => `| \`${code}\` | ${meaning} |`);
    return `### ${field}\n\n| code | meaning |\n| --- | --- |\n${rows.join('\n')}\n`;
  });
  return tables.join('\n');
}
