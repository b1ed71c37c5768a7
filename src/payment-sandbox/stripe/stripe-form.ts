type Node = { [key: string]: Node | string };

/**
 * Reads a body as Stripe's clients write it: `a[b][0][c]=1` is `{ a: { b: { 0: { c: '1' } } } }`. Lists stay objects with
 * numbers for keys; {@link listOf} reads them.
 */
export function parseForm(text: string): Record<string, unknown> {
  const root: Node = Object.create(null);
  for (const [name, value] of new URLSearchParams(text)) {
    const parts = name.split(/[[\]]+/).filter((part) => part !== '');
    const last = parts.pop();
    if (last === undefined) continue;
    let node = root;
    for (const part of parts) {
      const next = node[part];
      const child: Node = typeof next === 'object' ? next : Object.create(null);
      node[part] = child;
      node = child;
    }
    node[last] = value;
  }
  return root;
}

/** The items of a list that {@link parseForm} read, in order. */
export function listOf(value: unknown): unknown[] {
  return typeof value === 'object' && value !== null ? Object.values(value) : [];
}
