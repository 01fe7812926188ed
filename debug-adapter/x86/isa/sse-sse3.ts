/** SSE3: alternating and horizontal arithmetic, duplicating moves, LDDQU. (FISTTP is with the x87, MONITOR and MWAIT with the system instructions.) */

import { type Definition, type Emitter } from './definition';
import { guardedArithmetic } from './sse-float';
import { pd, ps, type LaneKind } from './sse-guard';
import { choose, p66, pF2, pF3, sse } from './sse-lanes';

/** ADDSUBPx: a + (-b) in the even elements, a + b in the odd ones. */
function addSub(kind: LaneKind): Emitter {
  return (g) => {
    const a = g.temp('v128');
    const b = g.temp('v128');
    g.vrd(1);
    const signs: readonly [bigint, bigint] = kind.element === 4 ? [0x8000_0000n, 0x8000_0000n] : [1n << 63n, 0n];
    g.c.v128(signs).op('v128.xor').set(b);
    g.vrd(0);
    g.c.set(a);
    const r = guardedArithmetic(g, kind, 'add', a, b);
    g.vwr(0, () => void g.c.get(r));
  };
}

/** HADDPx and HSUBPx: the even elements of both operands with their odd neighbours. */
function horizontal(kind: LaneKind, op: 'add' | 'sub'): Emitter {
  const even = kind.element === 4 ? choose(4, [0, 2, 4, 6]) : choose(8, [0, 2]);
  const odd = kind.element === 4 ? choose(4, [1, 3, 5, 7]) : choose(8, [1, 3]);
  return (g) => {
    const a = g.temp('v128');
    const b = g.temp('v128');
    const first = g.temp('v128');
    const second = g.temp('v128');
    g.vrd(1);
    g.c.set(b);
    g.vrd(0);
    g.c.set(a);
    g.c.get(a).get(b).shuffle(even).set(first);
    g.c.get(a).get(b).shuffle(odd).set(second);
    const r = guardedArithmetic(g, kind, op, first, second);
    g.vwr(0, () => void g.c.get(r));
  };
}

const duplicate =
  (elements: readonly number[]): Emitter =>
  (g) => {
    const source = g.temp('v128');
    g.vrd(1);
    g.c.set(source);
    g.vwr(0, () => void g.c.get(source).get(source).shuffle(choose(4, elements)));
  };

const movddup: Emitter = (g) => {
  const low = g.temp('i64');
  g.rd(1);
  g.c.set(low);
  g.vwr(0, () => void g.c.get(low).op('i64x2.splat'));
};

export const sse3: readonly Definition[] = [
  sse('sse3', 'ADDSUBPD', p66(1, 0xd0, ['Vpd', 'Wpd']), addSub(pd), { helper: 'sseAddSub' }),
  sse('sse3', 'ADDSUBPS', pF2(1, 0xd0, ['Vps', 'Wps']), addSub(ps), { helper: 'sseAddSub' }),
  sse('sse3', 'HADDPD', p66(1, 0x7c, ['Vpd', 'Wpd']), horizontal(pd, 'add'), { helper: 'sseHorizontal' }),
  sse('sse3', 'HADDPS', pF2(1, 0x7c, ['Vps', 'Wps']), horizontal(ps, 'add'), { helper: 'sseHorizontal' }),
  sse('sse3', 'HSUBPD', p66(1, 0x7d, ['Vpd', 'Wpd']), horizontal(pd, 'sub'), { helper: 'sseHorizontal' }),
  sse('sse3', 'HSUBPS', pF2(1, 0x7d, ['Vps', 'Wps']), horizontal(ps, 'sub'), { helper: 'sseHorizontal' }),
  sse('sse3', 'LDDQU', pF2(1, 0xf0, ['Vdq', 'Mdq'], { mod: 'mem' }), (g) => g.vwr(0, () => g.vrd(1)), { aligned: false }),
  sse('sse3', 'MOVDDUP', pF2(1, 0x12, ['Vdq', 'Wq']), movddup),
  sse('sse3', 'MOVSLDUP', pF3(1, 0x12, ['Vps', 'Wps']), duplicate([0, 0, 2, 2])),
  sse('sse3', 'MOVSHDUP', pF3(1, 0x16, ['Vps', 'Wps']), duplicate([1, 1, 3, 3])),
];
