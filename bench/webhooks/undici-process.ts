import { request } from 'undici';

// The yardstick: the same bodies to the same server in a bare loop, without signature, record or retry.

interface Order {
  url: string;
  count: number;
  concurrency: number;
  body: string;
}

async function run({ url, count, concurrency, body }: Order): Promise<void> {
  let next = 0;
  const loop = async () => {
    while (next++ < count) {
      const { body: answer } = await request(url, {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/json' },
      });
      await answer.dump();
    }
  };
  await Promise.all(Array.from({ length: concurrency }, loop));
}

process.on('message', (order: Order) => {
  void run(order).then(() => process.send?.('done'));
});
process.on('SIGTERM', () => process.exit());
process.send?.('ready');
