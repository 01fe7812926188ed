/* SPDX-License-Identifier: BSD-3-Clause */
/* Records what is to happen on signals, and which wait for whom. */
#include <string.h>
#include <uk/config.h>
#include <uk/syscall.h>
#if CONFIG_LIBUKSCHED
#include <uk/sched.h>
#endif
#if CONFIG_LIBPOSIX_PROCESS_CHILDREN
#include <posix/state.h>
#include "children.h"
#endif
#include "signal_impl.h"
#include "thread.h"

#define SIG_BLOCK	0
#define SIG_UNBLOCK	1
#define SIG_SETMASK	2
#define MINSIGSTKSZ	2048
#define PR_SET_NAME	15
#define PR_GET_NAME	16

/* These cannot be held off. */
#define UNBLOCKABLE	(posix_signal_bit(SIGKILL) | posix_signal_bit(SIGSTOP))

struct posix_sigaction posix_sigactions[NSIG + 1];
static char name[16];
#if CONFIG_LIBPOSIX_PROCESS_CHILDREN
POSIX_STATE(posix_sigactions, NULL, NULL);
POSIX_STATE(name, NULL, NULL);
#endif

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
	bits &= ~UNBLOCKABLE;
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

	if (set && !(set->flags & SS_DISABLE) && set->size < MINSIGSTKSZ)
		return -ENOMEM;
	if (old)
		*old = pt->altstack;
	if (set)
		pt->altstack = *set;
	return 0;
}

/* It comes to the thread when a system call of it returns. */
int posix_signal_send_thread(struct posix_thread *pt, int sig)
{
	if (sig < 0 || sig > NSIG)
		return -EINVAL;
	if (!pt)
		return -ESRCH;
	if (!sig)
		return 0;
	pt->pending |= posix_signal_bit(sig);
	if (!(pt->blocked & posix_signal_bit(sig)))
		posix_thread_wake(pt);
	return 0;
}

void posix_signal_raise(int sig)
{
	posix_signal_send_thread(posix_thread_current(), sig);
}

#if CONFIG_LIBPOSIX_PROCESS_CHILDREN
int posix_signal_send(struct posix_process *p, int sig)
{
	struct posix_thread *pt, *to = NULL;

	if (sig < 0 || sig > NSIG)
		return -EINVAL;
	if (!p)
		return -ESRCH;
	if (!sig)
		return 0;
	/* To one that does not block it, where there is any. */
	for (pt = &posix_thread_first; pt; pt = pt->next)
		if (pt->process == p &&
		    (!to || !(pt->blocked & posix_signal_bit(sig))))
			to = pt;
	return to ? posix_signal_send_thread(to, sig) : 0;
}

UK_SYSCALL_R_DEFINE(int, kill, pid_t, pid, int, sig)
{
	struct posix_process *self = posix_process_current(), *p;
	pid_t group = pid ? (pid_t)-(int64_t)pid : self->pgid;
	int rc = -ESRCH;

	if (pid > 0)
		return posix_signal_send(posix_process_find(pid), sig);
	if (pid == INT32_MIN)
		return -ESRCH;
	for (p = posix_process_next(NULL); p; p = posix_process_next(p)) {
		if (pid == -1 ? p == self || p->pid == PID : p->pgid != group)
			continue;
		rc = posix_signal_send(p, sig);
		if (rc)
			break;
	}
	return rc;
}
#else
UK_SYSCALL_R_DEFINE(int, kill, pid_t, pid, int, sig)
{
	return posix_signal_send_thread(pid > PID ? NULL
						  : posix_thread_current(),
					sig);
}
#endif

void posix_signal_interrupt(void)
{
#if CONFIG_LIBPOSIX_PROCESS_CHILDREN
	struct posix_process *p;

	/* All have the one terminal. */
	for (p = posix_process_next(NULL); p; p = posix_process_next(p))
		posix_signal_send(p, SIGINT);
#else
	posix_signal_raise(SIGINT);
#endif
}

void posix_signal_exec(void)
{
	int sig;

	for (sig = 1; sig <= NSIG; sig++)
		if (posix_sigactions[sig].handler != SIG_IGN)
			posix_sigactions[sig] = (struct posix_sigaction) {
				.handler = SIG_DFL,
			};
}

void posix_signal_mask(uint64_t blocked)
{
	struct posix_thread *pt = posix_thread_current();

	pt->blocked_after = pt->blocked;
	pt->restores = true;
	pt->blocked = blocked & ~UNBLOCKABLE;
}

void posix_signal_unmask(void)
{
	struct posix_thread *pt = posix_thread_current();

	if (pt->restores)
		pt->blocked = pt->blocked_after;
	pt->restores = false;
}

/* Waits for a signal that the mask lets through. */
static int wait_for_signal(void)
{
#if CONFIG_LIBUKSCHED
	while (!posix_signal_ready()) {
		uk_thread_block(uk_thread_current(), 0);
		uk_sched_yield();
	}
	return -EINTR;
#else
	return posix_signal_ready() ? -EINTR : -EDEADLK;
#endif
}

UK_LLSYSCALL_R_DEFINE(int, rt_sigsuspend, const uint64_t *, set, size_t, size)
{
	if (size != sizeof(*set))
		return -EINVAL;
	posix_signal_mask(*set);
	return wait_for_signal();
}

UK_SYSCALL_R_DEFINE(int, pause)
{
	return wait_for_signal();
}

UK_LLSYSCALL_R_DEFINE(int, tkill, pid_t, tid, int, sig)
{
	return posix_signal_send_thread(posix_thread_find(tid), sig);
}

UK_LLSYSCALL_R_DEFINE(int, tgkill, pid_t, tgid, pid_t, tid, int, sig)
{
	struct posix_thread *pt = posix_thread_find(tid);

#if CONFIG_LIBPOSIX_PROCESS_CHILDREN
	if (pt && pt->process->pid != tgid)
		return -ESRCH;
#else
	if (tgid != PID)
		return -ESRCH;
#endif
	return posix_signal_send_thread(pt, sig);
}

#if !CONFIG_LIBPOSIX_PROCESS_CHILDREN
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
#endif

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
