/** What the billing page does in the browser. It holds the tokens that the sign-in page left in this tab. */
export const BILLING_SCRIPT = `
const part = (id) => document.getElementById(id);
const say = (text) => { part('say').textContent = text; };
const tokens = () => JSON.parse(sessionStorage.getItem('pingr') || 'null');
const send = (path, { method, body, token }) => fetch(path, {
  method, body: body && JSON.stringify(body),
  headers: { ...(body && { 'content-type': 'application/json' }), ...(token && { authorization: 'Bearer ' + token }) },
});
const renew = async () => {
  const response = await send('/v1/auth/refresh', { method: 'POST', body: { refresh_token: tokens().refresh_token } });
  const answer = await response.json();
  if (response.ok) return sessionStorage.setItem('pingr', JSON.stringify(answer));
  if (response.status !== 401) throw new Error(answer.title);
  sessionStorage.removeItem('pingr');
  location.reload();
  return new Promise(() => {});
};
/** One for all calls that wait: a refresh token works once. */
let renewing;
const refresh = () => renewing ??= renew().finally(() => { renewing = undefined; });
const call = async (method, path, body) => {
  let response = await send(path, { method, body, token: tokens().access_token });
  if (response.status === 401) {
    await refresh();
    response = await send(path, { method, body, token: tokens().access_token });
  }
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.title + (answer.detail ? ': ' + answer.detail : ''));
  return answer;
};
const money = ({ amount, currency }) => {
  const format = new Intl.NumberFormat(undefined, { style: 'currency', currency });
  return format.format(amount / 10 ** format.resolvedOptions().maximumFractionDigits);
};
const day = (time) => new Date(time).toLocaleDateString();
const cell = (content) => { const td = document.createElement('td'); td.append(content); return td; };
const row = (...cells) => { const tr = document.createElement('tr'); tr.append(...cells.map(cell)); return tr; };
const many = (number) => number === null ? 'no limit' : number.toLocaleString();
const busily = (work) => async () => {
  for (const button of document.querySelectorAll('button')) button.disabled = true;
  await work().catch((error) => say(error.message));
  for (const button of document.querySelectorAll('button')) button.disabled = false;
};
const paid = ({ renews }) => renews;
const changes = ({ renews, status }) => renews && status !== 'halted';
const choose = (now, plan) => async () => {
  const interval = part('interval').value;
  if (changes(now)) {
    await call('POST', '/v1/billing/change-plan', { plan: plan.id, interval });
    return show();
  }
  const wish = { plan: plan.id, interval, provider: part('provider').value };
  location.assign((await call('POST', '/v1/billing/checkout', wish)).url);
};
const showPlans = (plans, now) => part('plans').replaceChildren(...plans.filter(({ prices }) => prices.length).map((plan) => {
  const price = plan.prices.filter(({ interval }) => interval === part('interval').value).map(money).join(' or ');
  const button = document.createElement('button');
  button.textContent = changes(now) ? 'Change to ' + plan.name : 'Choose ' + plan.name;
  button.addEventListener('click', busily(choose(now, plan)));
  const own = paid(now) && now.plan === plan.id && now.interval === part('interval').value;
  return row(plan.name, many(plan.messages), many(plan.sessions), many(plan.members), price, own ? 'your plan' : button);
}));
const standing = ({ plan, status, live, ...now }) => [
  'Plan: ' + plan + ' (' + status.replace('_', ' ') + ').',
  live.messages.used.toLocaleString() + ' of ' + many(live.messages.limit) + ' live messages used this month.',
  status === 'trialing' && now.trial_ends_at && 'The trial ends on ' + day(now.trial_ends_at) + '.',
  now.current_period_end && (now.cancel_at_period_end ? 'It ends on ' : 'It is paid until ') + day(now.current_period_end) + '.',
  now.scheduled_plan && 'From then on: ' + now.scheduled_plan + '.',
].filter(Boolean).join(' ');
const became = ({ status, amount_refunded, currency, dispute }) => [
  status,
  amount_refunded > 0 && money({ amount: amount_refunded, currency }) + ' refunded',
  dispute && 'dispute ' + dispute.status.replace('_', ' '),
].filter(Boolean).join(', ');
const show = async () => {
  const [{ data: plans }, now, { data: invoices }] = await Promise.all(
    ['/v1/plans', '/v1/billing/subscription', '/v1/billing/invoices'].map((path) => call('GET', path)));
  part('standing').textContent = standing(now);
  part('portal').hidden = !paid(now);
  part('cancel').hidden = !paid(now) || now.cancel_at_period_end;
  part('resume').hidden = !now.cancel_at_period_end;
  showPlans(plans, now);
  part('interval').onchange = () => showPlans(plans, now);
  part('invoices').replaceChildren(...invoices.map((invoice) => {
    const link = document.createElement('a');
    Object.assign(link, { href: invoice.url || '#', textContent: invoice.number || invoice.id, rel: 'noreferrer' });
    return row(day(invoice.issued_at), invoice.url ? link : link.textContent, money(invoice), became(invoice));
  }));
  return now;
};
const act = (id, path, body) => part(id).addEventListener('click', busily(async () => {
  const answer = await call('POST', path, body());
  if (answer.url) location.assign(answer.url); else await show();
}));
act('portal', '/v1/billing/portal', () => ({ return_url: location.origin + '/billing' }));
act('cancel', '/v1/billing/cancel', () => ({ at: 'period_end' }));
act('resume', '/v1/billing/resume', () => ({}));
/** Whoever comes back from paying waits for the provider's word. */
const settle = async (before, left) => {
  if (left === 0 || !document.referrer || document.referrer.startsWith(location.origin)) return;
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const now = await show();
  if (now.status !== before.status || now.plan !== before.plan) return say('Thank you. Your plan is active.');
  await settle(before, left - 1);
};
if (tokens() === null) part('out').hidden = false;
else show().then((now) => { part('in').hidden = false; return settle(now, 15); }).catch((error) => say(error.message));
`;
