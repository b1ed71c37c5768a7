/** A mail that was not taken over. The message holds no address and nothing that the server said. */
export class MailError extends Error {
  override readonly name = 'MailError';
  /** Stable word, such as `timeout` or `refused_550`. */
  readonly word: string;
  /** Whether the server refused this very mail, so that another try is no use. */
  readonly final: boolean;

  constructor(word: string, final: boolean, cause?: unknown) {
    super(`the mail was not sent: ${word}`, { cause: cause instanceof Error ? cause.name : undefined });
    this.word = word;
    this.final = final;
  }
}

const WORDS: Record<string, string> = {
  ECONNECTION: 'connection',
  ESOCKET: 'connection',
  EDNS: 'dns',
  ETIMEDOUT: 'timeout',
  ETLS: 'tls',
  EAUTH: 'credentials',
  ENOAUTH: 'credentials',
  EPROTOCOL: 'protocol',
};

/** Names what nodemailer reported. */
export function toMailError(error: unknown): MailError {
  const { code, status } = factsOf(error);
  const aboutMail = code === 'EENVELOPE' || code === 'EMESSAGE';
  if (aboutMail && status === undefined) return new MailError('invalid', true, error);
  if (aboutMail) return new MailError(`refused_${status}`, (status ?? 0) >= 500, error);
  return new MailError(WORDS[code] ?? 'failed', false, error);
}

/** nodemailer's word, and the status that the server answered with, where it did. */
function factsOf(error: unknown): { code: string; status: number | undefined } {
  if (!(error instanceof Error)) return { code: '', status: undefined };
  return {
    code: 'code' in error && typeof error.code === 'string' ? error.code : '',
    status:
      'responseCode' in error && typeof error.responseCode === 'number' ? error.responseCode : undefined,
  };
}
