/**
 * A WebSocket that is always closed. Supabase's client wants a class of them even where nothing listens to changes:
 * without one it does not start on Node 20, which brings none.
 */
export class NoSocket extends EventTarget {
  readonly CONNECTING = 0;
  readonly OPEN = 1;
  readonly CLOSING = 2;
  readonly CLOSED = 3;
  readonly readyState = 3;
  readonly protocol = '';
  readonly url: string;
  onopen = null;
  onmessage = null;
  onclose = null;
  onerror = null;

  constructor(address: string | URL) {
    super();
    this.url = String(address);
  }

  close(): void {}

  send(): void {
    throw new Error('this client has no realtime connection');
  }
}
