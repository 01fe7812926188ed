/* SPDX-License-Identifier: BSD-3-Clause */
/* Records what is to happen on signals, and ends the program by them. */
#include <string.h>
#include <uk/plat/bootstrap.h>
#include <uk/syscall.h>

#define NSIG		64
#define SIGCHLD		17
#define SIGCONT		18
#define SIGURG		23
#define SIGWINCH	28
#define SIGKILL		9
#define SIGSTOP		19
#define SIG_DFL		0UL
#define SIG_IGN		1UL
#define SIG_BLOCK	0
#define SIG_UNBLOCK	1
#define SIG_SETMASK	2
#define SS_DISABLE	2
#define PID		1
#define PR_SET_NAME	15
#define PR_GET_NAME	16

struct sigaction {
	unsigned long handler;
	unsigned long flags;
	unsigned long restorer;
	uint64_t mask;
};

struct stack {
	void *sp;
	int flags;
	size_t size;
};

static struct sigaction actions[NSIG + 1];
static uint64_t blocked;
static struct stack altstack = { NULL, SS_DISABLE, 0 };
static char name[16];

UK_LLSYSCALL_R_DEFINE(int, rt_sigaction, int, sig,
		      const struct sigaction *, set, struct sigaction *, old,
		      size_t, size)
{
	if (sig < 1 || sig > NSIG || size != sizeof(blocked) ||
	    (set && (sig == SIGKILL || sig == SIGSTOP)))
		return -EINVAL;
	if (old)
		*old = actions[sig];
	if (set)
		actions[sig] = *set;
	return 0;
}

UK_LLSYSCALL_R_DEFINE(int, rt_sigprocmask, int, how, const uint64_t *, set,
		      uint64_t *, old, size_t, size)
{
	uint64_t bits = set ? *set : 0;

	if (size != sizeof(blocked))
		return -EINVAL;
	if (old)
		*old = blocked;
	if (!set)
		return 0;
	switch (how) {
	case SIG_BLOCK:
		blocked |= bits;
		return 0;
	case SIG_UNBLOCK:
		blocked &= ~bits;
		return 0;
	case SIG_SETMASK:
		blocked = bits;
		return 0;
	default:
		return -EINVAL;
	}
}

UK_LLSYSCALL_R_DEFINE(int, rt_sigpending, uint64_t *, set, size_t, size)
{
	if (size != sizeof(*set))
		return -EINVAL;
	*set = 0;
	return 0;
}

UK_SYSCALL_R_DEFINE(int, sigaltstack, const struct stack *, set,
		    struct stack *, old)
{
	if (old)
		*old = altstack;
	if (set)
		altstack = *set;
	return 0;
}

/* Whether a signal without a handler leaves the program as it is. */
static bool harmless(int sig)
{
	return sig == SIGCHLD || sig == SIGCONT || sig == SIGURG ||
	       sig == SIGWINCH;
}

static int send(int sig)
{
	if (sig < 0 || sig > NSIG)
		return -EINVAL;
	if (!sig || actions[sig].handler == SIG_IGN ||
	    (actions[sig].handler == SIG_DFL && harmless(sig)))
		return 0;
	/* As a shell tells it: 128 and the signal's number. */
	ukplat_exit(128 + sig);
}

UK_SYSCALL_R_DEFINE(int, kill, pid_t, pid, int, sig)
{
	return pid > PID ? -ESRCH : send(sig);
}

UK_LLSYSCALL_R_DEFINE(int, tkill, pid_t, tid, int, sig)
{
	(void)tid;
	return send(sig);
}

UK_LLSYSCALL_R_DEFINE(int, tgkill, pid_t, tgid, pid_t, tid, int, sig)
{
	(void)tid;
	return tgid != PID ? -ESRCH : send(sig);
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
