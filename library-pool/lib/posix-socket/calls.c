/* SPDX-License-Identifier: BSD-3-Clause */
/* Making, naming and connecting sockets. */
#include <errno.h>
#include <string.h>
#include <uk/syscall.h>
#include "socket.h"

#define SOL_SOCKET	1
#define SO_REUSEADDR	2
#define SO_TYPE		3
#define SO_ERROR	4
#define SO_SNDBUF	7
#define SO_RCVBUF	8
#define SO_ACCEPTCONN	30
#define SO_PROTOCOL	38
#define SO_DOMAIN	39
#define IPPROTO_TCP	6
#define IPPROTO_UDP	17

#define SHUT_RD		0
#define SHUT_WR		1
#define SHUT_RDWR	2

#define BACKLOG_MAX	4096U

/* What socket() asks for; 0 or an error. */
static int check(int family, int type, int protocol)
{
	int kind = type & SOCK_TYPE_MASK;

	if (type & ~(SOCK_TYPE_MASK | O_NONBLOCK | O_CLOEXEC))
		return -EINVAL;
	if (family != AF_UNIX && family != AF_INET)
		return -EAFNOSUPPORT;
	if (kind != SOCK_STREAM && kind != SOCK_DGRAM &&
	    (kind != SOCK_SEQPACKET || family != AF_UNIX))
		return -ESOCKTNOSUPPORT;
	if (family == AF_UNIX)
		return protocol && protocol != AF_UNIX ? -EPROTONOSUPPORT : 0;
	return protocol && protocol != (kind == SOCK_STREAM ? IPPROTO_TCP
							    : IPPROTO_UDP)
	       ? -EPROTONOSUPPORT : 0;
}

UK_SYSCALL_R_DEFINE(int, socket, int, family, int, type, int, protocol)
{
	int rc = check(family, type, protocol);
	struct socket *s;

	if (rc)
		return rc;
	s = socket_new(family, type & SOCK_TYPE_MASK);
	return s ? socket_open(s, type & ~SOCK_TYPE_MASK) : -ENOMEM;
}

UK_SYSCALL_R_DEFINE(int, socketpair, int, family, int, type, int, protocol,
		    int *, fds)
{
	int rc = check(family, type, protocol);
	int flags = type & ~SOCK_TYPE_MASK, first, second;
	struct socket *a, *b;

	if (rc)
		return rc;
	if (family != AF_UNIX)
		return -EOPNOTSUPP;
	a = socket_new(family, type & SOCK_TYPE_MASK);
	b = socket_new(family, type & SOCK_TYPE_MASK);
	if (!a || !b) {
		if (a)
			vnode_unref(&a->v);
		if (b)
			vnode_unref(&b->v);
		return -ENOMEM;
	}
	socket_join(a, b);
	first = socket_open(a, flags);
	if (first < 0) {
		vnode_unref(&b->v);
		return first;
	}
	second = socket_open(b, flags);
	if (second < 0) {
		uk_syscall_r_static(SYS_close, first);
		return second;
	}
	fds[0] = first;
	fds[1] = second;
	return 0;
}

UK_SYSCALL_R_DEFINE(int, bind, int, fd, const void *, addr, unsigned int, len)
{
	struct address a;
	int rc;
	struct socket *s = socket_get(fd, NULL, &rc);

	if (!rc)
		rc = address_take(&a, addr, len);
	return rc ? rc : address_bind(s, &a);
}

UK_SYSCALL_R_DEFINE(int, listen, int, fd, int, backlog)
{
	int rc;
	struct socket *s = socket_get(fd, NULL, &rc);

	if (rc)
		return rc;
	if (s->type == SOCK_DGRAM)
		return -EOPNOTSUPP;
	if (s->connected || (s->family == AF_UNIX && !s->own.len))
		return -EINVAL;
	rc = address_choose(s);
	if (rc)
		return rc;
	s->backlog = MIN((unsigned int)backlog, BACKLOG_MAX) + 1;
	s->listens = true;
	return 0;
}

static int take_waiting(int fd, void *addr, unsigned int *len, int flags)
{
	int rc, made;
	struct file *f;
	struct socket *s = socket_get(fd, &f, &rc), *c;

	if (rc)
		return rc;
	if (flags & ~(O_NONBLOCK | O_CLOEXEC))
		return -EINVAL;
	if (s->type == SOCK_DGRAM)
		return -EOPNOTSUPP;
	/* Another thread may close it while this one waits. */
	fdtab_hold(fd);
	for (rc = s->listens ? 0 : -EINVAL; !rc && !s->nr_waiting;) {
		if (s->reads_ended)
			rc = -EINVAL;
		else if (f->flags & O_NONBLOCK)
			rc = -EAGAIN;
		else
			rc = socket_wait();
	}
	if (!rc) {
		c = UK_TAILQ_FIRST(&s->waiting);
		UK_TAILQ_REMOVE(&s->waiting, c, accepts);
		s->nr_waiting--;
		made = socket_open(c, flags);
		/* A bad pointer leaves the descriptor, and loses nothing. */
		if (made >= 0 && c->peer)
			address_give(&c->peer->own, addr, len);
		rc = made;
	}
	fdtab_release(f);
	return rc;
}

UK_SYSCALL_R_DEFINE(int, accept, int, fd, void *, addr, unsigned int *, len)
{
	return take_waiting(fd, addr, len, 0);
}

UK_SYSCALL_R_DEFINE(int, accept4, int, fd, void *, addr, unsigned int *, len,
		    int, flags)
{
	return take_waiting(fd, addr, len, flags);
}

/* A stream's way to a socket that listens: its other end waits there. */
static int connect_to(struct socket *s, struct socket *listener, bool waits)
{
	struct socket *c;
	int rc = 0;

	vnode_ref(&listener->v);
	while (!rc && listener->nr_waiting >= listener->backlog) {
		if (listener->reads_ended || !listener->listens)
			break;
		rc = waits ? socket_wait() : -EAGAIN;
	}
	if (!rc && (!listener->listens || listener->reads_ended))
		rc = -ECONNREFUSED;
	if (!rc) {
		c = socket_new(s->family, s->type);
		if (c) {
			c->own = listener->own;
			socket_join(s, c);
			UK_TAILQ_INSERT_TAIL(&listener->waiting, c, accepts);
			listener->nr_waiting++;
			vnode_changed(&listener->v);
		} else {
			rc = -ENOMEM;
		}
	}
	vnode_unref(&listener->v);
	return rc;
}

UK_SYSCALL_R_DEFINE(int, connect, int, fd, const void *, addr, unsigned int,
		    len)
{
	struct address a;
	int rc;
	struct file *f;
	struct socket *s = socket_get(fd, &f, &rc), *other = NULL;

	if (!rc)
		rc = address_take(&a, addr, len);
	if (rc)
		return rc;
	if (s->type == SOCK_DGRAM && a.family == AF_UNSPEC) {
		s->remote.len = 0;
		return 0;
	}
	if (a.family != s->family)
		return -EAFNOSUPPORT;
	if (s->listens)
		return -EINVAL;
	if (s->type != SOCK_DGRAM && s->connected)
		return -EISCONN;
	rc = address_choose(s);
	if (!rc)
		rc = address_find(&a, s->type, &other);
	/* Datagrams can be meant for one who comes later. */
	if (s->type == SOCK_DGRAM && (!rc || (rc == -ECONNREFUSED &&
					      s->family == AF_INET))) {
		s->remote = a;
		return 0;
	}
	return rc ? rc : connect_to(s, other, !(f->flags & O_NONBLOCK));
}

UK_SYSCALL_R_DEFINE(int, shutdown, int, fd, int, how)
{
	int rc;
	struct socket *s = socket_get(fd, NULL, &rc);

	if (rc)
		return rc;
	if (how < SHUT_RD || how > SHUT_RDWR)
		return -EINVAL;
	if (!s->connected && !s->listens)
		return -ENOTCONN;
	s->reads_ended |= how != SHUT_WR;
	s->writes_ended |= how != SHUT_RD;
	vnode_changed(&s->v);
	if (s->peer)
		vnode_changed(&s->peer->v);
	return 0;
}

/* A name that is not there has its family all the same. */
static int give_name(const struct socket *s, const struct address *a,
		     void *addr, unsigned int *len)
{
	struct address none = { .len = s->family == AF_INET ? 16 : 2 };

	none.family = (uint16_t)s->family;
	address_give(a->len ? a : &none, addr, len);
	return 0;
}

UK_SYSCALL_R_DEFINE(int, getsockname, int, fd, void *, addr, unsigned int *,
		    len)
{
	int rc;
	struct socket *s = socket_get(fd, NULL, &rc);

	return rc ? rc : give_name(s, &s->own, addr, len);
}

UK_SYSCALL_R_DEFINE(int, getpeername, int, fd, void *, addr, unsigned int *,
		    len)
{
	int rc;
	struct socket *s = socket_get(fd, NULL, &rc);

	if (rc)
		return rc;
	if (!s->peer && !s->remote.len)
		return -ENOTCONN;
	return give_name(s, s->peer ? &s->peer->own : &s->remote, addr, len);
}

/* Options change how a network is used; there is none to use. */
UK_SYSCALL_R_DEFINE(int, setsockopt, int, fd, int, level, int, name,
		    const void *, value, unsigned int, len)
{
	int rc;
	struct socket *s = socket_get(fd, NULL, &rc);

	if (rc)
		return rc;
	if (level == SOL_SOCKET && name == SO_REUSEADDR) {
		if (len < sizeof(int))
			return -EINVAL;
		s->reuse = *(const int *)value;
	}
	return 0;
}

UK_SYSCALL_R_DEFINE(int, getsockopt, int, fd, int, level, int, name, void *,
		    value, unsigned int *, len)
{
	int rc, answer = 0;
	struct socket *s = socket_get(fd, NULL, &rc);

	if (rc)
		return rc;
	if (level != SOL_SOCKET && level != IPPROTO_TCP)
		return -ENOPROTOOPT;
	if (level == SOL_SOCKET) {
		switch (name) {
		case SO_REUSEADDR:
			answer = s->reuse;
			break;
		case SO_TYPE:
			answer = s->type;
			break;
		case SO_ERROR:
			answer = s->error;
			s->error = 0;
			break;
		case SO_SNDBUF:
		case SO_RCVBUF:
			answer = QUEUE_MAX;
			break;
		case SO_ACCEPTCONN:
			answer = s->listens;
			break;
		case SO_PROTOCOL:
			answer = s->family == AF_UNIX ? 0 :
				 socket_is_stream(s) ? IPPROTO_TCP : IPPROTO_UDP;
			break;
		case SO_DOMAIN:
			answer = s->family;
			break;
		default:
			break;
		}
	}
	*len = MIN(*len, (unsigned int)sizeof(answer));
	memcpy(value, &answer, *len);
	return 0;
}
