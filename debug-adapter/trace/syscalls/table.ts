/**
 * The system calls of Linux on x86-64 (syscalls(2); numbers from the kernel's ABI): one row each.
 *
 * A row is: number, name, arguments, result, classes.
 * An argument is `name:kind`. Kinds: the scalars int, uint, long, hex, size, off, mode, pid, uid, fd, dirfd, sig, dev; `ptr` for an address that is not followed;
 * `f.X` a set of flags and `e.X` one of the values in flags.ts's table X; and what is followed: path, str, strings (a null-terminated vector),
 * bytes[N], iovec[N], pollfd[N] (N names the argument with the count), and the structures of structures.ts. `>` before a followed kind: filled in by the kernel.
 * Result kinds: int, size, fd, pid, ptr, hex, never (the call does not return).
 */
import { type SyscallArgument, type SyscallClass, type SyscallResult, type SyscallRow } from './row';

const rows = `
0 read fd:fd buf:>bytes[count] count:size | size | desc
1 write fd:fd buf:bytes[count] count:size | size | desc
2 open path:path flags:f.open mode:mode | fd | file desc
3 close fd:fd | int | desc
4 stat path:path buf:>stat | int | file
5 fstat fd:fd buf:>stat | int | desc
6 lstat path:path buf:>stat | int | file
7 poll fds:pollfd[nfds] nfds:uint timeout:int | int | desc
8 lseek fd:fd offset:off whence:e.whence | size | desc
9 mmap addr:ptr length:size prot:f.prot flags:f.map fd:fd offset:hex | ptr | memory desc
10 mprotect addr:ptr length:size prot:f.prot | int | memory
11 munmap addr:ptr length:size | int | memory
12 brk addr:ptr | ptr | memory
13 rt_sigaction signum:sig act:sigaction oldact:>sigaction sigsetsize:size | int | signal
14 rt_sigprocmask how:e.sigmask set:sigset oldset:>sigset sigsetsize:size | int | signal
15 rt_sigreturn | int | signal
16 ioctl fd:fd request:e.ioctl argp:ptr | int | desc
17 pread64 fd:fd buf:>bytes[count] count:size offset:off | size | desc
18 pwrite64 fd:fd buf:bytes[count] count:size offset:off | size | desc
19 readv fd:fd iov:>iovec[iovcnt] iovcnt:int | size | desc
20 writev fd:fd iov:iovec[iovcnt] iovcnt:int | size | desc
21 access path:path mode:f.access | int | file
22 pipe pipefd:>fdpair | int | desc
23 select nfds:int readfds:ptr writefds:ptr exceptfds:ptr timeout:timeval | int | desc
24 sched_yield | int | sched
25 mremap old_address:ptr old_size:size new_size:size flags:f.mremap new_address:ptr | ptr | memory
26 msync addr:ptr length:size flags:f.msync | int | memory
27 mincore addr:ptr length:size vec:ptr | int | memory
28 madvise addr:ptr length:size advice:e.madvise | int | memory
29 shmget key:hex size:size shmflg:hex | int | ipc
30 shmat shmid:int shmaddr:ptr shmflg:hex | ptr | ipc memory
31 shmctl shmid:int cmd:int buf:ptr | int | ipc
32 dup oldfd:fd | fd | desc
33 dup2 oldfd:fd newfd:fd | fd | desc
34 pause | int | signal
35 nanosleep req:timespec rem:>timespec | int | time
36 getitimer which:e.itimer curr_value:>itimerval | int | time
37 alarm seconds:uint | int | time
38 setitimer which:e.itimer new_value:itimerval old_value:>itimerval | int | time
39 getpid | pid | process
40 sendfile out_fd:fd in_fd:fd offset:>long count:size | size | desc network
41 socket domain:e.family type:f.socktype protocol:int | fd | network
42 connect sockfd:fd addr:sockaddr[addrlen] addrlen:uint | int | network
43 accept sockfd:fd addr:>sockaddr addrlen:>int | fd | network
44 sendto sockfd:fd buf:bytes[len] len:size flags:f.msg dest_addr:sockaddr[addrlen] addrlen:uint | size | network
45 recvfrom sockfd:fd buf:>bytes[len] len:size flags:f.msg src_addr:>sockaddr addrlen:>int | size | network
46 sendmsg sockfd:fd msg:msghdr flags:f.msg | size | network
47 recvmsg sockfd:fd msg:>msghdr flags:f.msg | size | network
48 shutdown sockfd:fd how:e.shutdown | int | network
49 bind sockfd:fd addr:sockaddr[addrlen] addrlen:uint | int | network
50 listen sockfd:fd backlog:int | int | network
51 getsockname sockfd:fd addr:>sockaddr addrlen:>int | int | network
52 getpeername sockfd:fd addr:>sockaddr addrlen:>int | int | network
53 socketpair domain:e.family type:f.socktype protocol:int sv:>fdpair | int | network
54 setsockopt sockfd:fd level:e.sol optname:e.sockopt optval:bytes[optlen] optlen:uint | int | network
55 getsockopt sockfd:fd level:e.sol optname:e.sockopt optval:>int optlen:>int | int | network
56 clone flags:f.clone stack:ptr parent_tid:ptr child_tid:ptr tls:hex | pid | process
57 fork | pid | process
58 vfork | pid | process
59 execve pathname:path argv:strings envp:strings | int | file process
60 exit status:int | never | process
61 wait4 pid:pid wstatus:>int options:f.wait rusage:ptr | pid | process
62 kill pid:pid sig:sig | int | signal process
63 uname buf:>utsname | int | system
64 semget key:hex nsems:int semflg:hex | int | ipc
65 semop semid:int sops:ptr nsops:size | int | ipc
66 semctl semid:int semnum:int cmd:int arg:hex | int | ipc
67 shmdt shmaddr:ptr | int | ipc memory
68 msgget key:hex msgflg:hex | int | ipc
69 msgsnd msqid:int msgp:ptr msgsz:size msgflg:hex | int | ipc
70 msgrcv msqid:int msgp:ptr msgsz:size msgtyp:long msgflg:hex | size | ipc
71 msgctl msqid:int cmd:int buf:ptr | int | ipc
72 fcntl fd:fd cmd:e.fcntl arg:hex | int | desc
73 flock fd:fd operation:f.flock | int | desc
74 fsync fd:fd | int | desc
75 fdatasync fd:fd | int | desc
76 truncate path:path length:off | int | file
77 ftruncate fd:fd length:off | int | desc
78 getdents fd:fd dirp:ptr count:uint | size | desc
79 getcwd buf:>str size:size | size | file
80 chdir path:path | int | file
81 fchdir fd:fd | int | desc
82 rename oldpath:path newpath:path | int | file
83 mkdir path:path mode:mode | int | file
84 rmdir path:path | int | file
85 creat path:path mode:mode | fd | file desc
86 link oldpath:path newpath:path | int | file
87 unlink path:path | int | file
88 symlink target:path linkpath:path | int | file
89 readlink path:path buf:>bytes[bufsiz] bufsiz:size | size | file
90 chmod path:path mode:mode | int | file
91 fchmod fd:fd mode:mode | int | desc
92 chown path:path owner:uid group:uid | int | file
93 fchown fd:fd owner:uid group:uid | int | desc
94 lchown path:path owner:uid group:uid | int | file
95 umask mask:mode | hex | file
96 gettimeofday tv:>timeval tz:ptr | int | time
97 getrlimit resource:e.rlimit rlim:>rlimit | int | process
98 getrusage who:e.rusage usage:ptr | int | process
99 sysinfo info:ptr | int | system
100 times buf:ptr | size | time
101 ptrace request:int pid:pid addr:ptr data:ptr | hex | process
102 getuid | int | creds
103 syslog type:int bufp:ptr len:int | int | system
104 getgid | int | creds
105 setuid uid:uid | int | creds
106 setgid gid:uid | int | creds
107 geteuid | int | creds
108 getegid | int | creds
109 setpgid pid:pid pgid:pid | int | process
110 getppid | pid | process
111 getpgrp | pid | process
112 setsid | pid | process
113 setreuid ruid:uid euid:uid | int | creds
114 setregid rgid:uid egid:uid | int | creds
115 getgroups size:int list:ptr | int | creds
116 setgroups size:size list:ptr | int | creds
117 setresuid ruid:uid euid:uid suid:uid | int | creds
118 getresuid ruid:>int euid:>int suid:>int | int | creds
119 setresgid rgid:uid egid:uid sgid:uid | int | creds
120 getresgid rgid:>int egid:>int sgid:>int | int | creds
121 getpgid pid:pid | pid | process
122 setfsuid uid:uid | int | creds
123 setfsgid gid:uid | int | creds
124 getsid pid:pid | pid | process
125 capget hdrp:ptr datap:ptr | int | creds
126 capset hdrp:ptr datap:ptr | int | creds
127 rt_sigpending set:>sigset sigsetsize:size | int | signal
128 rt_sigtimedwait set:sigset info:ptr timeout:timespec sigsetsize:size | int | signal
129 rt_sigqueueinfo tgid:pid sig:sig info:ptr | int | signal
130 rt_sigsuspend mask:sigset sigsetsize:size | int | signal
131 sigaltstack ss:stack old_ss:>stack | int | signal
132 utime filename:path times:ptr | int | file
133 mknod path:path mode:mode dev:dev | int | file
134 uselib library:path | int | file
135 personality persona:hex | hex | process
136 ustat dev:dev ubuf:ptr | int | file
137 statfs path:path buf:ptr | int | file
138 fstatfs fd:fd buf:ptr | int | desc
139 sysfs option:int arg1:hex arg2:hex | int | system
140 getpriority which:int who:int | int | sched
141 setpriority which:int who:int prio:int | int | sched
142 sched_setparam pid:pid param:ptr | int | sched
143 sched_getparam pid:pid param:ptr | int | sched
144 sched_setscheduler pid:pid policy:e.sched param:ptr | int | sched
145 sched_getscheduler pid:pid | int | sched
146 sched_get_priority_max policy:e.sched | int | sched
147 sched_get_priority_min policy:e.sched | int | sched
148 sched_rr_get_interval pid:pid tp:>timespec | int | sched
149 mlock addr:ptr len:size | int | memory
150 munlock addr:ptr len:size | int | memory
151 mlockall flags:hex | int | memory
152 munlockall | int | memory
153 vhangup | int | system
154 modify_ldt func:int ptr:ptr bytecount:size | int | system
155 pivot_root new_root:path put_old:path | int | file
156 _sysctl args:ptr | int | system
157 prctl option:e.prctl arg2:hex arg3:hex arg4:hex arg5:hex | int | process
158 arch_prctl code:e.archprctl addr:hex | int | process
159 adjtimex buf:ptr | int | time
160 setrlimit resource:e.rlimit rlim:rlimit | int | process
161 chroot path:path | int | file
162 sync | int | system
163 acct filename:path | int | file
164 settimeofday tv:timeval tz:ptr | int | time
165 mount source:path target:path filesystemtype:str mountflags:f.mount data:ptr | int | file
166 umount2 target:path flags:f.umount | int | file
167 swapon path:path swapflags:hex | int | file
168 swapoff path:path | int | file
169 reboot magic:hex magic2:hex cmd:hex arg:ptr | int | system
170 sethostname name:bytes[len] len:size | int | system
171 setdomainname name:bytes[len] len:size | int | system
172 iopl level:int | int | system
173 ioperm from:hex num:size turn_on:int | int | system
174 create_module name:str size:size | ptr | system
175 init_module module_image:ptr len:size param_values:str | int | system
176 delete_module name:str flags:hex | int | system
177 get_kernel_syms table:ptr | int | system
178 query_module name:str which:int buf:ptr bufsize:size ret:ptr | int | system
179 quotactl cmd:hex special:path id:int addr:ptr | int | file
180 nfsservctl cmd:int argp:ptr resp:ptr | int | system
181 getpmsg | int | ipc
182 putpmsg | int | ipc
183 afs_syscall | int | system
184 tuxcall | int | system
185 security | int | system
186 gettid | pid | process
187 readahead fd:fd offset:off count:size | size | desc
188 setxattr path:path name:str value:bytes[size] size:size flags:hex | int | file
189 lsetxattr path:path name:str value:bytes[size] size:size flags:hex | int | file
190 fsetxattr fd:fd name:str value:bytes[size] size:size flags:hex | int | desc
191 getxattr path:path name:str value:>bytes[size] size:size | size | file
192 lgetxattr path:path name:str value:>bytes[size] size:size | size | file
193 fgetxattr fd:fd name:str value:>bytes[size] size:size | size | desc
194 listxattr path:path list:>bytes[size] size:size | size | file
195 llistxattr path:path list:>bytes[size] size:size | size | file
196 flistxattr fd:fd list:>bytes[size] size:size | size | desc
197 removexattr path:path name:str | int | file
198 lremovexattr path:path name:str | int | file
199 fremovexattr fd:fd name:str | int | desc
200 tkill tid:pid sig:sig | int | signal process
201 time tloc:>long | int | time
202 futex uaddr:ptr op:e.futex val:uint timeout:timespec uaddr2:ptr val3:hex | int | sched
203 sched_setaffinity pid:pid cpusetsize:size mask:bytes[cpusetsize] | int | sched
204 sched_getaffinity pid:pid cpusetsize:size mask:>bytes[cpusetsize] | int | sched
205 set_thread_area u_info:ptr | int | process
206 io_setup nr_events:uint ctx_idp:>long | int | desc
207 io_destroy ctx_id:hex | int | desc
208 io_getevents ctx_id:hex min_nr:long nr:long events:ptr timeout:timespec | int | desc
209 io_submit ctx_id:hex nr:long iocbpp:ptr | int | desc
210 io_cancel ctx_id:hex iocb:ptr result:ptr | int | desc
211 get_thread_area u_info:ptr | int | process
212 lookup_dcookie cookie:hex buffer:ptr len:size | size | file
213 epoll_create size:int | fd | desc
214 epoll_ctl_old | int | desc
215 epoll_wait_old | int | desc
216 remap_file_pages addr:ptr size:size prot:f.prot pgoff:size flags:f.map | int | memory
217 getdents64 fd:fd dirp:ptr count:size | size | desc
218 set_tid_address tidptr:ptr | pid | process
219 restart_syscall | int | process
220 semtimedop semid:int sops:ptr nsops:size timeout:timespec | int | ipc
221 fadvise64 fd:fd offset:off len:size advice:int | int | desc
222 timer_create clockid:e.clock sevp:ptr timerid:>int | int | time
223 timer_settime timerid:int flags:hex new_value:itimerspec old_value:>itimerspec | int | time
224 timer_gettime timerid:int curr_value:>itimerspec | int | time
225 timer_getoverrun timerid:int | int | time
226 timer_delete timerid:int | int | time
227 clock_settime clockid:e.clock tp:timespec | int | time
228 clock_gettime clockid:e.clock tp:>timespec | int | time
229 clock_getres clockid:e.clock res:>timespec | int | time
230 clock_nanosleep clockid:e.clock flags:f.timer request:timespec remain:>timespec | int | time
231 exit_group status:int | never | process
232 epoll_wait epfd:fd events:>epollevent maxevents:int timeout:int | int | desc
233 epoll_ctl epfd:fd op:e.epollctl fd:fd event:epollevent | int | desc
234 tgkill tgid:pid tid:pid sig:sig | int | signal process
235 utimes filename:path times:ptr | int | file
236 vserver | int | system
237 mbind addr:ptr len:size mode:int nodemask:ptr maxnode:size flags:hex | int | memory
238 set_mempolicy mode:int nodemask:ptr maxnode:size | int | memory
239 get_mempolicy mode:>int nodemask:ptr maxnode:size addr:ptr flags:hex | int | memory
240 mq_open name:str oflag:f.open mode:mode attr:ptr | fd | ipc desc
241 mq_unlink name:str | int | ipc
242 mq_timedsend mqdes:fd msg_ptr:bytes[msg_len] msg_len:size msg_prio:uint abs_timeout:timespec | int | ipc desc
243 mq_timedreceive mqdes:fd msg_ptr:>bytes[msg_len] msg_len:size msg_prio:>int abs_timeout:timespec | size | ipc desc
244 mq_notify mqdes:fd sevp:ptr | int | ipc desc
245 mq_getsetattr mqdes:fd newattr:ptr oldattr:ptr | int | ipc desc
246 kexec_load entry:hex nr_segments:size segments:ptr flags:hex | int | system
247 waitid idtype:int id:pid infop:ptr options:f.wait rusage:ptr | int | process
248 add_key type:str description:str payload:ptr plen:size keyring:int | int | system
249 request_key type:str description:str callout_info:str keyring:int | int | system
250 keyctl operation:int arg2:hex arg3:hex arg4:hex arg5:hex | int | system
251 ioprio_set which:int who:int ioprio:hex | int | sched
252 ioprio_get which:int who:int | int | sched
253 inotify_init | fd | desc
254 inotify_add_watch fd:fd pathname:path mask:f.inotify | int | file desc
255 inotify_rm_watch fd:fd wd:int | int | desc
256 migrate_pages pid:pid maxnode:size old_nodes:ptr new_nodes:ptr | int | memory
257 openat dirfd:dirfd path:path flags:f.open mode:mode | fd | file desc
258 mkdirat dirfd:dirfd path:path mode:mode | int | file desc
259 mknodat dirfd:dirfd path:path mode:mode dev:dev | int | file desc
260 fchownat dirfd:dirfd path:path owner:uid group:uid flags:f.at | int | file desc
261 futimesat dirfd:dirfd path:path times:ptr | int | file desc
262 newfstatat dirfd:dirfd path:path buf:>stat flags:f.at | int | file desc
263 unlinkat dirfd:dirfd path:path flags:f.at | int | file desc
264 renameat olddirfd:dirfd oldpath:path newdirfd:dirfd newpath:path | int | file desc
265 linkat olddirfd:dirfd oldpath:path newdirfd:dirfd newpath:path flags:f.at | int | file desc
266 symlinkat target:path newdirfd:dirfd linkpath:path | int | file desc
267 readlinkat dirfd:dirfd path:path buf:>bytes[bufsiz] bufsiz:size | size | file desc
268 fchmodat dirfd:dirfd path:path mode:mode | int | file desc
269 faccessat dirfd:dirfd path:path mode:f.access | int | file desc
270 pselect6 nfds:int readfds:ptr writefds:ptr exceptfds:ptr timeout:timespec sigmask:ptr | int | desc
271 ppoll fds:pollfd[nfds] nfds:uint tmo_p:timespec sigmask:sigset sigsetsize:size | int | desc
272 unshare flags:f.clone | int | process
273 set_robust_list head:ptr len:size | int | process
274 get_robust_list pid:pid head_ptr:ptr len_ptr:ptr | int | process
275 splice fd_in:fd off_in:ptr fd_out:fd off_out:ptr len:size flags:hex | size | desc
276 tee fd_in:fd fd_out:fd len:size flags:hex | size | desc
277 sync_file_range fd:fd offset:off nbytes:off flags:hex | int | desc
278 vmsplice fd:fd iov:iovec[nr_segs] nr_segs:size flags:hex | size | desc
279 move_pages pid:pid count:size pages:ptr nodes:ptr status:ptr flags:hex | int | memory
280 utimensat dirfd:dirfd path:path times:ptr flags:f.at | int | file desc
281 epoll_pwait epfd:fd events:>epollevent maxevents:int timeout:int sigmask:sigset sigsetsize:size | int | desc
282 signalfd fd:fd mask:sigset sizemask:size | fd | desc signal
283 timerfd_create clockid:e.clock flags:f.timerfd | fd | desc time
284 eventfd initval:uint | fd | desc
285 fallocate fd:fd mode:hex offset:off len:off | int | desc
286 timerfd_settime fd:fd flags:f.timer new_value:itimerspec old_value:>itimerspec | int | desc time
287 timerfd_gettime fd:fd curr_value:>itimerspec | int | desc time
288 accept4 sockfd:fd addr:>sockaddr addrlen:>int flags:f.socktype | fd | network
289 signalfd4 fd:fd mask:sigset sizemask:size flags:f.open | fd | desc signal
290 eventfd2 initval:uint flags:f.eventfd | fd | desc
291 epoll_create1 flags:f.open | fd | desc
292 dup3 oldfd:fd newfd:fd flags:f.open | fd | desc
293 pipe2 pipefd:>fdpair flags:f.open | int | desc
294 inotify_init1 flags:f.open | fd | desc
295 preadv fd:fd iov:>iovec[iovcnt] iovcnt:size pos_l:off pos_h:off | size | desc
296 pwritev fd:fd iov:iovec[iovcnt] iovcnt:size pos_l:off pos_h:off | size | desc
297 rt_tgsigqueueinfo tgid:pid tid:pid sig:sig info:ptr | int | signal process
298 perf_event_open attr:ptr pid:pid cpu:int group_fd:fd flags:hex | fd | desc
299 recvmmsg sockfd:fd msgvec:ptr vlen:uint flags:f.msg timeout:timespec | int | network
300 fanotify_init flags:hex event_f_flags:f.open | fd | desc
301 fanotify_mark fanotify_fd:fd flags:hex mask:hex dirfd:dirfd pathname:path | int | file desc
302 prlimit64 pid:pid resource:e.rlimit new_limit:rlimit old_limit:>rlimit | int | process
303 name_to_handle_at dirfd:dirfd path:path handle:ptr mount_id:>int flags:f.at | int | file desc
304 open_by_handle_at mount_fd:fd handle:ptr flags:f.open | fd | desc
305 clock_adjtime clockid:e.clock buf:ptr | int | time
306 syncfs fd:fd | int | desc
307 sendmmsg sockfd:fd msgvec:ptr vlen:uint flags:f.msg | int | network
308 setns fd:fd nstype:f.clone | int | process desc
309 getcpu cpu:>int node:>int tcache:ptr | int | sched
310 process_vm_readv pid:pid local_iov:iovec[liovcnt] liovcnt:size remote_iov:ptr riovcnt:size flags:hex | size | process
311 process_vm_writev pid:pid local_iov:iovec[liovcnt] liovcnt:size remote_iov:ptr riovcnt:size flags:hex | size | process
312 kcmp pid1:pid pid2:pid type:int idx1:hex idx2:hex | int | process
313 finit_module fd:fd param_values:str flags:hex | int | system desc
314 sched_setattr pid:pid attr:ptr flags:hex | int | sched
315 sched_getattr pid:pid attr:ptr size:uint flags:hex | int | sched
316 renameat2 olddirfd:dirfd oldpath:path newdirfd:dirfd newpath:path flags:f.rename | int | file desc
317 seccomp operation:uint flags:hex args:ptr | int | process
318 getrandom buf:>bytes[buflen] buflen:size flags:f.random | size | system
319 memfd_create name:str flags:f.memfd | fd | desc memory
320 kexec_file_load kernel_fd:fd initrd_fd:fd cmdline_len:size cmdline:str flags:hex | int | system desc
321 bpf cmd:int attr:ptr size:uint | int | system
322 execveat dirfd:dirfd pathname:path argv:strings envp:strings flags:f.at | int | file process desc
323 userfaultfd flags:f.open | fd | desc memory
324 membarrier cmd:int flags:hex cpu_id:int | int | memory
325 mlock2 start:ptr len:size flags:hex | int | memory
326 copy_file_range fd_in:fd off_in:ptr fd_out:fd off_out:ptr len:size flags:hex | size | desc
327 preadv2 fd:fd iov:>iovec[iovcnt] iovcnt:size pos_l:off pos_h:off flags:hex | size | desc
328 pwritev2 fd:fd iov:iovec[iovcnt] iovcnt:size pos_l:off pos_h:off flags:hex | size | desc
329 pkey_mprotect addr:ptr len:size prot:f.prot pkey:int | int | memory
330 pkey_alloc flags:hex access_rights:hex | int | memory
331 pkey_free pkey:int | int | memory
332 statx dirfd:dirfd path:path flags:f.at mask:f.statx statxbuf:>statx | int | file desc
333 io_pgetevents ctx_id:hex min_nr:long nr:long events:ptr timeout:timespec usig:ptr | int | desc
334 rseq rseq:ptr rseq_len:hex flags:hex sig:hex | int | process
424 pidfd_send_signal pidfd:fd sig:sig info:ptr flags:hex | int | signal process desc
425 io_uring_setup entries:uint p:ptr | fd | desc
426 io_uring_enter fd:fd to_submit:uint min_complete:uint flags:hex sig:ptr sigsz:size | int | desc
427 io_uring_register fd:fd opcode:uint arg:ptr nr_args:uint | int | desc
428 open_tree dfd:dirfd filename:path flags:hex | fd | file desc
429 move_mount from_dfd:dirfd from_path:path to_dfd:dirfd to_path:path flags:hex | int | file desc
430 fsopen fsname:str flags:hex | fd | desc
431 fsconfig fd:fd cmd:uint key:str value:ptr aux:int | int | file desc
432 fsmount fs_fd:fd flags:hex attr_flags:hex | fd | desc
433 fspick dfd:dirfd path:path flags:hex | fd | file desc
434 pidfd_open pid:pid flags:hex | fd | desc process
435 clone3 cl_args:ptr size:size | pid | process
436 close_range first:uint last:uint flags:hex | int | desc
437 openat2 dirfd:dirfd path:path how:ptr size:size | fd | file desc
438 pidfd_getfd pidfd:fd targetfd:fd flags:hex | fd | desc process
439 faccessat2 dirfd:dirfd path:path mode:f.access flags:f.at | int | file desc
440 process_madvise pidfd:fd iovec:iovec[vlen] vlen:size advice:e.madvise flags:hex | size | memory
441 epoll_pwait2 epfd:fd events:>epollevent maxevents:int timeout:timespec sigmask:sigset sigsetsize:size | int | desc
442 mount_setattr dfd:dirfd path:path flags:f.at uattr:ptr usize:size | int | file desc
443 quotactl_fd fd:fd cmd:hex id:int addr:ptr | int | desc
444 landlock_create_ruleset attr:ptr size:size flags:hex | fd | desc
445 landlock_add_rule ruleset_fd:fd rule_type:int rule_attr:ptr flags:hex | int | desc
446 landlock_restrict_self ruleset_fd:fd flags:hex | int | desc
447 memfd_secret flags:f.memfd | fd | desc memory
448 process_mrelease pidfd:fd flags:hex | int | memory desc
449 futex_waitv waiters:ptr nr_futexes:uint flags:hex timeout:timespec clockid:e.clock | int | sched
450 set_mempolicy_home_node start:ptr len:size home_node:hex flags:hex | int | memory
451 cachestat fd:fd cstat_range:ptr cstat:ptr flags:hex | int | desc
452 fchmodat2 dirfd:dirfd path:path mode:mode flags:f.at | int | file desc
453 map_shadow_stack addr:ptr size:size flags:hex | ptr | memory
454 futex_wake uaddr:ptr mask:hex nr:int flags:hex | int | sched
455 futex_wait uaddr:ptr val:hex mask:hex flags:hex timeout:timespec clockid:e.clock | int | sched
456 futex_requeue waiters:ptr flags:hex nr_wake:int nr_requeue:int | int | sched
457 statmount req:ptr buf:ptr bufsize:size flags:hex | int | file
458 listmount req:ptr mnt_ids:ptr nr_mnt_ids:size flags:hex | size | file
459 lsm_get_self_attr attr:uint ctx:ptr size:ptr flags:hex | int | system
460 lsm_set_self_attr attr:uint ctx:ptr size:uint flags:hex | int | system
461 lsm_list_modules ids:ptr size:ptr flags:hex | int | system
462 mseal addr:ptr len:size flags:hex | int | memory
`;

function parseArgument(text: string): SyscallArgument {
  const colon = text.indexOf(':');
  const filled = text[colon + 1] === '>';
  const rest = text.slice(colon + (filled ? 2 : 1));
  const bracket = rest.indexOf('[');
  return {
    name: text.slice(0, colon),
    kind: bracket < 0 ? rest : rest.slice(0, bracket),
    filled,
    ...(bracket < 0 ? {} : { count: rest.slice(bracket + 1, -1) }),
  };
}

function parseRow(line: string): SyscallRow {
  const [head = '', result = '', classes = ''] = line.split(' | ');
  const [number = '', name = '', ...args] = head.trim().split(' ');
  return {
    number: Number(number),
    name,
    args: args.map(parseArgument),
    result: result as SyscallResult,
    classes: classes.split(' ') as SyscallClass[],
  };
}

interface Table {
  readonly list: readonly SyscallRow[];
  readonly byNumber: readonly (SyscallRow | undefined)[];
  readonly byName: ReadonlyMap<string, SyscallRow>;
}
let parsed: Table | undefined;

/** Parsed when first asked for. */
function table(): Table {
  if (parsed === undefined) {
    const list = rows.trim().split('\n').map(parseRow);
    const byNumber: (SyscallRow | undefined)[] = new Array<undefined>(Math.max(...list.map(({ number }) => number)) + 1).fill(undefined);
    for (const row of list) byNumber[row.number] = row;
    parsed = { list, byNumber, byName: new Map(list.map((row) => [row.name, row])) };
  }
  return parsed;
}

/** All rows, by number. */
export function syscallRows(): readonly SyscallRow[] {
  return table().list;
}

export function syscallByNumber(number: number): SyscallRow | undefined {
  return table().byNumber[number];
}

export function syscallByName(name: string): SyscallRow | undefined {
  return table().byName.get(name);
}
