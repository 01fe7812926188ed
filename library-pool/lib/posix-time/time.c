/* SPDX-License-Identifier: BSD-3-Clause */
/* Clocks. */
#include <uk/config.h>
#include <uk/interrupted.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/time.h>
#include <uk/syscall.h>
#include <uk/timespec.h>
#if CONFIG_LIBUKSCHED
#include <uk/sched.h>
#endif

#define CLOCK_REALTIME		0
#define CLOCK_MONOTONIC		1
#define CLOCK_PROCESS_CPUTIME	2
#define CLOCK_THREAD_CPUTIME	3
#define CLOCK_MONOTONIC_RAW	4
#define CLOCK_REALTIME_COARSE	5
#define CLOCK_MONOTONIC_COARSE	6
#define CLOCK_BOOTTIME		7

UK_SYSCALL_R_DEFINE(int, clock_gettime, clockid_t, id, struct timespec *, tp)
{
	uint64_t now;

	switch (id) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_COARSE:
		now = ukplat_wall_clock();
		break;
	case CLOCK_MONOTONIC:
	case CLOCK_PROCESS_CPUTIME:
	case CLOCK_THREAD_CPUTIME:
	case CLOCK_MONOTONIC_RAW:
	case CLOCK_MONOTONIC_COARSE:
	case CLOCK_BOOTTIME:
		now = ukplat_monotonic_clock();
		break;
	default:
		return -EINVAL;
	}
	if (!tp)
		return -EFAULT;
	tp->tv_sec = (time_t)(now / UKARCH_NSEC_PER_SEC);
	tp->tv_nsec = (long)(now % UKARCH_NSEC_PER_SEC);
	return 0;
}

/* 0, or -EINTR where a signal came first. */
static int sleep_until(uint64_t until)
{
	uint64_t now;

	while ((now = ukplat_monotonic_clock()) < until) {
		if (uk_interrupted())
			return -EINTR;
#if CONFIG_LIBUKSCHED
		uk_sched_thread_sleep(until - now);
#else
		unsigned long flags = ukplat_lcpu_save_irqf();

		ukplat_lcpu_halt_irq_until(until);
		ukplat_lcpu_restore_irqf(flags);
#endif
	}
	return 0;
}

UK_SYSCALL_R_DEFINE(int, nanosleep, const struct timespec *, req,
		    struct timespec *, rem)
{
	uint64_t until, now;
	int rc;

	if (!req)
		return -EFAULT;
	if (!uk_timespec_is_time(req))
		return -EINVAL;
	until = ukplat_monotonic_clock() + uk_timespec_ns(req);
	rc = sleep_until(until);
	if (rc && rem) {
		now = ukplat_monotonic_clock();
		now = now < until ? until - now : 0;
		rem->tv_sec = (time_t)(now / UKARCH_NSEC_PER_SEC);
		rem->tv_nsec = (long)(now % UKARCH_NSEC_PER_SEC);
	}
	return rc;
}

#define TIMER_ABSTIME	1

UK_SYSCALL_R_DEFINE(int, clock_nanosleep, clockid_t, id, int, flags,
		    const struct timespec *, req, struct timespec *, rem)
{
	uint64_t ns, passed;

	if (id != CLOCK_REALTIME && id != CLOCK_MONOTONIC)
		return -EINVAL;
	if (!(flags & TIMER_ABSTIME))
		return (int)uk_syscall_r_static(SYS_nanosleep, req, rem);
	if (!req)
		return -EFAULT;
	if (!uk_timespec_is_time(req))
		return -EINVAL;
	ns = uk_timespec_ns(req);
	passed = id == CLOCK_REALTIME
		 ? ukplat_wall_clock() - ukplat_monotonic_clock() : 0;
	return sleep_until(ns > passed ? ns - passed : 0);
}

UK_SYSCALL_R_DEFINE(int, clock_getres, clockid_t, id, struct timespec *, res)
{
	(void)id;
	if (res)
		*res = (struct timespec) { 0, 1 };
	return 0;
}

UK_SYSCALL_R_DEFINE(int, gettimeofday, long *, tv, void *, tz)
{
	uint64_t us = ukplat_wall_clock() / 1000;

	(void)tz;
	if (tv) {
		tv[0] = (long)(us / 1000000);
		tv[1] = (long)(us % 1000000);
	}
	return 0;
}

UK_SYSCALL_R_DEFINE(time_t, time, time_t *, t)
{
	time_t now = (time_t)(ukplat_wall_clock() / UKARCH_NSEC_PER_SEC);

	if (t)
		*t = now;
	return now;
}
