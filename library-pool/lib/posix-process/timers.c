/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The real-time timer of each process: SIGALRM when it is due. A thread of the
 * kernel sends it, so that a program gets it when it waits or makes a call.
 */
#include <errno.h>
#include <uk/plat/time.h>
#include <uk/sched.h>
#include <uk/syscall.h>
#include "children.h"
#include "signal_impl.h"

#define ITIMER_REAL	0
#define US		1000ULL

struct timeval {
	long tv_sec, tv_usec;
};

struct itimerval {
	struct timeval it_interval, it_value;
};

static struct uk_thread *thread;

/* Sends what is due; when the next one is, or 0. */
static uint64_t send_due(void)
{
	struct posix_process *p;
	uint64_t now = ukplat_monotonic_clock(), earliest = 0;

	for (p = posix_process_next(NULL); p; p = posix_process_next(p)) {
		if (p->alarm_at && p->alarm_at <= now) {
			posix_signal_send(p, SIGALRM);
			p->alarm_at = p->alarm_every ? now + p->alarm_every : 0;
		}
		if (p->alarm_at && (!earliest || p->alarm_at < earliest))
			earliest = p->alarm_at;
	}
	return earliest;
}

static void serve(void *arg __unused)
{
	for (;;) {
		uk_thread_block(uk_thread_current(), send_due());
		uk_sched_yield();
	}
}

/* Sets the current process's timer; 0 ends it. What was left of the old one. */
static int set(uint64_t after, uint64_t every, uint64_t *left)
{
	struct posix_process *p = posix_process_current();
	uint64_t now = ukplat_monotonic_clock();

	*left = p->alarm_at > now ? p->alarm_at - now : 0;
	if (after && !thread) {
		thread = uk_sched_thread_create(uk_sched_current(), serve, NULL,
						"timers");
		if (!thread)
			return -ENOMEM;
		ukplat_tick_start();
	}
	p->alarm_at = after ? now + after : 0;
	p->alarm_every = every;
	if (thread)
		uk_thread_wake(thread);
	return 0;
}

static bool is_time(const struct timeval *tv)
{
	return tv->tv_sec >= 0 && tv->tv_usec >= 0 && tv->tv_usec < 1000000 &&
	       tv->tv_sec < 1L << 32;
}

static uint64_t ns_of(const struct timeval *tv)
{
	return (uint64_t)tv->tv_sec * UKARCH_NSEC_PER_SEC +
	       (uint64_t)tv->tv_usec * US;
}

static struct timeval timeval_of(uint64_t ns)
{
	return (struct timeval) {
		(long)(ns / UKARCH_NSEC_PER_SEC),
		(long)(ns % UKARCH_NSEC_PER_SEC / US),
	};
}

UK_SYSCALL_R_DEFINE(unsigned int, alarm, unsigned int, seconds)
{
	uint64_t left;

	if (set(seconds * UKARCH_NSEC_PER_SEC, 0, &left))
		return 0;
	return (unsigned int)((left + UKARCH_NSEC_PER_SEC - 1) /
			      UKARCH_NSEC_PER_SEC);
}

UK_SYSCALL_R_DEFINE(int, setitimer, int, which, const struct itimerval *, new,
		    struct itimerval *, old)
{
	uint64_t left, every = posix_process_current()->alarm_every;
	int rc;

	if (which != ITIMER_REAL || (new && (!is_time(&new->it_value) ||
					     !is_time(&new->it_interval))))
		return -EINVAL;
	rc = set(new ? ns_of(&new->it_value) : 0,
		 new ? ns_of(&new->it_interval) : 0, &left);
	if (!rc && old) {
		old->it_value = timeval_of(left);
		old->it_interval = timeval_of(every);
	}
	return rc;
}

UK_SYSCALL_R_DEFINE(int, getitimer, int, which, struct itimerval *, now)
{
	const struct posix_process *p = posix_process_current();
	uint64_t time = ukplat_monotonic_clock();

	if (which != ITIMER_REAL)
		return -EINVAL;
	now->it_value = timeval_of(p->alarm_at > time ? p->alarm_at - time : 0);
	now->it_interval = timeval_of(p->alarm_every);
	return 0;
}
