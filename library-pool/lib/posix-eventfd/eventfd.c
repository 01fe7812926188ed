/* SPDX-License-Identifier: BSD-3-Clause */
/* A counter that reads take and writes add to (eventfd(2)). */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <posix/fdtab.h>
#include <uk/config.h>
#include <uk/interrupted.h>
#include <uk/syscall.h>
#if CONFIG_LIBUKSCHED
#include <uk/sched.h>
#endif

#define EFD_SEMAPHORE	1

#define STEP_NS		1000000ULL
#define COUNT_MAX	(~0ULL - 1)

struct eventfd {
	struct vnode v;
	uint64_t count;
	bool semaphore;
};

static struct eventfd *of(struct vnode *vn)
{
	return __containerof(vn, struct eventfd, v);
}

/* Lets others run; 0, or the error with which the call ends. */
static int give_way(int flags)
{
	if (flags & O_NONBLOCK)
		return -EAGAIN;
	if (uk_interrupted())
		return -EINTR;
#if CONFIG_LIBUKSCHED
	uk_sched_thread_sleep(STEP_NS);
	return 0;
#else
	return -EAGAIN;
#endif
}

static ssize_t eventfd_read(struct vnode *vn, void *buf, size_t len,
			    uint64_t off __unused, int flags)
{
	struct eventfd *e = of(vn);
	uint64_t value;
	int rc;

	if (len < sizeof(value))
		return -EINVAL;
	while (!e->count) {
		rc = give_way(flags);
		if (rc)
			return rc;
	}
	value = e->semaphore ? 1 : e->count;
	/* As in Linux, a bad pointer takes it, too. */
	e->count -= value;
	vnode_changed(vn);
	memcpy(buf, &value, sizeof(value));
	return sizeof(value);
}

static ssize_t eventfd_write(struct vnode *vn, const void *buf, size_t len,
			     uint64_t off __unused, int flags)
{
	struct eventfd *e = of(vn);
	uint64_t value;
	int rc;

	if (len < sizeof(value))
		return -EINVAL;
	memcpy(&value, buf, sizeof(value));
	if (value > COUNT_MAX)
		return -EINVAL;
	while (value > COUNT_MAX - e->count) {
		rc = give_way(flags);
		if (rc)
			return rc;
	}
	e->count += value;
	vnode_changed(vn);
	return sizeof(value);
}

static int eventfd_poll(struct vnode *vn, int flags __unused)
{
	uint64_t count = of(vn)->count;

	return (count ? POLLIN : 0) | (count < COUNT_MAX ? POLLOUT : 0);
}

static void eventfd_release(struct vnode *vn)
{
	free(of(vn));
}

static const struct vnode_ops eventfd_ops = {
	.read = eventfd_read,
	.write = eventfd_write,
	.poll = eventfd_poll,
	.release = eventfd_release,
};

static int make(unsigned int count, int flags)
{
	struct eventfd *e;

	if (flags & ~(EFD_SEMAPHORE | O_NONBLOCK | O_CLOEXEC))
		return -EINVAL;
	e = calloc(1, sizeof(*e));
	if (!e)
		return -ENOMEM;
	vnode_init(&e->v, &eventfd_ops, 0600);
	e->count = count;
	e->semaphore = flags & EFD_SEMAPHORE;
	return fdtab_open(&e->v, O_RDWR | (flags & ~EFD_SEMAPHORE));
}

UK_LLSYSCALL_R_DEFINE(int, eventfd, unsigned int, count)
{
	return make(count, 0);
}

UK_LLSYSCALL_R_DEFINE(int, eventfd2, unsigned int, count, int, flags)
{
	return make(count, flags);
}
