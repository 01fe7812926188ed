/** MXCSR, fences, prefetches and cache-line instructions. */

import { Mxcsr } from '../fp/format';
import { State } from '../state';
import { type Definition, type Emitter } from './definition';
import { np, p66, sse } from './sse-lanes';

const gp = 13;

/** Reserved bits are #GP(0) and leave MXCSR alone (SDM vol. 2A, LDMXCSR). */
const ldmxcsr: Emitter = (g) => {
  const value = g.temp('i32');
  g.rd(0);
  g.c.op('i32.wrap_i64').tee(value).i32(~Mxcsr.writable).op('i32.and');
  g.c.if();
  g.raise(gp, 0);
  g.c.end();
  g.storeState('i32.store', State.mxcsr, () => void g.c.get(value));
};

const stmxcsr: Emitter = (g) =>
  g.wr(0, () => {
    g.loadState('i32.load', State.mxcsr);
    g.c.op('i64.extend_i32_u');
  });

/** Nothing to order with one processor, and nothing to fetch early. */
const nothing: Emitter = () => undefined;

/** The line must be readable; there is no cache to write back. */
const touchLine: Emitter = (g) => void g.host(0, 'read', 1);

export const sseControl: readonly Definition[] = [
  sse('sse', 'LDMXCSR', np(1, 0xae, ['Md'], { digit: 2, mod: 'mem' }), ldmxcsr),
  sse('sse', 'STMXCSR', np(1, 0xae, ['Md'], { digit: 3, mod: 'mem' }), stmxcsr),
  { mnemonic: 'LFENCE', encodings: [np(1, 0xae, [], { digit: 5, mod: 'reg' })], feature: 'sse2', emit: nothing },
  { mnemonic: 'MFENCE', encodings: [np(1, 0xae, [], { digit: 6, mod: 'reg' })], feature: 'sse2', emit: nothing },
  { mnemonic: 'SFENCE', encodings: [np(1, 0xae, [], { digit: 7, mod: 'reg' })], feature: 'sse', emit: nothing },
  { mnemonic: 'CLFLUSH', encodings: [np(1, 0xae, ['Mb'], { digit: 7, mod: 'mem' })], feature: 'clfsh', emit: touchLine },
  { mnemonic: 'CLFLUSHOPT', encodings: [p66(1, 0xae, ['Mb'], { digit: 7, mod: 'mem' })], feature: 'clflushopt', emit: touchLine },
  { mnemonic: 'CLWB', encodings: [p66(1, 0xae, ['Mb'], { digit: 6, mod: 'mem' })], feature: 'clwb', emit: touchLine },
];
