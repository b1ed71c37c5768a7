import { sourceHash } from '../../platform/http/source-hash.ts';

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 36em; margin: 4em auto; padding: 0 1em; color: #222 }
input, button { font: inherit; padding: .4em .7em }
textarea { width: 100%; height: 6em; font: 13px/1.4 monospace }
[hidden] { display: none }
`;

/**
 * Tokens come behind the `#`, which browsers send to nobody; they are used when the person presses the button. Whoever is
 * signed in stays so in this tab, for the page `/billing`.
 */
const SCRIPT = `
const part = (id) => document.getElementById(id);
const say = (text) => { part('say').textContent = text; };
const post = async (path, body) => {
  const response = await fetch(path, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.title + (answer.detail ? ': ' + answer.detail : ''));
  return answer;
};
const link = new URLSearchParams(location.hash.slice(1));
const doing = link.has('token') ? 'link' : link.has('invitation') ? 'invitation' : 'form';
part(doing).hidden = false;
addEventListener('hashchange', () => location.reload());
const done = (email, tokens) => {
  history.replaceState(null, '', location.pathname);
  part(doing).hidden = true;
  say('You are signed in as ' + email + '.');
  part('token').value = tokens.access_token;
  sessionStorage.setItem('pingr', JSON.stringify(tokens));
  part('done').hidden = false;
};
const act = (id, event, work) => part(id).addEventListener(event, (occurred) => {
  occurred.preventDefault();
  work().catch((error) => say(error.message));
});
act('form', 'submit', async () => {
  await post('/v1/auth/magic-link', { email: part('email').value });
  say('If that address may sign in, a link is on its way to it.');
});
act('enter', 'click', async () => {
  const tokens = await post('/v1/auth/sign-ins', { token: link.get('token') });
  done(tokens.email, tokens);
});
act('accept', 'click', async () => {
  const accepted = await post('/v1/invitations/accept', { token: link.get('invitation') });
  if (accepted.sign_in) return done(accepted.email, accepted.sign_in);
  part(doing).hidden = true;
  say('You are a member now: sign in as ' + accepted.email + '.');
});
`;

/** Only the page's own script and style run; it calls the API that it came from. */
export const SIGN_IN_CSP = [
  "default-src 'none'",
  `script-src ${sourceHash(SCRIPT)}`,
  `style-src ${sourceHash(STYLE)}`,
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** The page that asks for a link, and that links in mails lead to. */
export const SIGN_IN_PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Sign in to Pingr</title><style>${STYLE}</style></head>
<body>
<h1>Pingr</h1>
<form id="form" hidden><label>E-mail <input id="email" type="email" required autocomplete="email"></label> <button>Send me a sign-in link</button></form>
<p id="link" hidden><button id="enter">Sign in</button></p>
<p id="invitation" hidden>You are invited. <button id="accept">Accept the invitation</button></p>
<p id="say" role="status"></p>
<div id="done" hidden><p><a href="/billing">Plan and payment</a></p><p>For the API, send this as <code>Authorization: Bearer</code>; it works for 15 minutes. <code>GET /v1/me</code> is a good first call.</p><textarea id="token" readonly></textarea></div>
<script>${SCRIPT}</script>
</body>
</html>
`;
