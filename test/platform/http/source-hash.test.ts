import { expect, it } from 'vitest';
import { sourceHash } from '../../../src/platform/http/source-hash.ts';

it('names a source as CSP Level 3 does in its example', () => {
  expect(sourceHash("alert('Hello, world.');")).toBe("'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='");
});
