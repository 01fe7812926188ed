/* SPDX-License-Identifier: BSD-3-Clause */
/* Waiting for children, and the numbers of processes and their groups. */
#include <errno.h>
#include <string.h>
#include <posix/signal.h>
#include <uk/sched.h>
#include <uk/syscall.h>
#include "children.h"
#include "signal_impl.h"

#define WNOHANG		1
#define WUNTRACED	2
#define WEXITED		4
#define WCONTINUED	8
#define WNOWAIT		0x01000000
#define WALL		0xe0000000U	/* __WALL, __WCLONE, __WNOTHREAD */

#define P_ALL		0
#define P_PID		1
#define P_PGID		2

#define CLD_EXITED	1
#define CLD_KILLED	2

/* As wait4(2) has it: a process, -1 for all, 0 and below for groups. */
static bool matches(const struct posix_process *c, pid_t which)
{
	if (which == -1)
		return true;
	if (which > 0)
		return c->pid == which;
	return c->pgid == (which ? -which : posix_process_current()->pgid);
}

/* A child that has ended, NULL with WNOHANG, or an error. */
static long wait_for(pid_t which, int options, struct posix_process **found)
{
	struct posix_process *self = posix_process_current(), *c;
	struct uk_thread *t = uk_thread_current();

	for (;;) {
		bool any = false;

		for (c = posix_process_next(NULL); c; c = posix_process_next(c)) {
			if (c->parent != self || !matches(c, which))
				continue;
			any = true;
			if (!c->ended)
				continue;
			*found = c;
			return 0;
		}
		*found = NULL;
		if (!any)
			return -ECHILD;
		if (options & WNOHANG)
			return 0;
		if (posix_signal_ready())
			return -EINTR;
		uk_thread_block(t, 0);
		uk_sched_yield();
	}
}

UK_LLSYSCALL_R_DEFINE(pid_t, wait4, pid_t, pid, int *, status, int, options,
		      void *, usage)
{
	struct posix_process *c;
	long rc;

	if ((unsigned int)options & ~(WNOHANG | WUNTRACED | WCONTINUED | WALL))
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	rc = wait_for(pid, options, &c);
	if (rc || !c)
		return (pid_t)rc;
	pid = c->pid;
	if (status)
		*status = c->status;
	if (usage)
		memset(usage, 0, 144);	/* struct rusage: not counted */
	posix_process_forget(c);
	return pid;
}

UK_LLSYSCALL_R_DEFINE(int, waitid, int, type, pid_t, id,
		      struct posix_siginfo *, info, int, options, void *, usage)
{
	struct posix_process *c;
	long rc;

	if (!(options & WEXITED) ||
	    (options & ~(WEXITED | WNOHANG | WUNTRACED | WCONTINUED | WNOWAIT)))
		return -EINVAL;
	switch (type) {
	case P_ALL:
		id = -1;
		break;
	case P_PID:
		if (id <= 0)
			return -EINVAL;
		break;
	case P_PGID:
		if (id < 0)
			return -EINVAL;
		id = -id;
		break;
	default:
		return -EINVAL;
	}
	rc = wait_for(id, options, &c);
	if (rc)
		return (int)rc;
	if (info)
		memset(info, 0, sizeof(*info));
	if (!c)
		return 0;
	if (info) {
		info->signo = SIGCHLD;
		info->code = c->status & 0x7f ? CLD_KILLED : CLD_EXITED;
		info->child.pid = c->pid;
		info->child.status = c->status & 0x7f ? c->status & 0x7f
						      : c->status >> 8;
	}
	if (usage)
		memset(usage, 0, 144);
	if (!(options & WNOWAIT))
		posix_process_forget(c);
	return 0;
}

UK_SYSCALL_R_DEFINE(pid_t, getpid)
{
	return posix_process_current()->pid;
}

UK_SYSCALL_R_DEFINE(pid_t, getppid)
{
	const struct posix_process *parent = posix_process_current()->parent;

	return parent ? parent->pid : 0;
}

/* The process of a number, 0 for the current one. */
static struct posix_process *process_of(pid_t pid)
{
	return pid ? posix_process_find(pid) : posix_process_current();
}

UK_SYSCALL_R_DEFINE(pid_t, getpgid, pid_t, pid)
{
	const struct posix_process *p = process_of(pid);

	return p ? p->pgid : -ESRCH;
}

UK_SYSCALL_R_DEFINE(pid_t, getpgrp)
{
	return posix_process_current()->pgid;
}

/* Whether a group is its own, or is there in its session. */
static bool may_join(const struct posix_process *p, pid_t pgid)
{
	const struct posix_process *c;

	if (!pgid || pgid == p->pid)
		return true;
	for (c = posix_process_next(NULL); c; c = posix_process_next(c))
		if (c->pgid == pgid && c->sid == p->sid)
			return true;
	return false;
}

UK_SYSCALL_R_DEFINE(int, setpgid, pid_t, pid, pid_t, pgid)
{
	struct posix_process *p = process_of(pid);

	if (pgid < 0)
		return -EINVAL;
	if (!p || (p != posix_process_current() &&
		   p->parent != posix_process_current()))
		return -ESRCH;
	if (p->sid == p->pid || p->sid != posix_process_current()->sid ||
	    !may_join(p, pgid))
		return -EPERM;
	p->pgid = pgid ? pgid : p->pid;
	return 0;
}

UK_SYSCALL_R_DEFINE(pid_t, getsid, pid_t, pid)
{
	const struct posix_process *p = process_of(pid);

	return p ? p->sid : -ESRCH;
}

UK_SYSCALL_R_DEFINE(pid_t, setsid)
{
	struct posix_process *p = posix_process_current();

	if (p->pgid == p->pid)
		return -EPERM;
	return p->sid = p->pgid = p->pid;
}
