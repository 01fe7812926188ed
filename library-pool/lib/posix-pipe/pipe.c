/* SPDX-License-Identifier: BSD-3-Clause */
/* A ring of bytes with two ends. */
#include <stdlib.h>
#include <string.h>
#include <posix/fdtab.h>
#include <uk/config.h>
#include <uk/interrupted.h>
#include <uk/syscall.h>
#if CONFIG_LIBUKSCHED
#include <uk/sched.h>
#endif

#define CAPACITY	65536
/* As much is written in one piece (PIPE_BUF). */
#define PIECE		4096
#define FIONREAD	0x541b
#define STEP_NS		1000000ULL

struct pipe {
	struct vnode v;
	unsigned int readers, writers;
	size_t start, used;
	char ring[CAPACITY];
};

static struct pipe *of(struct vnode *vn)
{
	return __containerof(vn, struct pipe, v);
}

/* Lets others run; false where there is no one who could change anything. */
static bool give_way(void)
{
#if CONFIG_LIBUKSCHED
	uk_sched_thread_sleep(STEP_NS);
	return true;
#else
	return false;
#endif
}

static ssize_t pipe_read(struct vnode *vn, void *buf, size_t len,
			 uint64_t off __unused, int flags)
{
	struct pipe *p = of(vn);
	char *to = buf;
	size_t n, i;

	while (!p->used) {
		if (!p->writers || !len)
			return 0;
		if ((flags & O_NONBLOCK) || !give_way())
			return -EAGAIN;
		if (!p->used && uk_interrupted())
			return -EINTR;
	}
	n = MIN(len, p->used);
	for (i = 0; i < n; i++)
		to[i] = p->ring[(p->start + i) % CAPACITY];
	p->start = (p->start + n) % CAPACITY;
	if (p->used > CAPACITY - PIECE)
		vnode_changed(vn);
	p->used -= n;
	return (ssize_t)n;
}

static ssize_t pipe_write(struct vnode *vn, const void *buf, size_t len,
			  uint64_t off __unused, int flags)
{
	struct pipe *p = of(vn);
	const char *from = buf;
	size_t done = 0, room = len <= PIECE ? len : 1;

	while (done < len) {
		if (!p->readers) {
			uk_broken_pipe();
			return done ? (ssize_t)done : -EPIPE;
		}
		if (!done && CAPACITY - p->used < room) {
			if ((flags & O_NONBLOCK) || !give_way())
				return -EAGAIN;
			if (CAPACITY - p->used < room && uk_interrupted())
				return -EINTR;
			continue;
		}
		if (p->used == CAPACITY) {
			if ((flags & O_NONBLOCK) || !give_way())
				return done ? (ssize_t)done : -EAGAIN;
			if (p->used == CAPACITY && uk_interrupted())
				return done ? (ssize_t)done : -EINTR;
			continue;
		}
		p->ring[(p->start + p->used++) % CAPACITY] = from[done++];
		vnode_changed(vn);
	}
	return (ssize_t)len;
}

/* Each end tells of its own direction. */
static int pipe_poll(struct vnode *vn, int flags)
{
	const struct pipe *p = of(vn);
	int bits = 0;

	if ((flags & O_ACCMODE) != O_WRONLY)
		bits |= (p->used ? POLLIN : 0) | (p->writers ? 0 : POLLHUP);
	if ((flags & O_ACCMODE) != O_RDONLY)
		bits |= (p->used <= CAPACITY - PIECE ? POLLOUT : 0) |
			(p->readers ? 0 : POLLERR);
	return bits;
}

static int pipe_ioctl(struct vnode *vn, unsigned long request, void *arg)
{
	if (request != FIONREAD)
		return -ENOTTY;
	*(int *)arg = (int)of(vn)->used;
	return 0;
}

static void count(struct vnode *vn, int flags, unsigned int by)
{
	if ((flags & O_ACCMODE) == O_WRONLY)
		of(vn)->writers += by;
	else
		of(vn)->readers += by;
	vnode_changed(vn);
}

static void pipe_open(struct vnode *vn, int flags)
{
	count(vn, flags, 1);
}

static void pipe_close(struct vnode *vn, int flags)
{
	count(vn, flags, (unsigned int)-1);
}

static void pipe_release(struct vnode *vn)
{
	free(of(vn));
}

static const struct vnode_ops pipe_ops = {
	.read = pipe_read,
	.write = pipe_write,
	.poll = pipe_poll,
	.ioctl = pipe_ioctl,
	.open = pipe_open,
	.close = pipe_close,
	.release = pipe_release,
};

static int make_pipe(int *fds, int flags)
{
	struct pipe *p;
	int in, out;

	if (flags & ~(O_NONBLOCK | O_CLOEXEC))
		return -EINVAL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	vnode_init(&p->v, &pipe_ops, S_IFIFO | 0600);
	in = fdtab_open(vnode_ref(&p->v), O_RDONLY | flags);
	out = in < 0 ? in : fdtab_open(vnode_ref(&p->v), O_WRONLY | flags);
	vnode_unref(&p->v);
	if (out < 0) {
		if (in >= 0)
			uk_syscall_r_static(SYS_close, in);
		return out;
	}
	fds[0] = in;
	fds[1] = out;
	return 0;
}

UK_SYSCALL_R_DEFINE(int, pipe, int *, fds)
{
	return make_pipe(fds, 0);
}

UK_SYSCALL_R_DEFINE(int, pipe2, int *, fds, int, flags)
{
	return make_pipe(fds, flags);
}
