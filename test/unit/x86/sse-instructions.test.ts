/** SIMD instructions through the whole processor, where the result can be said by hand: every family, the hand-over to the exact helpers, and the exceptions. */

import assert from 'node:assert/strict';
import { type X86Cpu } from '../../../debug-adapter/x86/cpu';
import { Layout, State } from '../../../debug-adapter/x86/state';
import { DATA, runSnippet } from './run-snippet';

/** Sixteen bytes as hexadecimal digits, lowest address first. */
function setXmm(cpu: X86Cpu, register: number, digits: string): void {
  cpu.u8.set(Buffer.from(digits.replace(/ /g, '').padEnd(32, '0'), 'hex'), State.xmm + 32 * register);
}
const xmm = (cpu: X86Cpu, register: number): string =>
  Buffer.from(cpu.u8.subarray(State.xmm + 32 * register, State.xmm + 32 * register + 16)).toString('hex');

function setDoubles(cpu: X86Cpu, register: number, low: number, high = 0): void {
  cpu.view.setFloat64(State.xmm + 32 * register, low, true);
  cpu.view.setFloat64(State.xmm + 32 * register + 8, high, true);
}
const doubles = (cpu: X86Cpu, register: number): readonly [number, number] => [
  cpu.view.getFloat64(State.xmm + 32 * register, true),
  cpu.view.getFloat64(State.xmm + 32 * register + 8, true),
];
const mxcsr = (cpu: X86Cpu): number => cpu.view.getUint32(State.mxcsr, true);

/** Runs one instruction on xmm0 and xmm1 given as digits; answers xmm0. */
function onXmm(code: string, first: string, second: string): string {
  const { cpu, exit } = runSnippet(code, (c) => {
    setXmm(c, 0, first);
    setXmm(c, 1, second);
  });
  assert.equal(exit.kind, 'halted');
  return xmm(cpu, 0);
}

/** The vector of the exception that the code raises first. */
function faultOf(code: string, setup: (cpu: X86Cpu) => void): number | undefined {
  let vector: number | undefined;
  runSnippet(code, (cpu) => {
    setup(cpu);
    cpu.hooks.exception = (raised) => {
      vector = raised;
      return 'stop';
    };
  });
  return vector;
}

describe('SIMD integer instructions', () => {
  const a = '00010203 04050607 08090a0b 0c0d0e0f';
  const b = '10111213 14151617 18191a1b 1c1d1e1f';
  const cases: readonly (readonly [name: string, code: string, first: string, second: string, result: string])[] = [
    ['PUNPCKLBW', '660f60c1', a, b, '00100111021203130414051506160717'],
    ['PUNPCKHQDQ', '660f6dc1', a, b, '08090a0b0c0d0e0f18191a1b1c1d1e1f'],
    ['PACKSSWB', '660f63c1', '7f00 8000 80ff 7fff 0000 0100 ff7f 0080', a, '7f7f808000017f807f7f7f7f7f7f7f7f'],
    ['PACKUSWB', '660f67c1', '7f00 8000 80ff 7fff 0000 0100 ff7f 0080', a, '7f8000000001ff00ffffffffffffffff'],
    ['PSHUFD 1b', '660f70c11b', a, b, '1c1d1e1f18191a1b1415161710111213'],
    ['PSHUFLW 1b', 'f20f70c11b', a, b, '161714151213101118191a1b1c1d1e1f'],
    ['PSHUFB', '660f3800c1', a, '0f0e0d0c 80018102 00000000 ffffffff', '0f0e0d0c000100020000000000000000'],
    ['PALIGNR 4', '660f3a0fc104', a, b, '1415161718191a1b1c1d1e1f00010203'],
    ['PALIGNR 20', '660f3a0fc114', a, b, '0405060708090a0b0c0d0e0f00000000'],
    ['PSRLDQ 3', '660f73d803', a, b, '030405060708090a0b0c0d0e0f000000'],
    ['PSLLDQ 16', '660f73f810', a, b, '00000000000000000000000000000000'],
    ['PSRAW 17', '660f71e011', '0080 ff7f 0100 ffff 0000 0000 0000 0000', b, 'ffff00000000ffff0000000000000000'],
    ['PSLLD by 32', '660ff2c1', a, '2000000000000000', '00000000000000000000000000000000'],
    [
      'PMULHRSW',
      '660f380bc1',
      '0080 0080 0040 0000 00000000 00000000',
      '0080 ff7f 0040 0000 00000000 00000000',
      '00800180002000000000000000000000',
    ],
    ['PSADBW', '660ff6c1', a, b, '80000000000000008000000000000000'],
    ['PMULUDQ', '660ff4c1', 'ffffffff00000000 0200000000000000', 'ffffffff00000000 0300000000000000', '01000000feffffff0600000000000000'],
    ['PHMINPOSUW', '660f3841c1', a, '0500 0300 0400 0300 ffff ffff ffff ffff', '03000100000000000000000000000000'],
    ['PBLENDW 0f', '660f3a0ec10f', a, b, '101112131415161708090a0b0c0d0e0f'],
    ['INSERTPS', '660f3a21c18c', a, b, '18191a1b040506070000000000000000'],
    ['PMOVSXBD', '660f3821c1', a, '807f01ff', '80ffffff7f00000001000000ffffffff'],
  ];
  for (const [name, code, first, second, result] of cases) {
    it(name, () => assert.equal(onXmm(code, first, second), result));
  }

  it('PMADDUBSW saturates sums of products of unsigned and signed bytes', () => {
    assert.equal(onXmm('660f3804c1', 'ffff0201', '7f7f80ff').slice(0, 8), 'ff7f' + 'fffe');
  });

  it('MPSADBW slides four bytes along', () => {
    assert.equal(onXmm('660f3a42c100', a, a), '0000040008000c001000140018001c00');
  });

  it('PTEST and PCMPISTRI set the flags', () => {
    const { cpu } = runSnippet('660f3817c1 0f94c0 0f92c4', (c) => {
      setXmm(c, 0, '0f');
      setXmm(c, 1, 'f0');
    });
    assert.equal(cpu.getRegister('ax'), 0x0001n);
    const text = runSnippet('660f3a63c10c 0f92c0', (c) => {
      setXmm(c, 0, Buffer.from('lo').toString('hex'));
      setXmm(c, 1, Buffer.from('hello world').toString('hex'));
    });
    assert.equal(text.cpu.getRegister('ecx'), 3n);
    assert.equal(text.cpu.getRegister('al'), 1n);
  });

  it('MMX operations use the x87 registers and EMMS frees them', () => {
    const { cpu } = runSnippet('480f6ec0 0ffcc0 480f7ec1', (c) => c.setRegister('rax', 0x0102_0304_0506_0780n));
    assert.equal(cpu.getRegister('rcx'), 0x0204_0608_0a0c_0e00n);
    assert.equal(cpu.view.getUint16(State.x87 + 8, true), 0xffff);
    assert.equal(cpu.view.getUint16(State.ftw, true), 0);
    assert.equal(runSnippet('480f6ec0 0f77').cpu.view.getUint16(State.ftw, true), 0xffff);
  });
});

describe('SSE floating point', () => {
  it('keeps native results where MXCSR is as the processor would leave it', () => {
    const { cpu } = runSnippet('f20f58c1 660f59d3', (c) => {
      setDoubles(c, 0, 0.1);
      setDoubles(c, 1, 0.2);
      setDoubles(c, 2, 3, 1.5);
      setDoubles(c, 3, 5, -4);
    });
    assert.equal(doubles(cpu, 0)[0], 0.1 + 0.2);
    assert.deepEqual(doubles(cpu, 2), [15, -6]);
    assert.equal(mxcsr(cpu), 0x1fa0);
  });

  it('leaves MXCSR alone while results are exact', () => {
    const { cpu } = runSnippet('f20f58c1 f20f59c1 f20f5ec1 f20f51c0', (c) => {
      setDoubles(c, 0, 14);
      setDoubles(c, 1, 2);
    });
    assert.equal(doubles(cpu, 0)[0], 4);
    assert.equal(mxcsr(cpu), 0x1f80);
  });

  it('sets ZE, OE, UE, DE and IE in MXCSR', () => {
    const flagsAfter = (code: string, a: number, b: number): number => {
      const { cpu } = runSnippet(code, (c) => {
        setDoubles(c, 0, a);
        setDoubles(c, 1, b);
      });
      return mxcsr(cpu) & 0x3f;
    };
    assert.equal(flagsAfter('f20f5ec1', 1, 0), 0x04);
    assert.equal(flagsAfter('f20f59c1', 1e200, 1e200), 0x28);
    assert.equal(flagsAfter('f20f59c1', 1e-200, 1e-200), 0x30);
    assert.equal(flagsAfter('f20f58c1', 5e-324, 1), 0x22);
    assert.equal(flagsAfter('f20f5cc1', Infinity, Infinity), 0x01);
  });

  it('raises #XM for an exception that is not masked, and changes nothing but MXCSR', () => {
    const vector = faultOf('f20f5ec1', (c) => {
      setDoubles(c, 0, 1);
      setDoubles(c, 1, 0);
      c.view.setUint32(State.mxcsr, 0x1f80 & ~0x200, true);
    });
    assert.equal(vector, 19);
  });

  it('raises #GP for a packed operand that is not aligned, and for reserved bits of MXCSR', () => {
    const at = (address: bigint) => (c: X86Cpu) => c.setRegister('rax', address);
    assert.equal(faultOf('0f2800', at(DATA + 8n)), 13);
    assert.equal(faultOf('0f1000', at(DATA + 8n)), undefined);
    assert.equal(
      faultOf('0fae10', (c) => {
        c.setRegister('rax', DATA);
        c.view.setUint32(Layout.ramBase + Number(DATA), 0x1_1f80, true);
      }),
      13,
    );
  });

  it('converts with the rounding of MXCSR, or truncates', () => {
    const { cpu } = runSnippet('f20f2dc1 f20f2cc9', (c) => {
      setDoubles(c, 1, -2.5);
      c.view.setUint32(State.mxcsr, 0x3f80, true);
    });
    assert.equal(cpu.getRegister('eax'), 0xffff_fffdn);
    assert.equal(cpu.getRegister('ecx'), 0xffff_fffen);
  });
});
