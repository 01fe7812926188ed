/* SPDX-License-Identifier: BSD-3-Clause */
/* futex(2): who waits stands in a list with the address that it waits for. */
#include <posix/futex.h>
#include <uk/config.h>
#include <uk/interrupted.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/time.h>
#include <uk/syscall.h>
#include <uk/timespec.h>
#if CONFIG_LIBPOSIX_MMAP
#include <posix/pages.h>
#endif
#if CONFIG_LIBUKSCHED
#include <uk/list.h>
#include <uk/sched.h>
#endif

#define FUTEX_WAIT		0
#define FUTEX_WAKE		1
#define FUTEX_REQUEUE		3
#define FUTEX_CMP_REQUEUE	4
#define FUTEX_WAIT_BITSET	9
#define FUTEX_WAKE_BITSET	10
#define FUTEX_CMD_MASK		0x7f
#define FUTEX_CLOCK_REALTIME	0x100

#if CONFIG_LIBUKSCHED
struct waiter {
	UK_TAILQ_ENTRY(struct waiter) list;
	const uint32_t *addr;
	const void *space;	/* that the address is in */
	uint32_t bits;
	struct uk_thread *thread;
	bool woken;
};

static UK_TAILQ_HEAD(, struct waiter) waiters =
	UK_TAILQ_HEAD_INITIALIZER(waiters);

/* Processes have different things at one address. */
static const void *space(void)
{
#if CONFIG_LIBPOSIX_MMAP
	return space_current();
#else
	return NULL;
#endif
}

static long wait(const uint32_t *addr, uint32_t bits, uint64_t until)
{
	struct waiter w = {
		.addr = addr, .space = space(), .bits = bits,
		.thread = uk_thread_current(),
	};

	UK_TAILQ_INSERT_TAIL(&waiters, &w, list);
	while (!w.woken && (!until || ukplat_monotonic_clock() < until)) {
		if (uk_interrupted()) {
			UK_TAILQ_REMOVE(&waiters, &w, list);
			return -EINTR;
		}
		uk_thread_block(w.thread, until);
		uk_sched_yield();
	}
	if (w.woken)
		return 0;
	UK_TAILQ_REMOVE(&waiters, &w, list);
	return -ETIMEDOUT;
}

static long wake(const uint32_t *addr, uint32_t bits, uint32_t most)
{
	struct waiter *w, *next;
	uint32_t n = 0;

	for (w = UK_TAILQ_FIRST(&waiters); w && n < most; w = next) {
		next = UK_TAILQ_NEXT(w, list);
		if (w->addr != addr || w->space != space() ||
		    !(w->bits & bits))
			continue;
		UK_TAILQ_REMOVE(&waiters, w, list);
		w->woken = true;
		uk_thread_wake(w->thread);
		n++;
	}
	return (long)n;
}

/* Has up to `most` of those that wait for `addr` wait for `to`. */
static long move(const uint32_t *addr, const uint32_t *to, uint32_t most)
{
	struct waiter *w;
	uint32_t n = 0;

	UK_TAILQ_FOREACH(w, &waiters, list) {
		if (n == most)
			break;
		if (w->addr != addr || w->space != space())
			continue;
		w->addr = to;
		n++;
	}
	return (long)n;
}
#else
static long wait(const uint32_t *addr __unused, uint32_t bits __unused,
		 uint64_t until)
{
	unsigned long flags;

	if (!until)
		return -EAGAIN;
	flags = ukplat_lcpu_save_irqf();
	while (ukplat_monotonic_clock() < until)
		ukplat_lcpu_halt_irq_until(until);
	ukplat_lcpu_restore_irqf(flags);
	return -ETIMEDOUT;
}

static long wake(const uint32_t *addr __unused, uint32_t bits __unused,
		 uint32_t most __unused)
{
	return 0;
}

static long move(const uint32_t *addr __unused, const uint32_t *to __unused,
		 uint32_t most __unused)
{
	return 0;
}
#endif

long posix_futex_wake(const uint32_t *addr, uint32_t most)
{
	return wake(addr, ~0u, most);
}

/* When an absolute time comes on the monotonic clock; one that is over, at 1. */
static uint64_t absolute(const struct timespec *ts, bool wall)
{
	uint64_t until = uk_timespec_ns(ts), ahead = 0;

	if (wall)
		ahead = ukplat_wall_clock() - ukplat_monotonic_clock();
	return until > ahead ? until - ahead : 1;
}

UK_LLSYSCALL_R_DEFINE(long, futex, const uint32_t *, addr, int, op, uint32_t,
		      val, const struct timespec *, timeout, const uint32_t *,
		      addr2, uint32_t, bits)
{
	const int command = op & FUTEX_CMD_MASK;
	uint64_t until = 0;
	long woken;

	if ((uintptr_t)addr % sizeof(*addr))
		return -EINVAL;
	if (command == FUTEX_WAIT || command == FUTEX_WAKE)
		bits = ~0u;
	switch (command) {
	case FUTEX_WAIT:
		if (timeout && !uk_timespec_is_time(timeout))
			return -EINVAL;
		if (timeout)
			until = ukplat_monotonic_clock() +
				uk_timespec_ns(timeout);
		break;
	case FUTEX_WAIT_BITSET:
		if (!bits || (timeout && !uk_timespec_is_time(timeout)))
			return -EINVAL;
		if (timeout)
			until = absolute(timeout, op & FUTEX_CLOCK_REALTIME);
		break;
	case FUTEX_WAKE:
	case FUTEX_WAKE_BITSET:
		return bits ? wake(addr, bits, val) : -EINVAL;
	case FUTEX_CMP_REQUEUE:
		if (*(const volatile uint32_t *)addr != bits)
			return -EAGAIN;
		/* fallthrough */
	case FUTEX_REQUEUE:
		woken = wake(addr, ~0u, val);
		/* In place of a timeout: how many are moved. */
		return woken + move(addr, addr2, (uint32_t)(uintptr_t)timeout);
	default:
		return -ENOSYS;
	}
	return *(const volatile uint32_t *)addr == val
	       ? wait(addr, bits, until) : -EAGAIN;
}

/* Threads that die with a lock do so with the whole program. */
UK_LLSYSCALL_R_DEFINE(long, set_robust_list, void *, head, size_t, len)
{
	(void)head;
	(void)len;
	return 0;
}
