import type { Answer } from '../sandbox-context.ts';

const STYLE = `
  :root { color-scheme: light dark; font-family: system-ui, sans-serif; line-height: 1.5 }
  body { margin: 0; background: #f4f5f7; color: #1c2330 }
  header { background: #7a4b00; color: #fff; padding: .6rem 1rem; text-align: center; font-size: .95rem }
  main { max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
  .card { background: #fff; border: 1px solid #d8dce3; border-radius: 12px; padding: 1.5rem; max-width: 26rem; margin: 0 auto }
  h1 { font-size: 1.3rem; margin: 0 0 .5rem }
  .price { font-size: 2rem; font-weight: 600; margin: .5rem 0 1rem }
  form { display: inline }
  .card form { display: block; margin: .6rem 0 }
  button { font: inherit; cursor: pointer; border-radius: 8px; border: 1px solid #b7bdc9; background: #fff; color: #1c2330; padding: .45rem .9rem }
  .card button { width: 100%; padding: .7rem }
  button.main { background: #1f6f43; border-color: #1f6f43; color: #fff }
  button:focus-visible, a:focus-visible { outline: 3px solid #4c8dff; outline-offset: 2px }
  .wrong { background: #fdeaea; border: 1px solid #d88; border-radius: 8px; padding: .6rem .9rem; color: #7c1616 }
  .muted { color: #566073; font-size: .9rem; overflow-wrap: anywhere }
  .scroll { overflow-x: auto }
  table { width: 100%; border-collapse: collapse; background: #fff; border: 1px solid #d8dce3 }
  th, td { text-align: left; padding: .6rem .7rem; border-bottom: 1px solid #e4e7ec; vertical-align: top }
  td button { margin: 0 .25rem .25rem 0; padding: .3rem .6rem }
  @media (prefers-color-scheme: dark) {
    body { background: #14171c; color: #e7eaf0 }
    .card, table { background: #1d2229; border-color: #363d48 }
    th, td { border-color: #2d343e }
    button { background: #262c35; color: #e7eaf0; border-color: #4a5361 }
    .muted { color: #a3adbd }
    .wrong { background: #3a1c1c; color: #ffc9c9; border-color: #8a4444 }
  }`;

/** A page, with the banner that says that no money moves. `content` is markup. */
export function page(title: string, content: string): Answer {
  return {
    status: 200,
    html: `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title><style>${STYLE}</style></head>
<body><header>Payment sandbox: no money moves here.</header><main>${content}</main></body></html>`,
  };
}

/** A button that posts an action. */
export function button(action: string, name: string, label: string, main = false): string {
  return `<form method="post" action="${escapeHtml(action)}"><input type="hidden" name="action" value="${escapeHtml(name)}">
<button${main ? ' class="main"' : ''}>${escapeHtml(label)}</button></form>`;
}

/** Minor units as people read them. */
export function money(amount: number, currency: string): string {
  return new Intl.NumberFormat('en-US', { style: 'currency', currency }).format(amount / 100);
}

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
