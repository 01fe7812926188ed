/* SPDX-License-Identifier: BSD-3-Clause */
/* Sending and receiving with addresses, in one piece or in several. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uk/syscall.h>
#include "socket.h"

#define IOV_MAX		1024

struct msghdr {
	void *name;
	unsigned int namelen;
	struct iovec *iov;
	size_t iovlen;
	void *control;
	size_t controllen;
	int flags;
};

static int flags_of(const struct file *f, int flags)
{
	return flags | (f->flags & O_NONBLOCK ? MSG_DONTWAIT : 0);
}

static ssize_t send_to(int fd, const void *buf, size_t len, int flags,
		       const void *addr, unsigned int addrlen)
{
	struct address a;
	struct file *f;
	int rc;
	struct socket *s = socket_get(fd, &f, &rc);
	ssize_t n;

	if (!rc && addr)
		rc = address_take(&a, addr, addrlen);
	if (rc)
		return rc;
	/* Another thread may close it while this one waits. */
	vnode_ref(&s->v);
	n = socket_send(s, buf, len, flags_of(f, flags), addr ? &a : NULL);
	vnode_unref(&s->v);
	return n;
}

static ssize_t receive_from(int fd, void *buf, size_t len, int flags,
			    struct address *from, bool *cut)
{
	struct file *f;
	int rc;
	struct socket *s = socket_get(fd, &f, &rc);
	ssize_t n;

	if (rc)
		return rc;
	vnode_ref(&s->v);
	n = socket_receive(s, buf, len, flags_of(f, flags), from, cut);
	vnode_unref(&s->v);
	return n;
}

UK_SYSCALL_R_DEFINE(ssize_t, sendto, int, fd, const void *, buf, size_t, len,
		    int, flags, const void *, addr, unsigned int, addrlen)
{
	return send_to(fd, buf, len, flags, addr, addrlen);
}

UK_SYSCALL_R_DEFINE(ssize_t, recvfrom, int, fd, void *, buf, size_t, len, int,
		    flags, void *, addr, unsigned int *, addrlen)
{
	struct address from;
	bool cut = false;
	ssize_t n = receive_from(fd, buf, len, flags, &from, &cut);

	if (n >= 0)
		address_give(&from, addr, addrlen);
	return n;
}

/* The length of all pieces; -EINVAL, -EMSGSIZE. */
static ssize_t length_of(const struct msghdr *m)
{
	size_t i, sum = 0;

	if (m->iovlen > IOV_MAX)
		return -EMSGSIZE;
	for (i = 0; i < m->iovlen; i++) {
		if (m->iov[i].iov_len > (size_t)0x7fffffff - sum)
			return -EINVAL;
		sum += m->iov[i].iov_len;
	}
	return (ssize_t)sum;
}

UK_SYSCALL_R_DEFINE(ssize_t, sendmsg, int, fd, const struct msghdr *, m, int,
		    flags)
{
	ssize_t len = length_of(m), n;
	uint8_t *buf, *to;
	size_t i;

	if (len < 0)
		return len;
	if (m->controllen)
		return -EOPNOTSUPP;	/* descriptors are not passed on */
	to = buf = malloc((size_t)len + 1);
	if (!buf)
		return -ENOMEM;
	for (i = 0; i < m->iovlen; i++) {
		memcpy(to, m->iov[i].iov_base, m->iov[i].iov_len);
		to += m->iov[i].iov_len;
	}
	n = send_to(fd, buf, (size_t)len, flags,
		    m->namelen ? m->name : NULL, m->namelen);
	free(buf);
	return n;
}

UK_SYSCALL_R_DEFINE(ssize_t, recvmsg, int, fd, struct msghdr *, m, int, flags)
{
	ssize_t len = length_of(m), n;
	struct address from;
	uint8_t *buf;
	size_t i, at = 0;
	bool cut = false;

	if (len < 0)
		return len;
	buf = malloc((size_t)len + 1);
	if (!buf)
		return -ENOMEM;
	n = receive_from(fd, buf, (size_t)len, flags, &from, &cut);
	for (i = 0; n > 0 && i < m->iovlen && at < (size_t)MIN(n, len); i++) {
		size_t part = MIN(m->iov[i].iov_len, (size_t)MIN(n, len) - at);

		memcpy(m->iov[i].iov_base, buf + at, part);
		at += part;
	}
	free(buf);
	if (n < 0)
		return n;
	if (m->name)
		address_give(&from, m->name, &m->namelen);
	m->controllen = 0;
	m->flags = cut ? MSG_TRUNC : 0;
	return n;
}
