/* SPDX-License-Identifier: BSD-3-Clause */
/* Waiting until something can be read or written. */
#include <string.h>
#include <posix/fdtab.h>
#include <uk/config.h>
#include <uk/interrupted.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/time.h>
#include <uk/syscall.h>
#if CONFIG_LIBUKSCHED
#include <uk/sched.h>
#endif

#define STEP_NS		10000000ULL
#define FOREVER		(~0ULL)

struct pollfd {
	int fd;
	short events;
	short revents;
};

static int bits_of(int fd)
{
	struct file *f = fdtab_get(fd);

	if (!f)
		return POLLNVAL;
	return f->vn->ops->poll ? f->vn->ops->poll(f->vn) : POLLIN | POLLOUT;
}

/* Sleeps a little, at most until `until`; false where that has passed. */
static bool pause_until(uint64_t until)
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

static uint64_t deadline(const struct timespec *ts)
{
	if (!ts)
		return FOREVER;
	/* Nobody waits for longer than the clock counts. */
	if ((uint64_t)ts->tv_sec > FOREVER / 4 / UKARCH_NSEC_PER_SEC)
		return FOREVER;
	return ukplat_monotonic_clock() +
	       (uint64_t)ts->tv_sec * UKARCH_NSEC_PER_SEC +
	       (uint64_t)ts->tv_nsec;
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
	} while (!count && pause_until(until));
	return count;
}

UK_SYSCALL_R_DEFINE(int, poll, struct pollfd *, fds, size_t, n, int, timeout)
{
	struct timespec ts = { timeout / 1000, timeout % 1000 * 1000000L };

	return poll_until(fds, n, deadline(timeout < 0 ? NULL : &ts));
}

UK_LLSYSCALL_R_DEFINE(int, ppoll, struct pollfd *, fds, size_t, n,
		      const struct timespec *, ts, const void *, mask, size_t,
		      masksize)
{
	(void)mask;
	(void)masksize;
	return poll_until(fds, n, deadline(ts));
}

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
			ready |= (has(r, fd) && (bits & (POLLIN | POLLHUP))) ||
				 (has(w, fd) && (bits & POLLOUT));
		}
		if (!ready && uk_interrupted())
			return -EINTR;
	} while (!ready && pause_until(until));
	count = 0;
	for (fd = 0; fd < n; fd++) {
		int bits = fdtab_get(fd) ? bits_of(fd) : 0;

		keep(r, fd, bits & (POLLIN | POLLHUP), &count);
		keep(w, fd, bits & POLLOUT, &count);
		keep(x, fd, false, &count);
	}
	return count;
}

UK_SYSCALL_R_DEFINE(int, select, int, n, uint64_t *, r, uint64_t *, w,
		    uint64_t *, x, const long *, tv)
{
	struct timespec ts;

	if (tv && (tv[0] < 0 || tv[1] < 0))
		return -EINVAL;
	if (tv)
		ts = (struct timespec) { tv[0], tv[1] * 1000 };
	return select_until(n, r, w, x, deadline(tv ? &ts : NULL));
}

UK_LLSYSCALL_R_DEFINE(int, pselect6, int, n, uint64_t *, r, uint64_t *, w,
		      uint64_t *, x, const struct timespec *, ts, const void *,
		      mask)
{
	(void)mask;
	return select_until(n, r, w, x, deadline(ts));
}
