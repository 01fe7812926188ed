/* SPDX-License-Identifier: BSD-3-Clause */
/* Timers that are waited for by descriptors (timerfd_create(2)). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <posix/fdtab.h>
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
#define CLOCK_BOOTTIME		7
#define CLOCK_REALTIME_ALARM	8
#define CLOCK_BOOTTIME_ALARM	9

#define TFD_TIMER_ABSTIME	1
#define TFD_TIMER_CANCEL_ON_SET	2

struct itimerspec {
	struct timespec interval, value;
};

struct timerfd {
	struct vnode v;
	bool wall;
	uint64_t ends;		/* on the monotonic clock; 0 stands still */
	uint64_t interval;	/* nanoseconds; 0 ends once */
	uint64_t seen;		/* ends that were told by poll */
};

static struct timerfd *of(struct vnode *vn)
{
	return __containerof(vn, struct timerfd, v);
}

/* How often it has come to its end since it was read. */
static uint64_t ticks(const struct timerfd *t, uint64_t now)
{
	if (!t->ends || now < t->ends)
		return 0;
	return t->interval ? 1 + (now - t->ends) / t->interval : 1;
}

/* Waits a while; 0, or the error with which the call ends. */
static int wait_for(const struct timerfd *t, uint64_t now, int flags)
{
	uint64_t until = t->ends ? t->ends : UK_TIMESPEC_FOREVER;

	if (flags & O_NONBLOCK)
		return -EAGAIN;
	if (uk_interrupted())
		return -EINTR;
#if CONFIG_LIBUKSCHED
	/* Another thread may set it anew meanwhile. */
	uk_sched_thread_sleep(MIN(until - now, 1000000ULL));
#else
	unsigned long irq;

	if (!t->ends)
		return -EAGAIN;
	irq = ukplat_lcpu_save_irqf();
	ukplat_lcpu_halt_irq_until(until);
	ukplat_lcpu_restore_irqf(irq);
	(void)now;
#endif
	return 0;
}

static ssize_t timerfd_read(struct vnode *vn, void *buf, size_t len,
			    uint64_t off __unused, int flags)
{
	struct timerfd *t = of(vn);
	uint64_t now, n;
	int rc;

	if (len < sizeof(n))
		return -EINVAL;
	while (now = ukplat_monotonic_clock(), !(n = ticks(t, now))) {
		rc = wait_for(t, now, flags);
		if (rc)
			return rc;
	}
	t->ends = t->interval ? t->ends + n * t->interval : 0;
	t->seen = 0;
	vnode_changed(vn);
	/* As in Linux, a bad pointer takes it, too. */
	memcpy(buf, &n, sizeof(n));
	return sizeof(n);
}

static int timerfd_poll(struct vnode *vn, int flags __unused)
{
	struct timerfd *t = of(vn);
	uint64_t n = ticks(t, ukplat_monotonic_clock());

	if (n != t->seen)
		vnode_changed(vn);
	t->seen = n;
	return n ? POLLIN : 0;
}

static void timerfd_release(struct vnode *vn)
{
	free(of(vn));
}

static const struct vnode_ops timerfd_ops = {
	.read = timerfd_read,
	.poll = timerfd_poll,
	.release = timerfd_release,
};

UK_SYSCALL_R_DEFINE(int, timerfd_create, clockid_t, id, int, flags)
{
	struct timerfd *t;

	if (flags & ~(O_NONBLOCK | O_CLOEXEC))
		return -EINVAL;
	switch (id) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_ALARM:
	case CLOCK_MONOTONIC:
	case CLOCK_BOOTTIME:
	case CLOCK_BOOTTIME_ALARM:
		break;
	default:
		return -EINVAL;
	}
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	vnode_init(&t->v, &timerfd_ops, 0600);
	t->wall = id == CLOCK_REALTIME || id == CLOCK_REALTIME_ALARM;
	return fdtab_open(&t->v, O_RDWR | flags);
}

static struct timerfd *timer_of(int fd, int *rc)
{
	struct file *f = fdtab_get(fd);

	*rc = !f ? -EBADF : f->vn->ops != &timerfd_ops ? -EINVAL : 0;
	return *rc ? NULL : of(f->vn);
}

static struct timespec time_of(uint64_t ns)
{
	return (struct timespec) { (time_t)(ns / UKARCH_NSEC_PER_SEC),
				   (long)(ns % UKARCH_NSEC_PER_SEC) };
}

/* What is left, and the interval. */
static struct itimerspec setting(const struct timerfd *t)
{
	uint64_t now = ukplat_monotonic_clock(), left = 0;

	if (t->ends > now)
		left = t->ends - now;
	else if (t->ends && t->interval)
		left = t->interval - (now - t->ends) % t->interval;
	return (struct itimerspec) { time_of(t->interval), time_of(left) };
}

UK_SYSCALL_R_DEFINE(int, timerfd_gettime, int, fd, struct itimerspec *, value)
{
	int rc;
	struct timerfd *t = timer_of(fd, &rc);

	if (rc)
		return rc;
	*value = setting(t);
	return 0;
}

UK_SYSCALL_R_DEFINE(int, timerfd_settime, int, fd, int, flags,
		    const struct itimerspec *, value, struct itimerspec *, old)
{
	struct itimerspec to = *value, before;
	uint64_t now, ns;
	struct timerfd *t;
	int rc;

	if ((flags & ~(TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET)) ||
	    !uk_timespec_is_time(&to.value) || !uk_timespec_is_time(&to.interval))
		return -EINVAL;
	t = timer_of(fd, &rc);
	if (rc)
		return rc;
	before = setting(t);
	now = ukplat_monotonic_clock();
	ns = uk_timespec_ns(&to.value);
	if (!ns)
		t->ends = 0;
	else if (!(flags & TFD_TIMER_ABSTIME))
		t->ends = now + ns;
	else if (t->wall)
		/* A time that is over is over now. */
		t->ends = MAX(ns - MIN(ns, ukplat_wall_clock() - now), 1ULL);
	else
		t->ends = ns;
	t->interval = uk_timespec_ns(&to.interval);
	t->seen = 0;
	vnode_changed(&t->v);
	if (old)
		*old = before;
	return 0;
}
