/** Names of the values and flag bits that arguments take (the manual pages of the calls; values of the x86-64 ABI). */

/** A row is `name value`; `name value/mask` for a field of several bits within a set of flags. */
const tables = {
  open: `O_RDONLY 0/3 O_WRONLY 1/3 O_RDWR 2/3 O_TMPFILE 0x410000/0x410000 O_SYNC 0x101000/0x101000 O_CREAT 0x40 O_EXCL 0x80 O_NOCTTY 0x100 O_TRUNC 0x200 O_APPEND 0x400
    O_NONBLOCK 0x800 O_DSYNC 0x1000 O_ASYNC 0x2000 O_DIRECT 0x4000 O_LARGEFILE 0x8000 O_DIRECTORY 0x10000 O_NOFOLLOW 0x20000 O_NOATIME 0x40000 O_CLOEXEC 0x80000 O_PATH 0x200000`,
  at: 'AT_SYMLINK_NOFOLLOW 0x100 AT_REMOVEDIR 0x200 AT_SYMLINK_FOLLOW 0x400 AT_NO_AUTOMOUNT 0x800 AT_EMPTY_PATH 0x1000 AT_STATX_FORCE_SYNC 0x2000 AT_STATX_DONT_SYNC 0x4000 AT_RECURSIVE 0x8000',
  access: 'F_OK 0 R_OK 4 W_OK 2 X_OK 1',
  whence: 'SEEK_SET 0 SEEK_CUR 1 SEEK_END 2 SEEK_DATA 3 SEEK_HOLE 4',
  prot: 'PROT_NONE 0 PROT_READ 1 PROT_WRITE 2 PROT_EXEC 4 PROT_GROWSDOWN 0x1000000 PROT_GROWSUP 0x2000000',
  map: `MAP_SHARED 1/15 MAP_PRIVATE 2/15 MAP_SHARED_VALIDATE 3/15 MAP_FIXED 0x10 MAP_ANONYMOUS 0x20 MAP_32BIT 0x40 MAP_GROWSDOWN 0x100 MAP_DENYWRITE 0x800 MAP_EXECUTABLE 0x1000
    MAP_LOCKED 0x2000 MAP_NORESERVE 0x4000 MAP_POPULATE 0x8000 MAP_NONBLOCK 0x10000 MAP_STACK 0x20000 MAP_HUGETLB 0x40000 MAP_SYNC 0x80000 MAP_FIXED_NOREPLACE 0x100000`,
  mremap: 'MREMAP_MAYMOVE 1 MREMAP_FIXED 2 MREMAP_DONTUNMAP 4',
  msync: 'MS_ASYNC 1 MS_INVALIDATE 2 MS_SYNC 4',
  madvise: `MADV_NORMAL 0 MADV_RANDOM 1 MADV_SEQUENTIAL 2 MADV_WILLNEED 3 MADV_DONTNEED 4 MADV_FREE 8 MADV_REMOVE 9 MADV_DONTFORK 10 MADV_DOFORK 11 MADV_MERGEABLE 12
    MADV_UNMERGEABLE 13 MADV_HUGEPAGE 14 MADV_NOHUGEPAGE 15 MADV_DONTDUMP 16 MADV_DODUMP 17`,
  sigmask: 'SIG_BLOCK 0 SIG_UNBLOCK 1 SIG_SETMASK 2',
  ioctl: `TCGETS 0x5401 TCSETS 0x5402 TCSETSW 0x5403 TCSETSF 0x5404 TIOCGPGRP 0x540f TIOCSPGRP 0x5410 TIOCGWINSZ 0x5413 TIOCSWINSZ 0x5414 FIONREAD 0x541b FIONBIO 0x5421
    FIONCLEX 0x5450 FIOCLEX 0x5451 SIOCGIFNAME 0x8910 SIOCGIFCONF 0x8912 SIOCGIFFLAGS 0x8913 SIOCGIFADDR 0x8915 SIOCGIFNETMASK 0x891b SIOCGIFMTU 0x8921 SIOCGIFHWADDR 0x8927`,
  itimer: 'ITIMER_REAL 0 ITIMER_VIRTUAL 1 ITIMER_PROF 2',
  family: 'AF_UNSPEC 0 AF_UNIX 1 AF_INET 2 AF_INET6 10 AF_NETLINK 16 AF_PACKET 17',
  socktype: 'SOCK_STREAM 1/15 SOCK_DGRAM 2/15 SOCK_RAW 3/15 SOCK_RDM 4/15 SOCK_SEQPACKET 5/15 SOCK_NONBLOCK 0x800 SOCK_CLOEXEC 0x80000',
  msg: `MSG_OOB 1 MSG_PEEK 2 MSG_DONTROUTE 4 MSG_CTRUNC 8 MSG_TRUNC 0x20 MSG_DONTWAIT 0x40 MSG_EOR 0x80 MSG_WAITALL 0x100 MSG_CONFIRM 0x800 MSG_ERRQUEUE 0x2000 MSG_NOSIGNAL 0x4000
    MSG_MORE 0x8000 MSG_WAITFORONE 0x10000 MSG_CMSG_CLOEXEC 0x40000000`,
  shutdown: 'SHUT_RD 0 SHUT_WR 1 SHUT_RDWR 2',
  sol: 'SOL_IP 0 SOL_SOCKET 1 SOL_TCP 6 SOL_UDP 17 SOL_IPV6 41',
  sockopt: `SO_DEBUG 1 SO_REUSEADDR 2 SO_TYPE 3 SO_ERROR 4 SO_DONTROUTE 5 SO_BROADCAST 6 SO_SNDBUF 7 SO_RCVBUF 8 SO_KEEPALIVE 9 SO_OOBINLINE 10 SO_LINGER 13 SO_REUSEPORT 15
    SO_RCVTIMEO 20 SO_SNDTIMEO 21 SO_ACCEPTCONN 30 SO_PROTOCOL 38 SO_DOMAIN 39`,
  clone: `CLONE_VM 0x100 CLONE_FS 0x200 CLONE_FILES 0x400 CLONE_SIGHAND 0x800 CLONE_PIDFD 0x1000 CLONE_PTRACE 0x2000 CLONE_VFORK 0x4000 CLONE_PARENT 0x8000 CLONE_THREAD 0x10000
    CLONE_NEWNS 0x20000 CLONE_SYSVSEM 0x40000 CLONE_SETTLS 0x80000 CLONE_PARENT_SETTID 0x100000 CLONE_CHILD_CLEARTID 0x200000 CLONE_DETACHED 0x400000 CLONE_UNTRACED 0x800000
    CLONE_CHILD_SETTID 0x1000000 CLONE_NEWCGROUP 0x2000000 CLONE_NEWUTS 0x4000000 CLONE_NEWIPC 0x8000000 CLONE_NEWUSER 0x10000000 CLONE_NEWPID 0x20000000 CLONE_NEWNET 0x40000000
    CLONE_IO 0x80000000 SIGCHLD 17/0xff`,
  wait: 'WNOHANG 1 WUNTRACED 2 WEXITED 4 WCONTINUED 8 WNOWAIT 0x1000000',
  fcntl: `F_DUPFD 0 F_GETFD 1 F_SETFD 2 F_GETFL 3 F_SETFL 4 F_GETLK 5 F_SETLK 6 F_SETLKW 7 F_SETOWN 8 F_GETOWN 9 F_SETLEASE 1024 F_GETLEASE 1025 F_DUPFD_CLOEXEC 1030
    F_SETPIPE_SZ 1031 F_GETPIPE_SZ 1032 F_ADD_SEALS 1033 F_GET_SEALS 1034`,
  flock: 'LOCK_SH 1 LOCK_EX 2 LOCK_NB 4 LOCK_UN 8',
  rlimit: `RLIMIT_CPU 0 RLIMIT_FSIZE 1 RLIMIT_DATA 2 RLIMIT_STACK 3 RLIMIT_CORE 4 RLIMIT_RSS 5 RLIMIT_NPROC 6 RLIMIT_NOFILE 7 RLIMIT_MEMLOCK 8 RLIMIT_AS 9 RLIMIT_LOCKS 10
    RLIMIT_SIGPENDING 11 RLIMIT_MSGQUEUE 12 RLIMIT_NICE 13 RLIMIT_RTPRIO 14 RLIMIT_RTTIME 15`,
  rusage: 'RUSAGE_SELF 0 RUSAGE_CHILDREN -1 RUSAGE_THREAD 1',
  sched: 'SCHED_OTHER 0 SCHED_FIFO 1 SCHED_RR 2 SCHED_BATCH 3 SCHED_IDLE 5 SCHED_DEADLINE 6',
  prctl: `PR_SET_PDEATHSIG 1 PR_GET_PDEATHSIG 2 PR_GET_DUMPABLE 3 PR_SET_DUMPABLE 4 PR_SET_NAME 15 PR_GET_NAME 16 PR_SET_SECCOMP 22 PR_CAPBSET_READ 23 PR_SET_NO_NEW_PRIVS 38
    PR_GET_NO_NEW_PRIVS 39 PR_SET_VMA 0x53564d41`,
  archprctl:
    'ARCH_SET_GS 0x1001 ARCH_SET_FS 0x1002 ARCH_GET_FS 0x1003 ARCH_GET_GS 0x1004 ARCH_GET_CPUID 0x1011 ARCH_SET_CPUID 0x1012 ARCH_CET_STATUS 0x3001',
  mount: `MS_RDONLY 1 MS_NOSUID 2 MS_NODEV 4 MS_NOEXEC 8 MS_SYNCHRONOUS 0x10 MS_REMOUNT 0x20 MS_NOATIME 0x400 MS_BIND 0x1000 MS_MOVE 0x2000 MS_REC 0x4000 MS_SILENT 0x8000
    MS_PRIVATE 0x40000 MS_SHARED 0x100000 MS_RELATIME 0x200000`,
  umount: 'MNT_FORCE 1 MNT_DETACH 2 MNT_EXPIRE 4 UMOUNT_NOFOLLOW 8',
  futex: `FUTEX_WAIT 0 FUTEX_WAKE 1 FUTEX_FD 2 FUTEX_REQUEUE 3 FUTEX_CMP_REQUEUE 4 FUTEX_WAKE_OP 5 FUTEX_LOCK_PI 6 FUTEX_UNLOCK_PI 7 FUTEX_TRYLOCK_PI 8 FUTEX_WAIT_BITSET 9
    FUTEX_WAKE_BITSET 10 FUTEX_WAIT_PRIVATE 128 FUTEX_WAKE_PRIVATE 129 FUTEX_REQUEUE_PRIVATE 131 FUTEX_CMP_REQUEUE_PRIVATE 132 FUTEX_WAKE_OP_PRIVATE 133 FUTEX_LOCK_PI_PRIVATE 134
    FUTEX_UNLOCK_PI_PRIVATE 135 FUTEX_WAIT_BITSET_PRIVATE 137 FUTEX_WAKE_BITSET_PRIVATE 138 FUTEX_WAIT_BITSET_PRIVATE|FUTEX_CLOCK_REALTIME 393`,
  clock: `CLOCK_REALTIME 0 CLOCK_MONOTONIC 1 CLOCK_PROCESS_CPUTIME_ID 2 CLOCK_THREAD_CPUTIME_ID 3 CLOCK_MONOTONIC_RAW 4 CLOCK_REALTIME_COARSE 5 CLOCK_MONOTONIC_COARSE 6 CLOCK_BOOTTIME 7
    CLOCK_REALTIME_ALARM 8 CLOCK_BOOTTIME_ALARM 9 CLOCK_TAI 11`,
  timer: 'TIMER_ABSTIME 1 TFD_TIMER_CANCEL_ON_SET 2',
  timerfd: 'TFD_NONBLOCK 0x800 TFD_CLOEXEC 0x80000',
  eventfd: 'EFD_SEMAPHORE 1 EFD_NONBLOCK 0x800 EFD_CLOEXEC 0x80000',
  epollctl: 'EPOLL_CTL_ADD 1 EPOLL_CTL_DEL 2 EPOLL_CTL_MOD 3',
  epoll: `EPOLLIN 1 EPOLLPRI 2 EPOLLOUT 4 EPOLLERR 8 EPOLLHUP 0x10 EPOLLRDNORM 0x40 EPOLLRDBAND 0x80 EPOLLWRNORM 0x100 EPOLLRDHUP 0x2000 EPOLLEXCLUSIVE 0x10000000
    EPOLLWAKEUP 0x20000000 EPOLLONESHOT 0x40000000 EPOLLET 0x80000000`,
  poll: 'POLLIN 1 POLLPRI 2 POLLOUT 4 POLLERR 8 POLLHUP 0x10 POLLNVAL 0x20 POLLRDNORM 0x40 POLLRDBAND 0x80 POLLWRNORM 0x100 POLLRDHUP 0x2000',
  inotify: `IN_ACCESS 1 IN_MODIFY 2 IN_ATTRIB 4 IN_CLOSE_WRITE 8 IN_CLOSE_NOWRITE 0x10 IN_OPEN 0x20 IN_MOVED_FROM 0x40 IN_MOVED_TO 0x80 IN_CREATE 0x100 IN_DELETE 0x200
    IN_DELETE_SELF 0x400 IN_MOVE_SELF 0x800 IN_ONLYDIR 0x1000000 IN_ONESHOT 0x80000000`,
  rename: 'RENAME_NOREPLACE 1 RENAME_EXCHANGE 2 RENAME_WHITEOUT 4',
  random: 'GRND_NONBLOCK 1 GRND_RANDOM 2 GRND_INSECURE 4',
  memfd: 'MFD_CLOEXEC 1 MFD_ALLOW_SEALING 2 MFD_HUGETLB 4',
  statx: `STATX_BASIC_STATS 0x7ff/0x7ff STATX_TYPE 1 STATX_MODE 2 STATX_NLINK 4 STATX_UID 8 STATX_GID 0x10 STATX_ATIME 0x20 STATX_MTIME 0x40 STATX_CTIME 0x80 STATX_INO 0x100
    STATX_SIZE 0x200 STATX_BLOCKS 0x400 STATX_BTIME 0x800`,
  sigaction:
    'SA_NOCLDSTOP 1 SA_NOCLDWAIT 2 SA_SIGINFO 4 SA_RESTORER 0x4000000 SA_ONSTACK 0x8000000 SA_RESTART 0x10000000 SA_NODEFER 0x40000000 SA_RESETHAND 0x80000000',
  sigstack: 'SS_ONSTACK 1 SS_DISABLE 2',
  filetype:
    'S_IFIFO 0o10000/0o170000 S_IFCHR 0o20000/0o170000 S_IFDIR 0o40000/0o170000 S_IFBLK 0o60000/0o170000 S_IFREG 0o100000/0o170000 S_IFLNK 0o120000/0o170000 S_IFSOCK 0o140000/0o170000',
} as const;

const signals =
  `HUP INT QUIT ILL TRAP ABRT BUS FPE KILL USR1 SEGV USR2 PIPE ALRM TERM STKFLT CHLD CONT STOP TSTP TTIN TTOU URG XCPU XFSZ VTALRM PROF WINCH IO PWR SYS`.split(
    ' ',
  );

interface FlagRow {
  readonly name: string;
  readonly value: bigint;
  readonly mask: bigint;
}

const parsed = new Map<string, readonly FlagRow[]>();

function table(name: string): readonly FlagRow[] {
  let rows = parsed.get(name);
  if (rows === undefined) {
    const words = ((tables as Readonly<Record<string, string>>)[name] ?? '').split(/\s+/);
    const list: FlagRow[] = [];
    for (let i = 0; i + 1 < words.length; i += 2) {
      const [value = '0', mask] = words[i + 1]!.split('/');
      list.push({ name: words[i]!, value: BigInt.asUintN(64, BigInt(Number(value))), mask: BigInt(mask ?? value) });
    }
    parsed.set(name, (rows = list));
  }
  return rows;
}

/** Whether there is a table of this name. */
export function hasFlagTable(name: string): boolean {
  return name in tables;
}

/** Texts by value that were made before, for each table: programs use few. */
type Known = Map<string, Map<bigint, string>>;
const mostKnown = 256;

function remembered(known: Known, name: string, value: bigint, make: () => string): string {
  let texts = known.get(name);
  if (texts === undefined) known.set(name, (texts = new Map<bigint, string>()));
  let text = texts.get(value);
  if (text === undefined) {
    if (texts.size >= mostKnown) texts.clear();
    texts.set(value, (text = make()));
  }
  return text;
}

const knownFlags: Known = new Map();
const knownValues: Known = new Map();

/** `A|B|0x40`: names joined, bits without a name in hexadecimal; `0` or the name of zero for none. */
export function formatFlags(name: string, value: bigint): string {
  return remembered(knownFlags, name, value, () => makeFlags(name, value));
}

function makeFlags(name: string, value: bigint): string {
  const words: string[] = [];
  let rest = value;
  for (const row of table(name)) {
    const multi = row.mask !== row.value;
    // A field's zero is named only when its mask says which bits it is about.
    if (row.value === 0n && !multi) continue;
    if ((value & row.mask) === row.value && (rest & row.mask) === (value & row.mask)) {
      words.push(row.name);
      rest &= ~row.mask;
    }
  }
  if (rest !== 0n) words.push(`0x${rest.toString(16)}`);
  if (words.length > 0) return words.join('|');
  return table(name).find((row) => row.value === 0n)?.name ?? '0';
}

/** The one name of a value, or the value in hexadecimal. */
export function formatEnum(name: string, value: bigint): string {
  return remembered(knownValues, name, value, () => {
    const low = BigInt.asUintN(32, value);
    const row = table(name).find((r) => BigInt.asUintN(32, r.value) === low);
    return row?.name ?? (low < 10n ? low.toString() : `0x${low.toString(16)}`);
  });
}

export function formatSignal(number: number): string {
  const name = signals[number - 1];
  if (name !== undefined) return `SIG${name}`;
  return number >= 32 && number <= 64 ? `SIGRT_${number - 32}` : String(number);
}

/** `[INT TERM]`, or `~[…]` where most are set. */
export function formatSignalSet(bits: bigint): string {
  const list = (set: bigint): string => {
    const names: string[] = [];
    for (let i = 1; i <= 64; i++) if ((set >> BigInt(i - 1)) & 1n) names.push(signals[i - 1] ?? `RT_${i - 32}`);
    return names.join(' ');
  };
  const inverted = BigInt.asUintN(64, ~bits);
  const ones = bits.toString(2).replaceAll('0', '').length;
  return ones > 32 ? `~[${list(inverted)}]` : `[${list(bits)}]`;
}
