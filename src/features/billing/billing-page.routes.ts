import type { FastifyInstance } from 'fastify';

const PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Billing</title>
<style>:root{color-scheme:light dark;font-family:system-ui,sans-serif;line-height:1.5}body{max-width:36rem;margin:4rem auto;padding:0 1rem}</style></head>
<body><h1>Billing</h1>
<p>If you have just paid: thank you. The plan becomes active as soon as the payment provider confirms the payment, usually within seconds, and a receipt is on its way by mail.</p>
<p><code>GET /v1/billing/subscription</code> shows the plan and what is used of it; <code>GET /v1/plans</code> lists the plans, and <code>POST /v1/billing/checkout</code> starts one.</p>
</body></html>
`;

/** Serves `/billing`: where people come back to from paying, and where mails about plans lead. */
export function serveBillingPage(app: FastifyInstance): void {
  app.get('/billing', { schema: { hide: true } }, async (_request, reply) =>
    reply
      .header(
        'content-security-policy',
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
      )
      .type('text/html; charset=utf-8')
      .send(PAGE),
  );
}
