/** Golden transcripts of the filters of the Breakpoints view: system calls, TLS switches, interrupts, panics, exceptions, with conditions. */
import { golden, type Session } from './golden';

/** Sets filters, each with an optional condition. */
const set = (session: Session, ...filters: readonly (readonly [filterId: string, condition?: string])[]): Promise<unknown> =>
  session.request('setExceptionBreakpoints', {
    filters: [],
    filterOptions: filters.map(([filterId, condition]) => (condition === undefined ? { filterId } : { filterId, condition })),
  });

const info = (session: Session): Promise<unknown> => session.request('exceptionInfo', { threadId: 1 });

describe('debug adapter: filters', () => {
  golden('stops at system calls', async (session) => {
    await session.launch();
    await set(session, ['syscall', 'write'], ['syscall-return', 'getpid']);
    await session.until('stopped', 'configurationDone');
    await info(session);
    await session.frame(2);
    await set(session, ['syscall', 'write binary']);
    await session.until('stopped', 'continue');
    await info(session);
    await session.frame(3);
    await set(session, ['syscall-return', 'write if $rax > 0']);
    await session.until('stopped', 'continue');
    await info(session);
    await session.frame();
    await set(session);
    await session.until('terminated', 'continue');
  });

  golden('filters whose conditions cannot be understood', async (session) => {
    await session.launch();
    await set(
      session,
      ['syscall', 'opena'],
      ['syscall', 'openat,-ENOENT'],
      ['syscall-return', '-EWHAT'],
      ['syscall-return', 'openat,-ENOENT'],
      ['irq', '300'],
      ['irq', '32,0x28-0x2f'],
      ['sleep'],
    );
  });

  golden('stops where a system call is not provided', async (session) => {
    await session.launch();
    await set(session, ['enosys']);
    await session.stopIn('run_as_binary');
    await session.until('terminated', 'continue');
  });

  golden('stops at TLS switches', async (session) => {
    await session.launch();
    await set(session, ['tls']);
    await session.until('stopped', 'configurationDone');
    await info(session);
    await session.until('stopped', 'continue');
    await info(session);
    await session.frame();
    await set(session, ['tls', '$fs_base == 0']);
    await session.until('terminated', 'continue');
  });

  golden('stops at a panic', async (session) => {
    await session.launch({ stopAtEnd: 'never' });
    await set(session, ['panic'], ['assert']);
    const id = await session.stopIn('main');
    await session.request('setExpression', { expression: '$rip', value: '8', frameId: id });
    await session.until('stopped', 'continue');
    await info(session);
    await session.frame(2);
    await session.until('terminated', 'continue');
  });

  golden('explains page faults', async (session) => {
    await session.launch({ stopAtEnd: 'never' });
    await set(session, ['pf', '$cr2 == 8']);
    const id = await session.stopIn('main');
    await session.request('setExpression', { expression: '$rip', value: '8', frameId: id });
    await session.until('stopped', 'continue');
    await info(session);
    await session.until('terminated', 'continue');
  });
});
