import { Agent, request } from 'node:http';

/** Where a message is handed in. */
export interface Door {
  url: string;
  headers: Record<string, string>;
  body: (to: string, text: string) => object;
}

const agent = new Agent({ keepAlive: true });

/** One POST over a connection that is kept open. @throws Error for every answer that is not 2xx */
export function postJson(url: string, body: object, headers: Record<string, string> = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const payload = Buffer.from(JSON.stringify(body));
    const post = request(
      url,
      {
        method: 'POST',
        agent,
        headers: { ...headers, 'content-type': 'application/json', 'content-length': payload.length },
      },
      (answer) => {
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (chunk: string) => {
          text += chunk;
        });
        answer.on('error', reject);
        answer.on('end', () => {
          const status = answer.statusCode ?? 0;
          if (status >= 200 && status < 300) resolve(text);
          else reject(new Error(`${url}: ${status} ${text}`));
        });
      },
    );
    post.on('error', reject);
    post.end(payload);
  });
}
