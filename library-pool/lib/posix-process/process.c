/* SPDX-License-Identifier: BSD-3-Clause */
/* Who a program is, and its end: that of the first is the machine's. */
#include <posix/process.h>
#include <uk/config.h>
#include <uk/plat/bootstrap.h>
#include <uk/print.h>
#include <uk/syscall.h>
#if CONFIG_LIBUKSCHED
#include <uk/sched.h>
#endif
#include "thread.h"
#if CONFIG_LIBPOSIX_PROCESS_CHILDREN
#include "children.h"
#endif

#if !CONFIG_LIBPOSIX_PROCESS_THREADS
static struct posix_thread first = {
	.tid = PID, .altstack = { NULL, SS_DISABLE, 0 },
};

struct posix_thread *posix_thread_current(void)
{
	return &first;
}

struct posix_thread *posix_thread_find(pid_t tid)
{
	return tid == PID ? &first : NULL;
}

void posix_thread_wake(struct posix_thread *pt __unused)
{
	/* It is the one that runs. */
}
#endif

#if !CONFIG_LIBPOSIX_PROCESS_CHILDREN
void posix_process_end(int status, int sig)
{
	uk_pr_info("Program ended with status %d, signal %d\n", status, sig);
	/* As a shell tells it: 128 and the signal's number. */
	ukplat_exit(sig ? 128 + sig : status);
}

UK_SYSCALL_R_DEFINE(pid_t, getpid)
{
	return PID;
}

UK_SYSCALL_R_DEFINE(pid_t, getppid)
{
	return 0;
}
#endif

UK_SYSCALL_R_DEFINE(pid_t, gettid)
{
	return posix_thread_current()->tid;
}

UK_LLSYSCALL_R_DEFINE(long, set_tid_address, uint32_t *, tidptr)
{
	struct posix_thread *pt = posix_thread_current();

	pt->clear_tid = tidptr;
	return pt->tid;
}

UK_LLSYSCALL_R_DEFINE(long, exit_group, int, status)
{
	posix_process_end(status, 0);
}

UK_LLSYSCALL_R_DEFINE(long, exit, int, status)
{
	/* Only the last thread's end is the program's. */
#if CONFIG_LIBPOSIX_PROCESS_CHILDREN
	struct posix_thread *pt = posix_thread_current();

	if (pt->process->nr_threads > 1)
		posix_process_leave(pt);
#elif CONFIG_LIBUKSCHED
	struct uk_sched *s = uk_sched_current();

	if (UK_TAILQ_NEXT(UK_TAILQ_FIRST(&s->thread_list), thread_list)) {
#if CONFIG_LIBPOSIX_PROCESS_THREADS
		posix_thread_leave(posix_thread_current());
#endif
		uk_sched_thread_exit();
	}
#endif
	posix_process_end(status, 0);
}
