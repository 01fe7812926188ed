/** Which library of Unikraft provides a system call, and the option that builds it in: what an image lacks where a call comes back with ENOSYS. */

/** Library, option, calls; of Unikraft 0.17's own tree (`UK_PROVIDED_SYSCALLS` of its Makefile.uk files). Where two provide a call, either will do. */
const table = `
posix-eventfd LIBPOSIX_EVENTFD: eventfd eventfd2
posix-fdio LIBPOSIX_FDIO: fcntl fstat ioctl lseek pread64 preadv preadv2 pwrite64 pwritev pwritev2 read readv write writev
posix-fdtab LIBPOSIX_FDTAB: close dup dup2 dup3
posix-futex LIBPOSIX_FUTEX: futex set_tid_address
posix-mmap LIBPOSIX_MMAP: madvise mlock mmap mprotect msync munmap
posix-pipe LIBPOSIX_PIPE: pipe pipe2
posix-poll LIBPOSIX_POLL: epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait poll ppoll pselect6 select
posix-process LIBPOSIX_PROCESS: execve getpgid getpgrp getpid getppid getpriority getrlimit getrusage getsid gettid prctl prlimit64 setpgid setpriority setrlimit setsid
  wait4 waitid
posix-process LIBPOSIX_PROCESS_CLONE: clone
posix-process LIBPOSIX_PROCESS_PIDS: exit exit_group
posix-socket LIBPOSIX_SOCKET: accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmsg sendmsg sendto setsockopt shutdown socket socketpair
posix-sysinfo LIBPOSIX_SYSINFO: getcpu sethostname sysinfo uname
posix-time LIBPOSIX_TIME: clock_getres clock_gettime clock_nanosleep clock_settime gettimeofday nanosleep setitimer settimeofday time timer_create timer_delete
  timer_getoverrun timer_gettime timer_settime times
posix-timerfd LIBPOSIX_TIMERFD: timerfd_create timerfd_gettime timerfd_settime
posix-user LIBPOSIX_USER: capget capset getegid geteuid getgid getgroups getresgid getresuid getuid setfsgid setfsuid setgid setgroups setregid setresgid setresuid
  setreuid setuid
ukmmap LIBUKMMAP: madvise mmap mprotect mremap munmap
ukrandom LIBUKRANDOM: getrandom
uksched LIBUKSCHED: membarrier sched_getaffinity sched_setaffinity sched_yield
uksignal LIBUKSIGNAL: alarm kill pause rt_sigaction rt_sigpending rt_sigprocmask rt_sigsuspend rt_sigtimedwait sigaltstack tkill
vfscore LIBVFSCORE: access chdir chmod chown chroot creat faccessat fallocate fchdir fchmod fchown fdatasync flock fstatfs fsync ftruncate futimesat getcwd
  getdents getdents64 lchown link lstat mkdir mkdirat mknod mount newfstatat open openat readlink rename renameat rmdir stat statfs symlink
  sync truncate umask umount2 unlink unlinkat utime utimensat utimes
`;

export interface SyscallProvider {
  readonly library: string;
  /** Without `CONFIG_`. */
  readonly option: string;
}

let byName: ReadonlyMap<string, readonly SyscallProvider[]> | undefined;

/** The libraries that provide a call by its Linux name; none where Unikraft has no such library. */
export function syscallProviders(name: string): readonly SyscallProvider[] {
  byName ??= read();
  return byName.get(name) ?? [];
}

function read(): ReadonlyMap<string, readonly SyscallProvider[]> {
  const found = new Map<string, SyscallProvider[]>();
  for (const [, library = '', option = '', calls = ''] of table.matchAll(/^(\S+) (\w+):((?:.|\n  )*)$/gm)) {
    for (const call of calls.trim().split(/\s+/)) {
      const providers = found.get(call) ?? [];
      providers.push({ library, option });
      found.set(call, providers);
    }
  }
  return found;
}
