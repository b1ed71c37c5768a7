import { sourceHash } from '../../platform/http/source-hash.ts';
import { BILLING_SCRIPT } from './billing-page-script.ts';

const STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { max-width: 46rem; margin: 3rem auto; padding: 0 1rem }
button, select { font: inherit; padding: .35em .7em }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; padding: .5em .6em .5em 0; border-bottom: 1px solid #8884; vertical-align: top }
[hidden] { display: none }
#say { min-height: 1.5em; font-weight: 600 }
`;

/** Only the page's own script and style run; it calls the API that it came from. */
export const BILLING_CSP = [
  "default-src 'none'",
  `script-src ${sourceHash(BILLING_SCRIPT)}`,
  `style-src ${sourceHash(STYLE)}`,
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The page on which an owner sees the plan, chooses one, pays, and cancels. Providers send people back to it. */
export const BILLING_PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Billing</title><style>${STYLE}</style></head>
<body>
<h1>Plan and payment</h1>
<p id="say" role="status"></p>
<p id="out" hidden><a href="/sign-in">Sign in</a> to see and change your plan. If you have just paid, it becomes active as soon as the provider confirms the payment, and a receipt comes by mail.</p>
<div id="in" hidden>
<p id="standing"></p>
<p><button id="portal" hidden>Change the card</button> <button id="cancel" hidden>Cancel at the end of the period</button> <button id="resume" hidden>Keep the plan after all</button></p>
<p><label>Pay <select id="interval"><option value="month">by the month</option><option value="year">by the year</option></select></label>
<label>with <select id="provider"><option value="stripe">Stripe</option><option value="razorpay">Razorpay</option></select></label></p>
<table><thead><tr><th>Plan</th><th>Messages a month</th><th>Numbers</th><th>People</th><th>Price</th><th></th></tr></thead><tbody id="plans"></tbody></table>
<h2>Receipts</h2>
<table><tbody id="invoices"></tbody></table>
</div>
<script>${BILLING_SCRIPT}</script>
</body>
</html>
`;
