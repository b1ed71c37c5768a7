/** What happened since the start, for `GET /v1/stats`. */
export class Counters {
  /** Messages that companions sent and the server accepted. */
  messagesIn = 0;
  /** Messages that phones sent to companions, one a device. */
  messagesOut = 0;
  /** Messages from others that reached a phone again under an id it had. */
  duplicates = 0;
  /** Message stanzas without any ciphertext. */
  emptyMessages = 0;
  /** Messages that the server refused. */
  nacks = 0;
  /** Ciphertexts that a phone could not open. */
  undecryptable = 0;
  receiptsIn = 0;
  unknownIqs = 0;
  logins = 0;
  pairings = 0;
}
