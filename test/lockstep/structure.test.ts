/** The nesting of control flow, in random graphs: every node once, and edges only where WebAssembly can branch. */

import assert from 'node:assert/strict';
import { headsOf, type Part, structure } from '../../debug-adapter/x86/jit/structure';
import { Random } from './random';

describe('the nesting of control flow', () => {
  it('lays out each node once, with edges forward or to the heads of loops around', () => {
    const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000_000);
    console.log(`      graphs: SEED=${seed}`);
    const random = new Random(seed);
    for (let round = 0; round < 5000; round++) {
      const count = 1 + random.below(random.oneIn(4) ? 40 : 8);
      const node = (): number => random.below(count);
      const successors = Array.from({ length: count }, () => Array.from({ length: random.below(4) }, node));
      const entries = [...new Set(Array.from({ length: 1 + random.below(3) }, node))];
      const seen = new Set<number>();
      const check = (parts: readonly Part[], reachable: ReadonlySet<number>): void => {
        parts.forEach((part, i) => {
          const here = new Set([...reachable, ...parts.slice(i + 1).flatMap(headsOf)]);
          if (part.kind === 'loop') {
            assert.ok(part.heads.length > 0);
            check(part.body, new Set([...here, ...part.heads]));
            return;
          }
          assert.ok(!seen.has(part.node), `${part.node} stands twice`);
          seen.add(part.node);
          for (const to of successors[part.node]!)
            assert.ok(here.has(to), `no way from ${part.node} to ${to}: ${JSON.stringify({ successors, entries })}`);
        });
      };
      check(structure(successors, entries), new Set());
      const reached = new Set<number>();
      const stack = [...entries];
      for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
        if (reached.has(next)) continue;
        reached.add(next);
        stack.push(...successors[next]!);
      }
      assert.deepEqual(seen, new Set([...seen].filter((one) => reached.has(one))));
      assert.equal(seen.size, reached.size);
    }
  });
});
