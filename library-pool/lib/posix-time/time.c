/* SPDX-License-Identifier: BSD-3-Clause */
/* Clocks. */
#include <uk/config.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/time.h>
#include <uk/syscall.h>
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

static void sleep_until(uint64_t until)
{
#if CONFIG_LIBUKSCHED
	uint64_t now = ukplat_monotonic_clock();

	if (until > now)
		uk_sched_thread_sleep(until - now);
#else
	unsigned long flags = ukplat_lcpu_save_irqf();

	while (ukplat_monotonic_clock() < until)
		ukplat_lcpu_halt_irq_until(until);
	ukplat_lcpu_restore_irqf(flags);
#endif
}

UK_SYSCALL_R_DEFINE(int, nanosleep, const struct timespec *, req,
		    struct timespec *, rem)
{
	uint64_t ns;

	if (!req)
		return -EFAULT;
	if (req->tv_sec < 0 || req->tv_nsec < 0 ||
	    (uint64_t)req->tv_nsec >= UKARCH_NSEC_PER_SEC)
		return -EINVAL;
	ns = (uint64_t)req->tv_sec * UKARCH_NSEC_PER_SEC +
	     (uint64_t)req->tv_nsec;
	sleep_until(ukplat_monotonic_clock() + ns);
	if (rem)
		*rem = (struct timespec) { 0, 0 };
	return 0;
}

#define TIMER_ABSTIME	1

UK_SYSCALL_R_DEFINE(int, clock_nanosleep, clockid_t, id, int, flags,
		    const struct timespec *, req, struct timespec *, rem)
{
	uint64_t ns;

	if (!(flags & TIMER_ABSTIME))
		return (int)uk_syscall_r_static(SYS_nanosleep, req, rem);
	if (!req)
		return -EFAULT;
	ns = (uint64_t)req->tv_sec * UKARCH_NSEC_PER_SEC +
	     (uint64_t)req->tv_nsec;
	if (id == CLOCK_REALTIME)
		ns -= ukplat_wall_clock() - ukplat_monotonic_clock();
	sleep_until(ns);
	return 0;
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
