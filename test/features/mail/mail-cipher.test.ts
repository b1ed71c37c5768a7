import { describe, expect, it } from 'vitest';
import { createMailCipher } from '../../../src/features/mail/mail-cipher.ts';

const masterKey = Uint8Array.from({ length: 32 }, (_, i) => i);
const noAccounts = {
  of: () => {
    throw new Error('the mail belongs to no account');
  },
};

describe("the server's own mails", () => {
  const cipher = createMailCipher({ vault: noAccounts, masterKey });
  const mail = { id: '018f3c2e-0000-7000-8000-000000000001', accountId: null };
  const content = { to: 'ada@example.com', subject: 'Hi', text: 'a', html: 'b' };

  it('that an earlier release sealed can be opened', async () => {
    const sealed =
      'AQcHBwcHBwcHBwcHB5csYKAYxYVFlOUux/V/adjfKkYs3q2QtYLs1lpmbOKbRpe1hVB6tuB+WVkUUNKkqw53kLbHj97v1NmfMJsH+djs53TVn3086UlhdTyr';
    await expect(cipher.open(mail, Buffer.from(sealed, 'base64'))).resolves.toEqual(content);
  });

  it('are opened under their own id alone', async () => {
    const sealed = await cipher.seal(mail, content);
    await expect(cipher.open(mail, sealed)).resolves.toEqual(content);
    const other = { ...mail, id: '018f3c2e-0000-7000-8000-000000000002' };
    await expect(cipher.open(other, sealed)).rejects.toThrow();
  });
});
