/** Chooses where a region is entered best: where its loops have one head each, as loops with several cost a dispatch at every turn. */

import { type Region, type RegionBlock } from './discover';
import { headsOf, type Part, structure } from './structure';

/** Ways from one block back to it, as of a switch in a loop, as far as they count. */
const mostArms = 32;

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
 * @param runsOf times that the interpreter ran the block at an address
 */
export function bestRoot({ blocks, entries }: Region, runsOf: (key: number) => number): number {
  const [entry] = entries;
  if (entry === undefined) return -1;
  const successors = successorsOf(blocks);
  const first = blocks.findIndex(({ key }) => key === entry);
  const parts = structure(successors, [first]);
  let best = { parts, cost: costOf(parts) };
  if (best.cost <= 1) return entry;
  // Only what lies on a cycle with the entry leads to all that the entry leads to.
  const cycle = parts.find((part) => headsOf(part).includes(first));
  for (const node of cycle?.kind === 'loop' ? innerHeads(cycle.body) : []) {
    const other = structure(successors, [node]);
    const cost = costOf(other);
    if (irregular(other) === irregular(parts) && !isArm(runsOf(entry), runsOf(blocks[node]!.key))) continue;
    if (cost < best.cost) best = { parts: other, cost };
  }
  const around = loopsAround(best.parts, first);
  const innermost = around.at(-1);
  const isLeaf = innermost !== undefined && innermost.body.every((part) => part.kind === 'block');
  const chosen = isLeaf && around.length > 1 ? around.at(-2)! : innermost;
  return chosen?.heads.length === 1 ? blocks[chosen.heads[0]!]!.key : entry;
}

/** Is a block that runs this often one of several ways from a block back to it, rather than a loop around that one's? */
const isArm = (runs: number, others: number): boolean => runs < others && others < runs * mostArms;

/** What it costs to go around: above all the dispatch in loops with several heads, and then each head of its own, as an arm of a switch makes one if the region begins there. */
const costOf = (parts: readonly Part[]): number => irregular(parts) * 1000 + loops(parts);

const loops = (parts: readonly Part[]): number => parts.reduce((sum, part) => sum + (part.kind === 'loop' ? 1 + loops(part.body) : 0), 0);

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
