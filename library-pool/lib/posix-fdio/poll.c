/* SPDX-License-Identifier: BSD-3-Clause */
/* Waiting until something can be read or written. */
#include <uk/config.h>
#include <uk/interrupted.h>
#include <uk/plat/lcpu.h>
#include <uk/syscall.h>
#include <uk/timespec.h>
#if CONFIG_LIBUKSCHED
#include <uk/sched.h>
#endif
#include "poll.h"

#define STEP_NS		10000000ULL

struct pollfd {
	int fd;
	short events;
	short revents;
};

static int bits_of(int fd)
{
	struct file *f = fdtab_get(fd);

	return f ? poll_bits(f) : POLLNVAL;
}

bool poll_pause(uint64_t until)
{
	uint64_t now = ukplat_monotonic_clock();

	if (now >= until)
		return false;
#if CONFIG_LIBUKSCHED
	uk_sched_thread_sleep(MIN(until - now, STEP_NS));
#else
	unsigned long flags = ukplat_lcpu_save_irqf();

	ukplat_lcpu_halt_irq_until(now + MIN(until - now, STEP_NS));
	ukplat_lcpu_restore_irqf(flags);
#endif
	return true;
}

int poll_deadline(const struct timespec *ts, uint64_t *until)
{
	*until = POLL_FOREVER;
	if (!ts)
		return 0;
	if (!uk_timespec_is_time(ts))
		return -EINVAL;
	/* Nobody waits for longer than the clock counts. */
	if ((uint64_t)ts->tv_sec <= POLL_FOREVER / 4 / UKARCH_NSEC_PER_SEC)
		*until = ukplat_monotonic_clock() +
			 (uint64_t)ts->tv_sec * UKARCH_NSEC_PER_SEC +
			 (uint64_t)ts->tv_nsec;
	return 0;
}

uint64_t poll_milliseconds(int timeout)
{
	return timeout < 0 ? POLL_FOREVER
	       : ukplat_monotonic_clock() + (uint64_t)timeout * 1000000ULL;
}

static int poll_until(struct pollfd *fds, size_t n, uint64_t until)
{
	int count;
	size_t i;

	do {
		count = 0;
		for (i = 0; i < n; i++) {
			fds[i].revents = 0;
			if (fds[i].fd < 0)
				continue;
			fds[i].revents = (short)(bits_of(fds[i].fd) &
						 (fds[i].events | POLLERR |
						  POLLHUP | POLLNVAL));
			count += fds[i].revents != 0;
		}
		if (!count && uk_interrupted())
			return -EINTR;
	} while (!count && poll_pause(until));
	return count;
}

UK_SYSCALL_R_DEFINE(int, poll, struct pollfd *, fds, size_t, n, int, timeout)
{
	return poll_until(fds, n, poll_milliseconds(timeout));
}

UK_LLSYSCALL_R_DEFINE(int, ppoll, struct pollfd *, fds, size_t, n,
		      const struct timespec *, ts, const uint64_t *, mask,
		      size_t, masksize)
{
	uint64_t until;
	int rc = poll_deadline(ts, &until);

	if (rc)
		return rc;
	if (mask && masksize != sizeof(*mask))
		return -EINVAL;
	uk_interruptible_by(mask);
	return uk_interruptible_end(poll_until(fds, n, until));
}

/* What pselect6(2) has in place of two arguments. */
struct select_mask {
	const uint64_t *set;
	size_t size;
};

/* As select(2) takes the bits of poll(2). */
#define READABLE	(POLLIN | POLLHUP | POLLERR)
#define WRITABLE	(POLLOUT | POLLERR)

/* Sets of descriptors as bits of 64-bit words. */
static bool has(const uint64_t *set, int fd)
{
	return set && (set[fd / 64] >> (fd % 64) & 1);
}

static void keep(uint64_t *set, int fd, bool ready, int *count)
{
	if (!has(set, fd))
		return;
	if (ready)
		++*count;
	else
		set[fd / 64] &= ~(1ULL << (fd % 64));
}

static int select_until(int n, uint64_t *r, uint64_t *w, uint64_t *x,
			uint64_t until)
{
	int fd, count;
	bool ready;

	if (n < 0 || n > FDTAB_MAX)
		return -EINVAL;
	do {
		ready = false;
		for (fd = 0; fd < n; fd++) {
			int bits;

			if (!has(r, fd) && !has(w, fd) && !has(x, fd))
				continue;
			bits = bits_of(fd);
			if (bits & POLLNVAL)
				return -EBADF;
			ready |= (has(r, fd) && (bits & READABLE)) ||
				 (has(w, fd) && (bits & WRITABLE));
		}
		if (!ready && uk_interrupted())
			return -EINTR;
	} while (!ready && poll_pause(until));
	count = 0;
	for (fd = 0; fd < n; fd++) {
		int bits = fdtab_get(fd) ? bits_of(fd) : 0;

		keep(r, fd, bits & READABLE, &count);
		keep(w, fd, bits & WRITABLE, &count);
		keep(x, fd, false, &count);
	}
	return count;
}

UK_SYSCALL_R_DEFINE(int, select, int, n, uint64_t *, r, uint64_t *, w,
		    uint64_t *, x, const long *, tv)
{
	struct timespec ts;
	uint64_t until;
	int rc;

	if (tv && (tv[0] < 0 || tv[1] < 0))
		return -EINVAL;
	if (tv)
		ts = (struct timespec) { tv[0] + tv[1] / 1000000,
					 tv[1] % 1000000 * 1000 };
	rc = poll_deadline(tv ? &ts : NULL, &until);
	return rc ? rc : select_until(n, r, w, x, until);
}

UK_LLSYSCALL_R_DEFINE(int, pselect6, int, n, uint64_t *, r, uint64_t *, w,
		      uint64_t *, x, const struct timespec *, ts,
		      const struct select_mask *, mask)
{
	uint64_t until;
	int rc = poll_deadline(ts, &until);

	if (rc)
		return rc;
	if (mask && mask->set && mask->size != sizeof(*mask->set))
		return -EINVAL;
	uk_interruptible_by(mask ? mask->set : NULL);
	return uk_interruptible_end(select_until(n, r, w, x, until));
}
