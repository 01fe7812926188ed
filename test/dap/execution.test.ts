/** Golden transcripts of stepping and pausing. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type DebugProtocol } from '@vscode/debugprotocol';
import { kludgeImage } from '../unit/machine/images';
import { golden, lineOf, mainSource, type Session } from './golden';

/** Steps and records where that led. */
async function step(session: Session, command: string, granularity?: string): Promise<void> {
  await session.until('stopped', command, { threadId: 1, ...(granularity === undefined ? {} : { granularity }) });
  await session.frame(2);
}

describe('debug adapter: execution', () => {
  golden('stepping by line', async (session) => {
    await session.launch();
    await session.stopIn('main');
    await step(session, 'stepIn');
    await step(session, 'next');
    await step(session, 'stepOut');
    await step(session, 'next');
    await step(session, 'next', 'line');
  });

  golden('stepping over a breakpoint', async (session) => {
    await session.launch();
    await session.stopIn('main');
    await session.request('setFunctionBreakpoints', { breakpoints: [{ name: 'run_as_binary' }] });
    await session.request('setBreakpoints', {
      source: { path: mainSource },
      breakpoints: [{ line: lineOf(mainSource, 'i = run_as_binary();') }],
    });
    await step(session, 'next');
    await step(session, 'next');
    await session.until('stopped', 'stepOut');
  });

  golden('stepping by instruction', async (session) => {
    await session.launch();
    await session.stopIn('main');
    for (let i = 0; i < 3; i++) await session.until('stopped', 'stepIn', { threadId: 1, granularity: 'instruction' });
    await session.until('stopped', 'next', { threadId: 1, granularity: 'instruction' });
    const { stackFrames } = await session.request<DebugProtocol.StackTraceResponse['body']>('stackTrace', { threadId: 1 }, () => '…');
    await session.request('evaluate', { expression: `${stackFrames[0]!.instructionPointerReference} == $rip`, frameId: 1 });
  });

  golden('stepping over a system call instruction', async (session) => {
    await session.launch({ trace: ['syscalls'] });
    await toSyscall(session);
    await session.until('stopped', 'next', { threadId: 1, granularity: 'instruction' });
    await session.frame();
    await session.until('terminated', 'continue');
  });

  golden('stepping into the system call handler', async (session) => {
    await session.launch();
    await toSyscall(session);
    await session.until('stopped', 'stepIn', { threadId: 1, granularity: 'instruction' });
    await session.frame();
    await session.request('evaluate', { expression: '$rip == $lstar', frameId: 1 });
    await session.until('stopped', 'stepIn', { threadId: 1, granularity: 'instruction' });
    await session.request('evaluate', { expression: '$rip == $lstar', frameId: 1 });
  });

  golden('stepping out of the outermost frame', async (session) => {
    await session.launch({ stopOnEntry: true });
    await session.until('stopped', 'configurationDone');
    await session.request('stepOut', { threadId: 1 });
    await session.until('stopped', 'stepIn', { threadId: 1, granularity: 'instruction' });
  });

  golden('pause while the guest spins', async (session) => {
    const folder = mkdtempSync(path.join(tmpdir(), 'golden-'));
    const spinner = path.join(folder, 'spinner');
    // jmp .
    writeFileSync(spinner, kludgeImage(Uint8Array.of(0xeb, 0xfe)));
    session.replace(folder, '<folder>');
    try {
      await session.launch({ image: spinner });
      await session.request('configurationDone');
      await session.request('stackTrace', { threadId: 1 });
      await session.request('evaluate', { expression: '$rip' });
      await session.request('next', { threadId: 1 });
      await session.request('setInstructionBreakpoints', { breakpoints: [{ instructionReference: '0x2000000' }] });
      await session.request('readMemory', { memoryReference: '0x100020', count: 2 });
      await session.until('stopped', 'pause');
      await session.request('evaluate', { expression: '$rip' });
      await session.until('stopped', 'stepIn', { threadId: 1, granularity: 'instruction' });
      await session.request('continue', { threadId: 1 });
      await session.until('stopped', 'pause');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

/** Runs to the first SYSCALL instruction of the application, found in its disassembly. */
async function toSyscall(session: Session): Promise<void> {
  await session.stopIn('run_as_binary');
  const { stackFrames } = await session.client.ok<DebugProtocol.StackTraceResponse['body']>('stackTrace', { threadId: 1, levels: 1 });
  const { instructions } = await session.request<{ instructions: DebugProtocol.DisassembledInstruction[] }>(
    'disassemble',
    { memoryReference: stackFrames[0]!.instructionPointerReference, instructionCount: 60 },
    () => '…',
  );
  const address = instructions.find(({ instruction }) => instruction === 'syscall')!.address;
  await session.request('setInstructionBreakpoints', { breakpoints: [{ instructionReference: address }] });
  await session.until('stopped', 'continue');
  await session.request('setInstructionBreakpoints', { breakpoints: [] });
  await session.frame();
}
