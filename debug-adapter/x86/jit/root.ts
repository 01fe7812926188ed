/** Chooses where a region is entered best: where its loops have one head each, as loops with several cost a dispatch at every turn. */

import { type Region, type RegionBlock } from './discover';
import { headsOf, type Part, structure } from './structure';

type Loop = Extract<Part, { kind: 'loop' }>;

/** For each block, those that may follow, a callee's return among them: it comes from outside where the callee is not in the region. */
export function successorsOf(blocks: readonly RegionBlock[]): number[][] {
  const index = new Map(blocks.map((block, i) => [block.key, i]));
  return blocks.map(({ end }) => {
    const keys =
      end.kind === 'jump'
        ? [end.to]
        : end.kind === 'branch' || end.kind === 'call'
          ? [end.to, end.next]
          : end.kind === 'indirect'
            ? [...end.candidates, ...(end.next === undefined ? [] : [end.next])]
            : end.resume !== undefined
              ? [end.resume]
              : [];
    return [...new Set(keys.flatMap((key) => index.get(key) ?? []))];
  });
}

/**
 * Address at which a region had better begin so that the loops around its entry have one head each, and that is met often: the head of the loop around
 * the innermost one. The entry itself where that does as well.
 */
export function bestRoot({ blocks, entries }: Region): number {
  const [entry] = entries;
  if (entry === undefined) return -1;
  const successors = successorsOf(blocks);
  const first = blocks.findIndex(({ key }) => key === entry);
  const parts = structure(successors, [first]);
  let best = { parts, cost: irregular(parts) };
  if (best.cost === 0) return entry;
  // Only what lies on a cycle with the entry leads to all that the entry leads to.
  const around = parts.find((part) => headsOf(part).includes(first));
  for (const node of around?.kind === 'loop' ? innerHeads(around.body) : []) {
    const other = structure(successors, [node]);
    const cost = irregular(other);
    if (cost < best.cost) best = { parts: other, cost };
  }
  const loops = loopsAround(best.parts, first);
  const innermost = loops.at(-1);
  const isLeaf = innermost !== undefined && innermost.body.every((part) => part.kind === 'block');
  const chosen = isLeaf && loops.length > 1 ? loops.at(-2)! : innermost;
  return chosen?.heads.length === 1 ? blocks[chosen.heads[0]!]!.key : entry;
}

/** The loops that hold a block, outermost first. */
function loopsAround(parts: readonly Part[], node: number): Loop[] {
  for (const part of parts) {
    if (part.kind === 'block') continue;
    const inner = loopsAround(part.body, node);
    if (inner.length > 0 || headsOf(part).includes(node) || part.body.some((other) => other.kind === 'block' && other.node === node)) {
      return [part, ...inner];
    }
  }
  return [];
}

/** Blocks in loops with several heads, which count again at every level. */
function irregular(parts: readonly Part[]): number {
  let sum = 0;
  for (const part of parts) {
    if (part.kind === 'block') continue;
    if (part.heads.length > 1) sum += size(part.body);
    sum += irregular(part.body);
  }
  return sum;
}

const size = (parts: readonly Part[]): number => parts.reduce((sum, part) => sum + (part.kind === 'block' ? 1 : size(part.body)), 0);

const innerHeads = (parts: readonly Part[]): number[] =>
  parts.flatMap((part) => (part.kind === 'loop' ? [...part.heads, ...innerHeads(part.body)] : []));
