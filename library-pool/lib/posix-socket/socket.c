/* SPDX-License-Identifier: BSD-3-Clause */
/* Queues of messages, and what a descriptor of a socket can do. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uk/interrupted.h>
#include <uk/sched.h>
#include "socket.h"

#define STEP_NS		1000000ULL
#define FIONREAD	0x541b
#define TAKE_MAX	65536UL	/* of a stream, by one message */

struct sockets socket_all = UK_TAILQ_HEAD_INITIALIZER(socket_all);

int socket_wait(void)
{
	if (uk_interrupted())
		return -EINTR;
	uk_sched_thread_sleep(STEP_NS);
	return 0;
}

static struct socket *of(struct vnode *vn)
{
	return __containerof(vn, struct socket, v);
}

void socket_join(struct socket *a, struct socket *b)
{
	a->peer = b;
	b->peer = a;
	a->connected = b->connected = true;
	vnode_changed(&a->v);
}

static bool may_send(const struct socket *s)
{
	return s->peer && !s->writes_ended && !s->peer->reads_ended;
}

/* A copy of what is sent, at the end of a queue; 0 or -ENOMEM. */
static int put(struct socket *to, const void *buf, size_t len,
	       const struct address *from, struct rights **rights)
{
	struct message *m = malloc(sizeof(*m) + len);

	if (!m)
		return -ENOMEM;
	m->from = *from;
	m->rights = *rights;
	socket_in_flight += m->rights != NULL;
	*rights = NULL;
	m->len = len;
	m->taken = 0;
	memcpy(m->data, buf, len);
	UK_TAILQ_INSERT_TAIL(&to->messages, m, list);
	to->queued += len;
	vnode_changed(&to->v);
	return 0;
}

static ssize_t send_stream(struct socket *s, const uint8_t *buf, size_t len,
			   int flags, struct rights **rights)
{
	size_t done = 0;
	int rc = 0;

	if (!s->connected)
		return -ENOTCONN;
	while (done < len && !rc) {
		size_t n = MIN(len - done, TAKE_MAX);

		if (!may_send(s)) {
			if (!(flags & MSG_NOSIGNAL))
				uk_broken_pipe();
			rc = -EPIPE;
		} else if (s->peer->queued >= QUEUE_MAX) {
			rc = flags & MSG_DONTWAIT ? -EAGAIN : socket_wait();
		} else {
			rc = put(s->peer, buf + done, n, &s->own, rights);
			done += rc ? 0 : n;
		}
	}
	return done ? (ssize_t)done : rc;
}

static ssize_t send_message(struct socket *s, const void *buf, size_t len,
			    int flags, const struct address *to,
			    struct rights **rights)
{
	struct socket *peer = s->peer;
	int rc;

	if (len > QUEUE_MAX)
		return -EMSGSIZE;
	if (s->writes_ended)
		return -EPIPE;
	if (to || (!peer && s->remote.len)) {
		rc = address_find(to ? to : &s->remote, s->type, &peer);
		/* A datagram to nobody is lost, which only a fixed end tells. */
		if (rc == -ECONNREFUSED && to && s->family == AF_INET)
			return (ssize_t)len;
		if (rc)
			return rc;
	}
	if (!peer)
		return s->connected ? -ECONNREFUSED : -ENOTCONN;
	if (s->family == AF_INET && !s->own.len) {
		rc = address_choose(s);
		if (rc)
			return rc;
	}
	/* It may be closed meanwhile. */
	vnode_ref(&peer->v);
	for (rc = 0; !rc && peer->queued + len > QUEUE_MAX;)
		rc = flags & MSG_DONTWAIT ? -EAGAIN : socket_wait();
	if (!rc && !peer->reads_ended)
		rc = put(peer, buf, len, &s->own, rights);
	vnode_unref(&peer->v);
	return rc ? rc : (ssize_t)len;
}

ssize_t socket_send(struct socket *s, const void *buf, size_t len, int flags,
		    const struct address *to, struct rights **rights)
{
	if (s->listens)
		return -ENOTCONN;
	if (!socket_is_stream(s))
		return send_message(s, buf, len, flags, to, rights);
	return to && s->connected && s->family == AF_UNIX
	       ? -EISCONN : send_stream(s, buf, len, flags, rights);
}

/* There is room again for what the other end sends. */
static void taken(struct socket *s, size_t n)
{
	s->queued -= n;
	if (s->peer)
		vnode_changed(&s->peer->v);
}

struct message *socket_unqueue(struct socket *s)
{
	struct message *m = UK_TAILQ_FIRST(&s->messages);

	if (!m)
		return NULL;
	taken(s, m->len - m->taken);
	UK_TAILQ_REMOVE(&s->messages, m, list);
	return m;
}

void socket_drop(struct message *m)
{
	socket_in_flight -= m->rights != NULL;
	socket_drop_rights(m->rights);
	free(m);
}

/*
 * Copies what there is of a stream, to the end of a message with which files
 * came; `peek` leaves it.
 */
static size_t take_stream(struct socket *s, uint8_t *to, size_t len, bool peek,
			  struct received *with)
{
	struct message *m, *next;
	size_t done = 0;

	for (m = UK_TAILQ_FIRST(&s->messages); m && done < len; m = next) {
		size_t n = MIN(len - done, m->len - m->taken);

		next = UK_TAILQ_NEXT(m, list);
		memcpy(to + done, m->data + m->taken, n);
		done += n;
		socket_take_rights(m, peek, with);
		if (with->rights)
			next = NULL;
		if (peek)
			continue;
		m->taken += n;
		taken(s, n);
		if (m->taken == m->len)
			socket_drop(socket_unqueue(s));
	}
	return done;
}

/* Whether nothing can come any more. */
static bool is_over(const struct socket *s)
{
	return s->reads_ended ||
	       (s->connected && (!s->peer || s->peer->writes_ended));
}

ssize_t socket_receive(struct socket *s, void *buf, size_t len, int flags,
		       struct received *with)
{
	struct message *m;
	size_t done = 0;
	int rc;

	with->cut = false;
	with->rights = NULL;
	with->from.len = 0;
	if (s->listens || (!s->connected && s->type != SOCK_DGRAM))
		return -ENOTCONN;
	for (;;) {
		m = UK_TAILQ_FIRST(&s->messages);
		if (m && !socket_is_stream(s)) {
			size_t n = MIN(len, m->len);

			with->cut = m->len > len;
			with->from = m->from;
			if (flags & MSG_TRUNC)
				done = m->len;
			else
				done = n;
			memcpy(buf, m->data, n);
			socket_take_rights(m, flags & MSG_PEEK, with);
			if (!(flags & MSG_PEEK))
				socket_drop(socket_unqueue(s));
			return (ssize_t)done;
		}
		if (m && len)
			done += take_stream(s, (uint8_t *)buf + done,
					    len - done, flags & MSG_PEEK, with);
		if (done == len || with->rights || is_over(s) ||
		    (done && (!(flags & MSG_WAITALL) || (flags & MSG_PEEK))))
			return (ssize_t)done;
		rc = flags & MSG_DONTWAIT ? -EAGAIN : socket_wait();
		if (rc)
			return done ? (ssize_t)done : rc;
	}
}

static int message_flags(int flags)
{
	return flags & O_NONBLOCK ? MSG_DONTWAIT : 0;
}

static ssize_t socket_read(struct vnode *vn, void *buf, size_t len,
			   uint64_t off __unused, int flags)
{
	struct received with;
	ssize_t n = socket_receive(of(vn), buf, len, message_flags(flags),
				   &with);

	socket_drop_rights(with.rights);
	return n;
}

static ssize_t socket_write(struct vnode *vn, const void *buf, size_t len,
			    uint64_t off __unused, int flags)
{
	struct rights *none = NULL;

	return socket_send(of(vn), buf, len, message_flags(flags), NULL, &none);
}

static int socket_poll(struct vnode *vn, int flags __unused)
{
	const struct socket *s = of(vn);
	int bits = 0;

	if (s->listens)
		return s->nr_waiting ? POLLIN : 0;
	if (!UK_TAILQ_EMPTY(&s->messages) || is_over(s))
		bits |= POLLIN;
	if (s->type == SOCK_DGRAM)
		return bits | POLLOUT | (s->error ? POLLERR : 0);
	if (is_over(s))
		bits |= POLLRDHUP;
	/* TCP ends each direction for itself. */
	if (s->family == AF_INET && s->connected && !s->peer &&
	    !s->writes_ended)
		return bits | POLLOUT;
	if (!s->peer || (s->reads_ended && s->writes_ended))
		return bits | POLLHUP | POLLOUT;
	if (s->peer->queued < QUEUE_MAX)
		bits |= POLLOUT;
	return bits;
}

static int socket_ioctl(struct vnode *vn, unsigned long request, void *arg)
{
	const struct message *m = UK_TAILQ_FIRST(&of(vn)->messages);

	if (request != FIONREAD)
		return -ENOTTY;
	*(int *)arg = (int)(!m || socket_is_stream(of(vn)) ? of(vn)->queued
							   : m->len);
	return 0;
}

/* The last descriptor is gone: the other end sees an end. */
static void socket_close(struct vnode *vn, int flags __unused)
{
	struct socket *s = of(vn), *c;

	while ((c = UK_TAILQ_FIRST(&s->waiting))) {
		UK_TAILQ_REMOVE(&s->waiting, c, accepts);
		socket_close(&c->v, 0);
		vnode_unref(&c->v);
	}
	s->nr_waiting = 0;
	s->reads_ended = s->writes_ended = true;
	vnode_changed(vn);
	if (s->peer) {
		vnode_changed(&s->peer->v);
		s->peer->peer = NULL;
		s->peer = NULL;
	}
	address_release(s);
	s->file = NULL;
	socket_collect();
}

static void socket_release(struct vnode *vn)
{
	struct socket *s = of(vn);
	struct message *m;

	while ((m = socket_unqueue(s)))
		socket_drop(m);
	UK_TAILQ_REMOVE(&socket_all, s, all);
	free(s);
}

static const struct vnode_ops ops = {
	.read = socket_read,
	.write = socket_write,
	.poll = socket_poll,
	.ioctl = socket_ioctl,
	.close = socket_close,
	.release = socket_release,
};

struct socket *socket_new(int family, int type)
{
	struct socket *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	vnode_init(&s->v, &ops, S_IFSOCK | 0777);
	s->family = family;
	s->type = type;
	UK_TAILQ_INIT(&s->messages);
	UK_TAILQ_INIT(&s->waiting);
	UK_TAILQ_INSERT_TAIL(&socket_all, s, all);
	return s;
}

struct socket *socket_of(const struct file *f)
{
	return f->vn->ops == &ops ? of(f->vn) : NULL;
}

struct socket *socket_get(int fd, struct file **file, int *rc)
{
	struct file *f = fdtab_get(fd);

	*rc = !f ? -EBADF : f->vn->ops != &ops ? -ENOTSOCK : 0;
	if (*rc)
		return NULL;
	if (file)
		*file = f;
	return of(f->vn);
}

int socket_open(struct socket *s, int flags)
{
	int fd = fdtab_open(&s->v, O_RDWR | flags);

	if (fd >= 0)
		s->file = fdtab_get(fd);
	return fd;
}
