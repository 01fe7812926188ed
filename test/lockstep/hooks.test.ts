/**
 * Hooks in regions against hooks in the interpreter: random loops of system calls, base changes and arithmetic, told of at the same counts with the same registers, stopped by the hooks at random, and
 * with hooks that come and go. HOOK_PROGRAMS sets the number, SEED repeats a run.
 */

import assert from 'node:assert/strict';
import { JitSubject, Place } from './jit-rig';
import { Random, seedOf } from './random';

/** Where SYSCALL goes: a page of the code's own. */
const entry = Place.code + 0x1000;
const handler = Uint8Array.from([0xff, 0x04, 0x25, 0x00, 0x38, 0x00, 0x00, 0x48, 0xcf]);

/** Instructions that change registers, flags and vectors. */
const plain: readonly (readonly number[])[] = [
  [0x48, 0xff, 0xc3], // inc rbx
  [0x48, 0x01, 0xd8], // add rax, rbx
  [0x48, 0x0f, 0xaf, 0xd3], // imul rdx, rbx
  [0x31, 0xc6], // xor esi, eax
  [0x48, 0xd1, 0xe7], // shl rdi, 1
  [0x66, 0x48, 0x0f, 0x6e, 0xc3], // movq xmm0, rbx
  [0x66, 0x0f, 0xfe, 0xc8], // paddd xmm1, xmm0
  [0x49, 0x89, 0xd8], // mov r8, rbx
  [0x50, 0x58], // push rax; pop rax
];
const told: readonly (readonly number[])[] = [
  [0xf3, 0x48, 0x0f, 0xae, 0xd3], // wrfsbase rbx
  [0xf3, 0x0f, 0xae, 0xd2], // wrfsbase edx
  [0xf3, 0x48, 0x0f, 0xae, 0xdb], // wrgsbase rbx
  [0x0f, 0x01, 0xf8], // swapgs
  [0xb9, 0x00, 0x01, 0x00, 0xc0, 0x31, 0xd2, 0x0f, 0x30], // mov ecx, FS_BASE; xor edx, edx; wrmsr
  [0xb9, 0x01, 0x01, 0x00, 0xc0, 0x31, 0xd2, 0x0f, 0x30], // the same with GS_BASE
];

function draw(r: Random, end: readonly number[]): Uint8Array {
  const bytes: number[] = [];
  for (let i = 2 + r.below(8); i > 0; i--) bytes.push(...(r.oneIn(3) ? told[r.below(told.length)]! : plain[r.below(plain.length)]!));
  return Uint8Array.from([...bytes, ...end]);
}

/** Installs hooks that write down what they are told, and stop at a third of the counts that `stops` names. */
function install(subject: JitSubject, which: number, stops: number): void {
  const { cpu, log } = subject;
  let last = '';
  const note = (text: string): void => {
    const line = `${text} @${cpu.retired} ${cpu.generalRegisters.join()} ${cpu.getRegister('rflags')} ${cpu.getRegister('fs_base')} ${cpu.getWideRegister('xmm1')!.join()}`;
    // One that is asked again after a stop, or because the loop had to be heard, tells the same.
    if (line !== last) log.push(line);
    last = line;
  };
  delete cpu.hooks.syscall;
  delete cpu.hooks.fsBase;
  delete cpu.hooks.gsBase;
  let stoppedAt = -1;
  if (which & 1)
    cpu.hooks.syscall = () => {
      note('syscall');
      const now = cpu.retiredCount;
      if (stops === 0 || now % stops !== 0 || now === stoppedAt) return undefined;
      stoppedAt = now;
      return 'stop';
    };
  if (which & 2)
    cpu.hooks.fsBase = (from, to) => {
      note(`fs ${from} ${to}`);
      if (stops !== 0 && cpu.retiredCount % stops === 1) cpu.requestStop();
    };
  if (which & 4) cpu.hooks.gsBase = (from, to) => void note(`gs ${from} ${to}`);
}

const subjects = [new JitSubject('eager'), new JitSubject(false)] as const;

/** Runs one program on both; answers what differs, if anything does. */
function runProgram(seed: number): string | undefined {
  const r = new Random(seed);
  // mov eax, n; syscall; and back to the start
  const head = draw(r, [0xb8, r.below(400) & 0xff, 0, 0, 0, 0x0f, 0x05]);
  const tail = draw(r, []);
  const back = head.length + tail.length + 5;
  const code = Uint8Array.from([...head, ...tail, 0xe9, ...new Uint8Array(Int32Array.of(-back).buffer)]);
  // The entry goes back to RCX, which the program must leave alone until then.
  const called = Uint8Array.from([0x49, 0x89, 0xca, ...draw(r, []), 0x41, 0xff, 0xe2]);
  for (const subject of subjects) {
    install(subject, 0, 0);
    subject.load(code, handler);
    subject.cpu.writeMemory(BigInt(entry), called);
    const set = (name: string, value: bigint): void => assert.ok(subject.cpu.setRegister(name, value), name);
    set('rsp', BigInt(Place.stack));
    set('star', 8n << 32n);
    set('lstar', BigInt(entry));
    set('sfmask', 0n);
    set('cr4', subject.cpu.getRegister('cr4')! | 0x1_0000n);
    subject.cpu.invalidate();
  }
  for (let step = 0; step < 24; step++) {
    const [which, stops] = [r.below(8), r.oneIn(2) ? 0 : 3 + r.below(40)];
    if (r.oneIn(3)) for (const subject of subjects) install(subject, which, stops);
    const budget = 1 + r.below(r.oneIn(3) ? 12 : 600);
    const exits = subjects.map(({ cpu }) => cpu.run(budget).kind);
    const difference = exits[0] === exits[1] ? subjects[0].differs(subjects[1]) : exits.join(' ');
    if (difference !== undefined) return `step ${step}: ${difference}`;
    if (subjects[0].fault !== undefined) return `step ${step}: ${subjects[0].fault}`;
  }
  return undefined;
}

describe('hooks told of by regions', () => {
  it('are told what the interpreter tells', () => {
    const first = seedOf('hooks in regions');
    const programs = Number(process.env['HOOK_PROGRAMS'] ?? 50);
    for (let seed = first; seed < first + programs; seed++) assert.equal(runProgram(seed), undefined, `SEED=${seed}`);
    assert.ok(subjects[0].cpu.jitStatistics!.runs > 0, 'no region ran');
  });
});
