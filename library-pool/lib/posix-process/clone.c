/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * clone(2) for threads. A new one goes on with a copy of its creator's
 * registers, as a system call that returns 0 leaves them. Processes are
 * refused: there is one address space, and one table of descriptors.
 */
#include <stdlib.h>
#include <string.h>
#include <posix/futex.h>
#include <uk/sched.h>
#include <uk/syscall.h>
#include "thread.h"

#define CLONE_VM		0x00000100UL
#define CLONE_FS		0x00000200UL
#define CLONE_FILES		0x00000400UL
#define CLONE_SIGHAND		0x00000800UL
#define CLONE_THREAD		0x00010000UL
#define CLONE_SETTLS		0x00080000UL
#define CLONE_PARENT_SETTID	0x00100000UL
#define CLONE_CHILD_CLEARTID	0x00200000UL
#define CLONE_CHILD_SETTID	0x01000000UL

/* What all threads of a program share. */
#define SHARED	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | \
		 CLONE_THREAD)

static struct posix_thread first = {
	.tid = PID, .altstack = { NULL, SS_DISABLE, 0 },
};
static pid_t last_tid = PID;

struct posix_thread *posix_thread_current(void)
{
	struct uk_thread *t = uk_thread_current();

	return t && t->priv ? t->priv : &first;
}

struct posix_thread *posix_thread_find(pid_t tid)
{
	struct posix_thread *pt;

	for (pt = &first; pt && pt->tid != tid; pt = pt->next)
		;
	return pt;
}

void posix_thread_leave(struct posix_thread *pt)
{
	struct posix_thread *before;

	for (before = &first; before; before = before->next)
		if (before->next == pt)
			before->next = pt->next;
	if (pt->clear_tid) {
		*pt->clear_tid = 0;
		posix_futex_wake(pt->clear_tid, 1);
	}
	if (pt == &first)
		return;
	uk_thread_current()->priv = NULL;
	free(pt);
}

/* First steps of a thread, on its own stack in the kernel. */
static void enter(void *arg)
{
	struct uk_syscall_ctx *usc = arg;

	uk_thread_current()->tlsp = usc->execenv.sysctx.fsbase;
	ukplat_syscall_return(usc);
}

/* Where a system call of the thread would have left the registers. */
static struct uk_syscall_ctx *top_of(const struct uk_thread *t)
{
	return (struct uk_syscall_ctx *)(t->auxsp - UKARCH_AUXSPCB_SIZE -
					 UK_SYSCALL_CTX_SLOT);
}

UK_LLSYSCALL_R_E_DEFINE(long, clone, unsigned long, flags, uintptr_t, stack,
			uint32_t *, parent_tid, uint32_t *, child_tid,
			uintptr_t, tls)
{
	struct posix_thread *pt;
	struct uk_syscall_ctx *usc;
	struct uk_thread *t;

	if ((flags & SHARED) != SHARED)
		return -ENOSYS;
	if (!stack)
		return -EINVAL;
	pt = calloc(1, sizeof(*pt));
	if (!pt)
		return -ENOMEM;
	t = uk_sched_thread_create(uk_sched_current(), enter, NULL, "clone");
	if (!t) {
		free(pt);
		return -ENOMEM;
	}
	/* It does not run before this thread gives way. */
	usc = top_of(t);
	memcpy(&usc->execenv, execenv, sizeof(*execenv));
	usc->auxsp = t->auxsp;
	usc->execenv.regs.rax = 0;
	usc->execenv.regs.rsp = stack;
	if (flags & CLONE_SETTLS)
		usc->execenv.sysctx.fsbase = tls;
	t->arg = usc;

	pt->tid = ++last_tid;
	pt->blocked = posix_thread_current()->blocked;
	pt->altstack.flags = SS_DISABLE;
	pt->clear_tid = flags & CLONE_CHILD_CLEARTID ? child_tid : NULL;
	pt->next = first.next;
	first.next = pt;
	t->priv = pt;
	if (flags & CLONE_PARENT_SETTID)
		*parent_tid = (uint32_t)pt->tid;
	if (flags & CLONE_CHILD_SETTID)
		*child_tid = (uint32_t)pt->tid;
	return pt->tid;
}
