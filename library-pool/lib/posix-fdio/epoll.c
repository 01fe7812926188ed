/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Waiting for many descriptors (epoll(7)). Each is watched as an open file and
 * under a number, so that copies of a descriptor are watched apart, and what
 * is watched goes when its last descriptor is closed.
 */
#include <stdlib.h>
#include <uk/interrupted.h>
#include <uk/list.h>
#include <uk/syscall.h>
#include "poll.h"

#define EPOLL_CTL_ADD	1
#define EPOLL_CTL_DEL	2
#define EPOLL_CTL_MOD	3

#define EPOLLONESHOT	(1U << 30)
#define EPOLLET		(1U << 31)
/* These are told without being asked for. */
#define EPOLL_ALWAYS	((uint32_t)(POLLERR | POLLHUP))
#define EPOLL_BITS	0xffffU

#define EVENTS_MAX	(0x7fffffff / (int)sizeof(struct epoll_event))
#define DEPTH_MAX	5

struct epoll_event {
	uint32_t events;
	uint64_t data;
} __packed;

UK_CTASSERT(sizeof(struct epoll_event) == 12);

struct watch {
	UK_TAILQ_ENTRY(struct watch) list;
	struct file *file;
	int fd;
	bool off;		/* told once, and not asked for again */
	uint32_t told;		/* changes of the node when it was told */
	struct epoll_event wanted;
};

struct epoll {
	struct vnode v;
	UK_TAILQ_HEAD(, struct watch) watches;
	size_t nr_watches;
	UK_TAILQ_ENTRY(struct epoll) all;
};

static UK_TAILQ_HEAD(, struct epoll) all = UK_TAILQ_HEAD_INITIALIZER(all);

static struct epoll *of(struct vnode *vn)
{
	return __containerof(vn, struct epoll, v);
}

static void forget(struct epoll *e, struct watch *w)
{
	UK_TAILQ_REMOVE(&e->watches, w, list);
	e->nr_watches--;
	free(w);
}

/* The last descriptor of a file is closed. */
static void file_ends(struct file *f)
{
	struct epoll *e;
	struct watch *w, *next;

	UK_TAILQ_FOREACH(e, &all, all) {
		for (w = UK_TAILQ_FIRST(&e->watches); w; w = next) {
			next = UK_TAILQ_NEXT(w, list);
			if (w->file == f)
				forget(e, w);
		}
	}
}

/* What is to be told of a file; 0 for nothing. */
static uint32_t due(const struct watch *w)
{
	uint32_t bits;

	if (w->off)
		return 0;
	bits = (uint32_t)poll_bits(w->file) &
	       (w->wanted.events | EPOLL_ALWAYS) & EPOLL_BITS;
	if ((w->wanted.events & EPOLLET) && w->told == w->file->vn->changes)
		return 0;
	return bits;
}

static int epoll_poll(struct vnode *vn, int flags __unused)
{
	struct watch *w;

	UK_TAILQ_FOREACH(w, &of(vn)->watches, list)
		if (due(w))
			return POLLIN;
	return 0;
}

static void epoll_close(struct vnode *vn, int flags __unused)
{
	struct epoll *e = of(vn);
	struct watch *w;

	while ((w = UK_TAILQ_FIRST(&e->watches)))
		forget(e, w);
	UK_TAILQ_REMOVE(&all, e, all);
}

static void epoll_release(struct vnode *vn)
{
	free(of(vn));
}

static const struct vnode_ops epoll_ops = {
	.poll = epoll_poll,
	.close = epoll_close,
	.release = epoll_release,
};

static int make(int flags)
{
	struct epoll *e;
	int fd;

	if (flags & ~O_CLOEXEC)
		return -EINVAL;
	e = malloc(sizeof(*e));
	if (!e)
		return -ENOMEM;
	fdtab_watched_ends = file_ends;
	vnode_init(&e->v, &epoll_ops, 0600);
	UK_TAILQ_INIT(&e->watches);
	e->nr_watches = 0;
	UK_TAILQ_INSERT_TAIL(&all, e, all);
	/* A failed opening closes nothing. */
	vnode_ref(&e->v);
	fd = fdtab_open(&e->v, O_RDWR | flags);
	if (fd < 0)
		UK_TAILQ_REMOVE(&all, e, all);
	vnode_unref(&e->v);
	return fd;
}

UK_SYSCALL_R_DEFINE(int, epoll_create, int, size)
{
	return size > 0 ? make(0) : -EINVAL;
}

UK_SYSCALL_R_DEFINE(int, epoll_create1, int, flags)
{
	return make(flags);
}

/* Whether one watches the other, over others too. */
static bool watches(struct epoll *e, const struct epoll *other, int depth)
{
	struct watch *w;

	if (e == other || depth == DEPTH_MAX)
		return true;
	UK_TAILQ_FOREACH(w, &e->watches, list)
		if (w->file->vn->ops == &epoll_ops &&
		    watches(of(w->file->vn), other, depth + 1))
			return true;
	return false;
}

/* Contents of files and memory are always there: they cannot be watched. */
static bool can_wait(const struct vnode *vn)
{
	return vn->ops->poll && !S_ISREG(vn->mode) && !S_ISDIR(vn->mode) &&
	       vn->rdev >> 8 != 1;
}

static void want(struct watch *w, struct epoll_event event)
{
	w->wanted = event;
	w->off = false;
	/* What holds already is told once. */
	w->told = w->file->vn->changes - 1;
}

UK_SYSCALL_R_DEFINE(int, epoll_ctl, int, epfd, int, op, int, fd,
		    struct epoll_event *, event)
{
	struct file *ef = fdtab_get(epfd), *f = fdtab_get(fd);
	struct epoll_event wanted = { 0 };
	struct epoll *e;
	struct watch *w;

	/* A bad pointer shows before anything is changed. */
	if (op != EPOLL_CTL_DEL)
		wanted = *event;
	if (!ef || !f)
		return -EBADF;
	if (!can_wait(f->vn))
		return -EPERM;
	if (ef->vn->ops != &epoll_ops || ef == f)
		return -EINVAL;
	e = of(ef->vn);
	UK_TAILQ_FOREACH(w, &e->watches, list)
		if (w->fd == fd && w->file == f)
			break;
	switch (op) {
	case EPOLL_CTL_ADD:
		if (w)
			return -EEXIST;
		if (f->vn->ops == &epoll_ops && watches(of(f->vn), e, 0))
			return -ELOOP;
		w = malloc(sizeof(*w));
		if (!w)
			return -ENOMEM;
		w->file = f;
		w->fd = fd;
		f->watched = true;
		want(w, wanted);
		UK_TAILQ_INSERT_TAIL(&e->watches, w, list);
		e->nr_watches++;
		return 0;
	case EPOLL_CTL_DEL:
		if (!w)
			return -ENOENT;
		forget(e, w);
		return 0;
	case EPOLL_CTL_MOD:
		if (!w)
			return -ENOENT;
		want(w, wanted);
		return 0;
	default:
		return -EINVAL;
	}
}

/* Tells of what is due. What was told goes behind the others. */
static int tell(struct epoll *e, struct epoll_event *events, int max)
{
	struct watch *w, *next;
	size_t left = e->nr_watches;
	int n = 0;

	for (w = UK_TAILQ_FIRST(&e->watches); left && n < max; w = next) {
		uint32_t bits = due(w);

		left--;
		next = UK_TAILQ_NEXT(w, list);
		if (!bits)
			continue;
		events[n++] = (struct epoll_event) { bits, w->wanted.data };
		w->told = w->file->vn->changes;
		w->off = w->wanted.events & EPOLLONESHOT;
		UK_TAILQ_REMOVE(&e->watches, w, list);
		UK_TAILQ_INSERT_TAIL(&e->watches, w, list);
	}
	return n;
}

static int wait_until(int epfd, struct epoll_event *events, int max,
		      uint64_t until)
{
	struct file *f = fdtab_hold(epfd);
	int n;

	if (!f)
		return -EBADF;
	if (f->vn->ops != &epoll_ops || max <= 0 || max > EVENTS_MAX) {
		fdtab_release(f);
		return -EINVAL;
	}
	do {
		n = tell(of(f->vn), events, max);
		if (!n && uk_interrupted())
			n = -EINTR;
	} while (!n && poll_pause(until));
	fdtab_release(f);
	return n;
}

UK_SYSCALL_R_DEFINE(int, epoll_wait, int, epfd, struct epoll_event *, events,
		    int, max, int, timeout)
{
	return wait_until(epfd, events, max, poll_milliseconds(timeout));
}

UK_LLSYSCALL_R_DEFINE(int, epoll_pwait, int, epfd, struct epoll_event *,
		      events, int, max, int, timeout, const uint64_t *, mask,
		      size_t, size)
{
	if (mask && size != sizeof(*mask))
		return -EINVAL;
	uk_interruptible_by(mask);
	return uk_interruptible_end(wait_until(epfd, events, max,
					       poll_milliseconds(timeout)));
}

UK_LLSYSCALL_R_DEFINE(int, epoll_pwait2, int, epfd, struct epoll_event *,
		      events, int, max, const struct timespec *, timeout,
		      const uint64_t *, mask, size_t, size)
{
	uint64_t until;
	int rc = poll_deadline(timeout, &until);

	if (rc)
		return rc;
	if (mask && size != sizeof(*mask))
		return -EINVAL;
	uk_interruptible_by(mask);
	return uk_interruptible_end(wait_until(epfd, events, max, until));
}
