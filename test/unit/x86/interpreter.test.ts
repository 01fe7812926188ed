import assert from 'node:assert/strict';
import { type X86Cpu } from '../../../debug-adapter/x86/cpu';
import { Layout, State } from '../../../debug-adapter/x86/state';
import { CODE, DATA, hex, longModeCpu, runSnippet, STACK } from './run-snippet';

const names = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi', 'r8', 'r9', 'rip', 'rflags'];
const registers = (cpu: X86Cpu): string => names.map((name) => `${name}=${cpu.getRegister(name)!.toString(16)}`).join(' ');

/** Sums and mixes with calls, memory, string and flag-reading instructions. */
const program = `
  b9 20 00 00 00          ; mov ecx, 32
  bf 00 00 30 00          ; mov edi, DATA
  31 c0                   ; xor eax, eax
  01 c8                   ; loop: add eax, ecx
  11 c2                   ; adc edx, eax
  48 89 07                ; mov [rdi], rax
  48 ff c7                ; inc rdi
  50 5b                   ; push rax; pop rbx
  e8 07 00 00 00          ; call +7
  c1 c0 05                ; rol eax, 5
  ff c9                   ; dec ecx
  75 e8                   ; jnz loop
  f4                      ; hlt (the called function follows)
`;

function programCpu(): X86Cpu {
  const cpu = longModeCpu();
  const code = hex(program);
  cpu.u8.set(code, Layout.ramBase + Number(CODE));
  // The call lands just behind HLT: imul edx, eax, 3; ret.
  const call = code.indexOf(0xe8);
  const target = code.length;
  cpu.view.setInt32(Layout.ramBase + Number(CODE) + call + 1, target - (call + 5), true);
  cpu.u8.set(hex('6b d0 03 c3'), Layout.ramBase + Number(CODE) + target);
  const jump = code.indexOf(0x75);
  const loop = 12;
  cpu.u8[Layout.ramBase + Number(CODE) + jump + 1] = (loop - (jump + 2)) & 0xff;
  return cpu;
}

describe('interpreter', () => {
  it('runs an integer loop and counts every instruction', () => {
    const { cpu, exit } = runSnippet('b9 0a 00 00 00 31 c0 01 c8 ff c9 75 fa');
    assert.equal(exit.kind, 'halted');
    assert.equal(cpu.getRegister('rax'), 55n);
    assert.equal(cpu.retired, 2n + 30n + 1n);
  });

  it('is in the same state at every count, however the run is sliced', () => {
    const step = programCpu();
    const states: string[] = [registers(step)];
    while (step.run(1).kind === 'budget') states.push(registers(step));
    const total = Number(step.retired);
    assert.ok(total > 300);
    for (const slice of [2, 3, 7, 50, 10_000]) {
      const cpu = programCpu();
      while (cpu.run(slice).kind === 'budget')
        assert.equal(registers(cpu), states[Number(cpu.retired)], `slices of ${slice} at ${cpu.retired}`);
      assert.equal(Number(cpu.retired), total);
    }
  });

  it('stops a faulting REP STOS with the registers of the elements done', () => {
    // Page 0x301000 is made absent; the store begins 16 bytes before it.
    const { cpu } = runSnippet('f3 ab', (c) => {
      c.setRegister('rdi', DATA + 0xff0n);
      c.setRegister('rcx', 100n);
      c.setRegister('rax', 0x11223344n);
      const table = (physical: number, index: number, value: bigint): void =>
        c.view.setBigUint64(Layout.ramBase + physical + index * 8, value, true);
      table(0x3000, 1, 0x8003n);
      for (let k = 0; k < 512; k++) table(0x8000, k, k === 0x101 ? 0n : (0x200000n + BigInt(k) * 0x1000n) | 3n);
      c.invalidate();
      c.hooks.exception = () => 'stop';
    });
    assert.equal(cpu.getRegister('rcx'), 96n);
    assert.equal(cpu.getRegister('rdi'), DATA + 0x1000n);
    assert.equal(cpu.getRegister('rip'), CODE);
    assert.equal(cpu.getRegister('cr2'), DATA + 0x1000n);
    assert.equal(cpu.retired, 0n);
  });

  it('sees code that the running block has just changed', () => {
    // mov byte [rip+1], 5 changes the immediate of the next instruction, mov al, 1.
    const { cpu } = runSnippet('c6 05 01 00 00 00 05 b0 01');
    assert.equal(cpu.getRegister('rax'), 5n);
  });

  it('drops blocks after a store from elsewhere', () => {
    const cpu = longModeCpu();
    const base = Layout.ramBase + Number(CODE);
    cpu.u8.set(hex('b0 01 f4'), base);
    cpu.run(10);
    assert.equal(cpu.getRegister('al'), 1n);
    cpu.writeMemory(CODE + 1n, Uint8Array.of(7));
    cpu.setRegister('rip', CODE);
    cpu.u8[State.halted] = 0;
    cpu.run(10);
    assert.equal(cpu.getRegister('al'), 7n);
  });

  it('takes an interrupt only after the instruction that follows STI', () => {
    const cpu = longModeCpu({ acknowledgeInterrupt: () => 0x20 });
    cpu.u8.set(hex('90 fb 90 90 f4'), Layout.ramBase + Number(CODE));
    cpu.setInterruptLine(true);
    cpu.hooks.interrupt = () => 'stop';
    assert.equal(cpu.run(100).kind, 'hook');
    assert.equal(cpu.getRegister('rip'), CODE + 3n);
    assert.equal(cpu.retired, 3n);
  });

  it('keeps the shadow of STI where a run ends between it and the next instruction', () => {
    const cpu = longModeCpu({ acknowledgeInterrupt: () => 0x20 });
    cpu.u8.set(hex('fb 90 90 f4'), Layout.ramBase + Number(CODE));
    assert.equal(cpu.run(1).kind, 'budget');
    cpu.setInterruptLine(true);
    cpu.hooks.interrupt = () => 'stop';
    cpu.run(100);
    assert.equal(cpu.getRegister('rip'), CODE + 2n);
  });

  it('raises an interrupt line inside a port write at the next boundary', () => {
    const cpu = longModeCpu({ acknowledgeInterrupt: () => 0x20, portWrite: () => cpu.setInterruptLine(true) });
    cpu.u8.set(hex('fb 90 e6 80 90 90 f4'), Layout.ramBase + Number(CODE));
    cpu.hooks.interrupt = () => 'stop';
    cpu.run(100);
    assert.equal(cpu.getRegister('rip'), CODE + 4n);
  });

  it('calls a probe before its instruction, in a loop each time', () => {
    let hits = 0;
    const { cpu } = runSnippet('b9 05 00 00 00 ff c1 ff c9 ff c9 75 fa', (c) => {
      c.setProbe(CODE + 9n, () => {
        hits++;
        return undefined;
      });
    });
    assert.equal(cpu.getRegister('rcx'), 0n);
    // 6, then two less each time round.
    assert.equal(hits, 3);
  });

  it('stops at a probe that says so, and goes on', () => {
    let stop = true;
    const { cpu, exit } = runSnippet('31 c0 ff c0 ff c0', (c) => c.setProbe(CODE + 4n, () => (stop ? 'stop' : undefined)));
    assert.equal(exit.kind, 'probe');
    assert.equal(cpu.getRegister('rax'), 1n);
    stop = false;
    assert.equal(cpu.run(100).kind, 'halted');
    assert.equal(cpu.getRegister('rax'), 2n);
  });

  it('reports a watched store after its instruction', () => {
    const { cpu, exit } = runSnippet('48 89 07 48 ff c0 48 ff c0', (c) => {
      c.setRegister('rdi', DATA);
      c.setWatchpoints([{ id: 3, address: DATA + 4n, length: 1, access: 'write' }]);
    });
    assert.equal(exit.kind, 'watch');
    assert.deepEqual(exit.kind === 'watch' && exit.hits, [{ id: 3, address: DATA, size: 8, write: true, rip: CODE }]);
    assert.equal(cpu.getRegister('rip'), CODE + 3n);
    assert.equal(cpu.retired, 1n);
  });

  it('bounds a repeated string instruction of endless length', () => {
    // CMPS of equal bytes backwards and forwards over one page: RCX is as large as it gets.
    const { cpu, exit } = runSnippet('f3 ac', (c) => {
      c.setRegister('rsi', DATA);
      c.setRegister('rcx', 0x8000_0000n);
    }, 2); // prettier-ignore
    assert.equal(exit.kind, 'budget');
    assert.equal(cpu.retired, 2n);
    assert.equal(cpu.getRegister('rip'), CODE);
  });

  it('faults where an access wraps around the address space', () => {
    let vector = -1;
    runSnippet('c9', (c) => {
      c.setRegister('rbp', 0xffff_ffff_ffff_fffcn);
      c.hooks.exception = (v) => {
        vector = v;
        return 'stop';
      };
    });
    assert.ok(vector === 12 || vector === 14);
  });

  it('says which instruction it lacks', () => {
    const { exit } = runSnippet('c5 f8 77');
    assert.equal(exit.kind, 'unsupported');
    assert.deepEqual(exit.kind === 'unsupported' && [...exit.bytes.subarray(0, 3)], [0xc5, 0xf8, 0x77]);
  });

  it('keeps pushes and pops exact at the page of the stack', () => {
    const { cpu } = runSnippet('6a 11 58 50 5b', undefined);
    assert.equal(cpu.getRegister('rbx'), 0x11n);
    assert.equal(cpu.getRegister('rsp'), STACK);
  });

  it('shortens the budget from inside a bus call', () => {
    const cpu = longModeCpu({ portWrite: () => cpu.shortenBudget(3) });
    cpu.u8.set(hex('e6 80 90 90 90 90 90 90 f4'), Layout.ramBase + Number(CODE));
    assert.equal(cpu.run(1000).kind, 'budget');
    assert.equal(cpu.retired, 4n);
  });
});
