/* SPDX-License-Identifier: BSD-3-Clause */
/* There is one process. It ends with the machine. */
#include <uk/config.h>
#include <uk/plat/bootstrap.h>
#include <uk/print.h>
#include <uk/syscall.h>
#if CONFIG_LIBUKSCHED
#include <uk/sched.h>
#endif

#define PID	1

UK_SYSCALL_R_DEFINE(pid_t, getpid)
{
	return PID;
}

UK_SYSCALL_R_DEFINE(pid_t, gettid)
{
	return PID;
}

UK_SYSCALL_R_DEFINE(pid_t, getppid)
{
	return 0;
}

UK_LLSYSCALL_R_DEFINE(long, set_tid_address, int *, tidptr)
{
	(void)tidptr;
	return PID;
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
	if (UK_TAILQ_NEXT(UK_TAILQ_FIRST(&s->thread_list), thread_list))
		uk_sched_thread_exit();
#endif
	uk_pr_info("Program ended with status %d\n", status);
	ukplat_exit(status);
}
