/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * clone(2): new threads, and new processes by it, fork(2) and vfork(2). The
 * new one goes on with a copy of its creator's registers, as a system call
 * that returns 0 leaves them.
 */
#include <stdlib.h>
#include <string.h>
#include <posix/futex.h>
#include <uk/plat/time.h>
#include <uk/sched.h>
#include <uk/syscall.h>
#include "thread.h"
#if CONFIG_LIBPOSIX_PROCESS_CHILDREN
#include "children.h"
#endif

#define CLONE_VM		0x00000100UL
#define CLONE_FS		0x00000200UL
#define CLONE_FILES		0x00000400UL
#define CLONE_SIGHAND		0x00000800UL
#define CLONE_VFORK		0x00004000UL
#define CLONE_THREAD		0x00010000UL
#define CLONE_SETTLS		0x00080000UL
#define CLONE_PARENT_SETTID	0x00100000UL
#define CLONE_CHILD_CLEARTID	0x00200000UL
#define CLONE_CHILD_SETTID	0x01000000UL

/* What all threads of a program share. */
#define SHARED	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | \
		 CLONE_THREAD)

struct posix_thread posix_thread_first = {
	.tid = PID, .altstack = { NULL, SS_DISABLE, 0 },
};
static pid_t last_tid = PID;

struct posix_thread *posix_thread_current(void)
{
	struct uk_thread *t = uk_thread_current();

	return t && t->priv ? t->priv : &posix_thread_first;
}

struct posix_thread *posix_thread_find(pid_t tid)
{
	struct posix_thread *pt;

	for (pt = &posix_thread_first; pt && pt->tid != tid; pt = pt->next)
		;
	return pt;
}

void posix_thread_wake(struct posix_thread *pt)
{
	if (pt->thread)
		uk_thread_wake(pt->thread);
}

pid_t posix_thread_number(void)
{
	return ++last_tid;
}

void posix_thread_leave(struct posix_thread *pt)
{
	struct posix_thread *before;

	for (before = &posix_thread_first; before; before = before->next)
		if (before->next == pt)
			before->next = pt->next;
	if (pt->clear_tid) {
		*pt->clear_tid = 0;
		posix_futex_wake(pt->clear_tid, 1);
	}
	pt->thread = NULL;
	uk_thread_current()->priv = NULL;
	if (pt != &posix_thread_first)
		free(pt);
}

/* First steps of a thread, on its own stack in the kernel. */
static void enter(void *arg)
{
	const struct posix_thread *pt = posix_thread_current();
	struct uk_syscall_ctx *usc = arg;

	if (pt->set_tid)
		*pt->set_tid = (uint32_t)pt->tid;
	uk_thread_current()->tlsp = usc->execenv.sysctx.fsbase;
	ukplat_syscall_return(usc);
}

/* Where a system call of the thread would have left the registers. */
static struct uk_syscall_ctx *top_of(const struct uk_thread *t)
{
	return (struct uk_syscall_ctx *)(t->auxsp - UKARCH_AUXSPCB_SIZE -
					 UK_SYSCALL_CTX_SLOT);
}

/* A thread that goes on as the current one would; NULL without memory. */
static struct posix_thread *thread_like(const struct ukarch_execenv *execenv,
					uintptr_t stack)
{
	struct posix_thread *pt = calloc(1, sizeof(*pt));
	struct uk_syscall_ctx *usc;
	struct uk_thread *t;

	if (!pt)
		return NULL;
	/* It does not run before this thread gives way. */
	t = uk_sched_thread_create(uk_sched_current(), enter, NULL, "clone");
	if (!t) {
		free(pt);
		return NULL;
	}
	usc = top_of(t);
	memcpy(&usc->execenv, execenv, sizeof(*execenv));
	usc->auxsp = t->auxsp;
	usc->execenv.regs.rax = 0;
	if (stack)
		usc->execenv.regs.rsp = stack;
	t->arg = usc;
	t->priv = pt;
	pt->thread = t;
	pt->tid = posix_thread_number();
	pt->blocked = posix_thread_current()->blocked;
	pt->altstack.flags = SS_DISABLE;
	pt->next = posix_thread_first.next;
	posix_thread_first.next = pt;
	ukplat_tick_start();
	return pt;
}

static void set_tls(struct posix_thread *pt, uintptr_t tls)
{
	struct uk_syscall_ctx *usc = pt->thread->arg;

	usc->execenv.sysctx.fsbase = tls;
}

#if CONFIG_LIBPOSIX_PROCESS_CHILDREN
static long new_process(const struct ukarch_execenv *execenv,
			unsigned long flags, uintptr_t stack,
			uint32_t *parent_tid, uint32_t *child_tid,
			uintptr_t tls)
{
	struct posix_process *p;
	struct posix_thread *pt;
	pid_t pid;

	/* Memory is shared only while the creator waits. */
	if ((flags & (CLONE_THREAD | CLONE_FS | CLONE_FILES | CLONE_SIGHAND)) ||
	    ((flags & CLONE_VM) && !(flags & CLONE_VFORK)))
		return -ENOSYS;
	p = posix_process_fork(flags & CLONE_VM);
	if (!p)
		return -ENOMEM;
	pt = thread_like(execenv, stack);
	if (!pt) {
		posix_process_drop(p);
		return -ENOMEM;
	}
	p->pid = pid = pt->tid;
	p->nr_threads = 1;
	pt->process = p;
	if (!(flags & CLONE_VM))
		pt->altstack = posix_thread_current()->altstack;
	if (flags & CLONE_SETTLS)
		set_tls(pt, tls);
	pt->set_tid = flags & CLONE_CHILD_SETTID ? child_tid : NULL;
	pt->clear_tid = flags & CLONE_CHILD_CLEARTID ? child_tid : NULL;
	if (flags & CLONE_PARENT_SETTID)
		*parent_tid = (uint32_t)pid;
	if (flags & CLONE_VM)
		posix_process_wait_for_memory(pid);
	return pid;
}

UK_LLSYSCALL_R_E_DEFINE(long, fork)
{
	return new_process(execenv, 0, 0, NULL, NULL, 0);
}

UK_LLSYSCALL_R_E_DEFINE(long, vfork)
{
	return new_process(execenv, CLONE_VM | CLONE_VFORK, 0, NULL, NULL, 0);
}
#endif

UK_LLSYSCALL_R_E_DEFINE(long, clone, unsigned long, flags, uintptr_t, stack,
			uint32_t *, parent_tid, uint32_t *, child_tid,
			uintptr_t, tls)
{
	struct posix_thread *pt;

	if ((flags & SHARED) != SHARED)
#if CONFIG_LIBPOSIX_PROCESS_CHILDREN
		return new_process(execenv, flags, stack, parent_tid,
				   child_tid, tls);
#else
		return -ENOSYS;
#endif
	if (!stack)
		return -EINVAL;
	pt = thread_like(execenv, stack);
	if (!pt)
		return -ENOMEM;
#if CONFIG_LIBPOSIX_PROCESS_CHILDREN
	pt->process = posix_process_current();
	pt->process->nr_threads++;
#endif
	if (flags & CLONE_SETTLS)
		set_tls(pt, tls);
	pt->clear_tid = flags & CLONE_CHILD_CLEARTID ? child_tid : NULL;
	if (flags & CLONE_PARENT_SETTID)
		*parent_tid = (uint32_t)pt->tid;
	if (flags & CLONE_CHILD_SETTID)
		*child_tid = (uint32_t)pt->tid;
	return pt->tid;
}
