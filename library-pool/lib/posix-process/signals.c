/* SPDX-License-Identifier: BSD-3-Clause */
/* Records what is to happen on signals, and which wait for whom. */
#include <string.h>
#include <uk/plat/bootstrap.h>
#include <uk/syscall.h>
#include "signal_impl.h"
#include "thread.h"

#define SIG_BLOCK	0
#define SIG_UNBLOCK	1
#define SIG_SETMASK	2
#define PR_SET_NAME	15
#define PR_GET_NAME	16

struct posix_sigaction posix_sigactions[NSIG + 1];
static char name[16];

UK_LLSYSCALL_R_DEFINE(int, rt_sigaction, int, sig,
		      const struct posix_sigaction *, set,
		      struct posix_sigaction *, old, size_t, size)
{
	if (sig < 1 || sig > NSIG || size != sizeof(set->mask) ||
	    (set && (sig == SIGKILL || sig == SIGSTOP)))
		return -EINVAL;
	if (old)
		*old = posix_sigactions[sig];
	if (set)
		posix_sigactions[sig] = *set;
	return 0;
}

UK_LLSYSCALL_R_DEFINE(int, rt_sigprocmask, int, how, const uint64_t *, set,
		      uint64_t *, old, size_t, size)
{
	struct posix_thread *pt = posix_thread_current();
	uint64_t bits = set ? *set : 0;

	if (size != sizeof(pt->blocked))
		return -EINVAL;
	/* These cannot be held off. */
	bits &= ~(posix_signal_bit(SIGKILL) | posix_signal_bit(SIGSTOP));
	if (old)
		*old = pt->blocked;
	if (!set)
		return 0;
	switch (how) {
	case SIG_BLOCK:
		pt->blocked |= bits;
		return 0;
	case SIG_UNBLOCK:
		pt->blocked &= ~bits;
		return 0;
	case SIG_SETMASK:
		pt->blocked = bits;
		return 0;
	default:
		return -EINVAL;
	}
}

UK_LLSYSCALL_R_DEFINE(int, rt_sigpending, uint64_t *, set, size_t, size)
{
	struct posix_thread *pt = posix_thread_current();

	if (size != sizeof(*set))
		return -EINVAL;
	*set = pt->pending & pt->blocked;
	return 0;
}

UK_SYSCALL_R_DEFINE(int, sigaltstack, const struct posix_stack *, set,
		    struct posix_stack *, old)
{
	struct posix_thread *pt = posix_thread_current();

	if (old)
		*old = pt->altstack;
	if (set)
		pt->altstack = *set;
	return 0;
}

/* It comes to the thread when its system call returns. */
static int send(struct posix_thread *pt, int sig)
{
	if (sig < 0 || sig > NSIG)
		return -EINVAL;
	if (!pt)
		return -ESRCH;
	if (sig)
		pt->pending |= posix_signal_bit(sig);
	return 0;
}

UK_SYSCALL_R_DEFINE(int, kill, pid_t, pid, int, sig)
{
	return pid > PID ? -ESRCH : send(posix_thread_current(), sig);
}

UK_LLSYSCALL_R_DEFINE(int, tkill, pid_t, tid, int, sig)
{
	return send(posix_thread_find(tid), sig);
}

UK_LLSYSCALL_R_DEFINE(int, tgkill, pid_t, tgid, pid_t, tid, int, sig)
{
	return tgid != PID ? -ESRCH : send(posix_thread_find(tid), sig);
}

UK_SYSCALL_R_DEFINE(pid_t, getpgid, pid_t, pid)
{
	return pid > PID ? -ESRCH : PID;
}

UK_SYSCALL_R_DEFINE(pid_t, getpgrp)
{
	return PID;
}

UK_SYSCALL_R_DEFINE(int, setpgid, pid_t, pid, pid_t, pgid)
{
	return pid > PID || pgid > PID ? -ESRCH : 0;
}

UK_SYSCALL_R_DEFINE(pid_t, getsid, pid_t, pid)
{
	return pid > PID ? -ESRCH : PID;
}

UK_SYSCALL_R_DEFINE(pid_t, setsid)
{
	return -EPERM;	/* it leads its group already */
}

UK_SYSCALL_R_DEFINE(int, prctl, int, option, char *, arg2, unsigned long, arg3,
		    unsigned long, arg4, unsigned long, arg5)
{
	(void)arg3;
	(void)arg4;
	(void)arg5;
	switch (option) {
	case PR_SET_NAME:
		strncpy(name, arg2, sizeof(name) - 1);
		return 0;
	case PR_GET_NAME:
		memcpy(arg2, name, sizeof(name));
		return 0;
	default:
		return -EINVAL;
	}
}

/* Nice values, turned round as the kernel has them: 20 is none. */
UK_LLSYSCALL_R_DEFINE(int, getpriority, int, which, int, who)
{
	(void)which;
	(void)who;
	return 20;
}

UK_SYSCALL_R_DEFINE(int, setpriority, int, which, int, who, int, prio)
{
	(void)which;
	(void)who;
	(void)prio;
	return 0;
}
