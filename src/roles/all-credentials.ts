import { stat } from 'node:fs/promises';
import path from 'node:path';
import { writePrivate } from './all-secrets.ts';

/** What the first start hands to its person. */
export interface Credentials {
  accountId: string;
  testKey: string;
  liveKey: string;
}

/** Makes the first account, or returns `undefined` where the database has one. */
export type Bootstrap = (services: {
  databaseUrl: string;
  masterKey: Buffer;
  apiKeyPepper: Buffer;
  /** Address of the owner. */
  ownerEmail?: string | undefined;
}) => Promise<Credentials | undefined>;

const FILE = 'credentials.json';

/** Whether an earlier start has written the credentials. */
export async function hasCredentials(dataDir: string): Promise<boolean> {
  return stat(path.join(dataDir, FILE)).then(
    () => true,
    () => false,
  );
}

/** Writes `credentials.json`, readable for the current user alone. @returns its path */
export async function writeCredentials(
  dataDir: string,
  apiUrl: string,
  { accountId, testKey, liveKey }: Credentials,
): Promise<string> {
  const file = path.join(dataDir, FILE);
  await writePrivate(file, { api_url: apiUrl, account_id: accountId, test_key: testKey, live_key: liveKey });
  return file;
}

/** What a newcomer reads after the first start. */
export function firstSteps(
  apiUrl: string,
  file: string,
  { testKey, liveKey }: Credentials,
  { showsMails, sellsForNothing }: { showsMails: boolean; sellsForNothing: boolean },
): string {
  const mails = showsMails ? `; mails are shown here and at ${apiUrl}/mailbox` : '';
  const trial = sellsForNothing
    ? `\nLive mode is on a trial of seven days, to be paid at ${apiUrl}/billing with money that is not real.\nWith BASE_PLAN=unlimited it is free.\n`
    : '';
  const json = "-H 'content-type: application/json'";
  return `
An account was made. Its keys are shown this once; ${file} keeps them, readable by you alone.

  test key  ${testKey}   (virtual phones, nothing leaves this machine)
  live key  ${liveKey}   (WhatsApp itself)

Try in another terminal:

  export PINGR_KEY=${testKey}

  # link a number: a virtual phone scans the code at once
  curl -s ${apiUrl}/v1/sessions -H "X-API-Key: $PINGR_KEY" ${json} \\
    -d '{ "name": "demo", "auto_pair": true }'

  # send a message
  curl -s ${apiUrl}/v1/messages -H "X-API-Key: $PINGR_KEY" ${json} \\
    -d '{ "to": "+919876543210", "type": "text", "text": { "body": "Hello from Pingr" } }'

  # look into the inbox of the phone that got it
  curl -s ${apiUrl}/v1/sandbox/phones/919876543210/messages -H "X-API-Key: $PINGR_KEY"

People sign in at ${apiUrl}/sign-in${mails}.
${trial}`;
}
