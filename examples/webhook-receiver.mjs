// Receives Pingr's webhooks, checks their signature, and prints who wrote what.
// Run it with: WEBHOOK_SECRET=whsec_… node examples/webhook-receiver.mjs
import express from 'express';
import { Webhook } from 'standardwebhooks';

const webhook = new Webhook(process.env.WEBHOOK_SECRET);
const app = express();

app.post('/webhooks', express.raw({ type: 'application/json' }), (request, response) => {
  let event;
  try {
    event = webhook.verify(request.body.toString(), request.headers);
  } catch {
    return response.status(401).end();
  }
  if (event.type === 'message.received') {
    console.log(
      `${event.data.from.phone} (${event.data.from.name ?? 'no name'}): ${event.data.text?.body ?? ''}`,
    );
  } else console.log(event.type);
  response.status(204).end();
});

app.listen(process.env.PORT ?? 4000, '127.0.0.1', () => console.log('listening'));
