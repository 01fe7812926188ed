/* SPDX-License-Identifier: BSD-3-Clause */
/* There is one process. It ends with the machine. */
#include <uk/config.h>
#include <uk/plat/bootstrap.h>
#include <uk/print.h>
#include <uk/syscall.h>
#if CONFIG_LIBUKSCHED
#include <uk/sched.h>
#endif
#include "thread.h"

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
#endif

UK_SYSCALL_R_DEFINE(pid_t, getpid)
{
	return PID;
}

UK_SYSCALL_R_DEFINE(pid_t, gettid)
{
	return posix_thread_current()->tid;
}

UK_SYSCALL_R_DEFINE(pid_t, getppid)
{
	return 0;
}

UK_LLSYSCALL_R_DEFINE(long, set_tid_address, uint32_t *, tidptr)
{
	struct posix_thread *pt = posix_thread_current();

	pt->clear_tid = tidptr;
	return pt->tid;
}

UK_LLSYSCALL_R_DEFINE(long, exit_group, int, status)
{
	uk_pr_info("Program ended with status %d\n", status);
	ukplat_exit(status);
}

UK_LLSYSCALL_R_DEFINE(long, exit, int, status)
{
#if CONFIG_LIBUKSCHED
	struct uk_sched *s = uk_sched_current();

	/* Only the last thread's end is the program's. */
	if (UK_TAILQ_NEXT(UK_TAILQ_FIRST(&s->thread_list), thread_list)) {
#if CONFIG_LIBPOSIX_PROCESS_THREADS
		posix_thread_leave(posix_thread_current());
#endif
		uk_sched_thread_exit();
	}
#endif
	uk_pr_info("Program ended with status %d\n", status);
	ukplat_exit(status);
}
