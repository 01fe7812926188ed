/* SPDX-License-Identifier: BSD-3-Clause */
/* Sending and receiving with addresses, in one piece or in several. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uk/syscall.h>
#include "socket.h"

#define IOV_MAX		1024
#define SOL_SOCKET	1
#define SCM_RIGHTS	1

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

/* Before each piece of ancillary data; the next one starts at 8 bytes. */
struct cmsghdr {
	size_t len;		/* with this header */
	int level, type;
};

static ssize_t send_to(int fd, const void *buf, size_t len, int flags,
		       const void *addr, unsigned int addrlen,
		       struct rights **rights)
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
	fdtab_hold(fd);
	if (*rights)
		socket_collect();
	n = *rights && s->family != AF_UNIX
	    ? -EINVAL : socket_send(s, buf, len, flags_of(f, flags),
				    addr ? &a : NULL, rights);
	fdtab_release(f);
	return n;
}

static ssize_t receive_from(int fd, void *buf, size_t len, int flags,
			    struct received *with)
{
	struct file *f;
	int rc;
	struct socket *s = socket_get(fd, &f, &rc);
	ssize_t n;

	with->rights = NULL;
	if (rc)
		return rc;
	fdtab_hold(fd);
	n = socket_receive(s, buf, len, flags_of(f, flags), with);
	fdtab_release(f);
	return n;
}

UK_SYSCALL_R_DEFINE(ssize_t, sendto, int, fd, const void *, buf, size_t, len,
		    int, flags, const void *, addr, unsigned int, addrlen)
{
	struct rights *none = NULL;

	return send_to(fd, buf, len, flags, addr, addrlen, &none);
}

UK_SYSCALL_R_DEFINE(ssize_t, recvfrom, int, fd, void *, buf, size_t, len, int,
		    flags, void *, addr, unsigned int *, addrlen)
{
	struct received with;
	ssize_t n = receive_from(fd, buf, len, flags, &with);

	socket_drop_rights(with.rights);
	if (n >= 0)
		address_give(&with.from, addr, addrlen);
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

/* The open files that ancillary data names; 0 or an error. */
static int rights_of(const struct msghdr *m, struct rights **rights)
{
	const uint8_t *at = m->control;
	size_t left = m->controllen;
	struct rights *r = NULL;
	int rc = 0;

	while (!rc && left >= sizeof(struct cmsghdr)) {
		const struct cmsghdr *c = (const struct cmsghdr *)at;
		const int *fds = (const int *)(c + 1);
		size_t i, step;

		if (c->len < sizeof(*c) || c->len > left ||
		    c->level != SOL_SOCKET || c->type != SCM_RIGHTS) {
			rc = -EINVAL;
			break;
		}
		if (!r)
			r = calloc(1, sizeof(*r));
		if (!r)
			return -ENOMEM;
		for (i = 0; !rc && i < (c->len - sizeof(*c)) / sizeof(int); i++) {
			struct file *f = fdtab_hold(fds[i]);

			/* It goes with the message, or is closed here. */
			if (f)
				fdtab_let_go(f);
			if (!f)
				rc = -EBADF;
			else if (r->count == RIGHTS_MAX)
				rc = -EINVAL;
			else
				r->files[r->count++] = f;
			if (rc && f)
				fdtab_release(f);
		}
		step = MIN(ALIGN_UP(c->len, sizeof(size_t)), left);
		at += step;
		left -= step;
	}
	if (rc || (r && !r->count)) {
		socket_drop_rights(r);
		r = NULL;
	}
	*rights = r;
	return rc;
}

/*
 * Gives what was passed descriptors here, and says which. What there is no
 * room for is closed; false then.
 */
static bool rights_give(struct rights *r, struct msghdr *m, bool cloexec)
{
	struct cmsghdr *c = m->control;
	int *fds = (int *)(c + 1);
	size_t room = m->controllen < sizeof(*c)
		      ? 0 : (m->controllen - sizeof(*c)) / sizeof(int);
	unsigned int n = 0;

	while (n < r->count && n < room) {
		int fd = fdtab_put(r->files[n], cloexec);

		if (fd < 0)
			break;
		fds[n++] = fd;
	}
	if (n) {
		*c = (struct cmsghdr) { sizeof(*c) + n * sizeof(int),
					SOL_SOCKET, SCM_RIGHTS };
		m->controllen = MIN(ALIGN_UP(c->len, sizeof(size_t)),
				    m->controllen);
	} else {
		m->controllen = 0;
	}
	return n == r->count;
}

UK_SYSCALL_R_DEFINE(ssize_t, sendmsg, int, fd, const struct msghdr *, m, int,
		    flags)
{
	ssize_t len = length_of(m), n;
	struct rights *rights;
	uint8_t *buf, *to;
	size_t i;
	int rc;

	if (len < 0)
		return len;
	rc = rights_of(m, &rights);
	if (rc)
		return rc;
	to = buf = malloc((size_t)len + 1);
	if (!buf) {
		socket_drop_rights(rights);
		return -ENOMEM;
	}
	for (i = 0; i < m->iovlen; i++) {
		memcpy(to, m->iov[i].iov_base, m->iov[i].iov_len);
		to += m->iov[i].iov_len;
	}
	n = send_to(fd, buf, (size_t)len, flags,
		    m->namelen ? m->name : NULL, m->namelen, &rights);
	socket_drop_rights(rights);
	free(buf);
	return n;
}

UK_SYSCALL_R_DEFINE(ssize_t, recvmsg, int, fd, struct msghdr *, m, int, flags)
{
	ssize_t len = length_of(m), n;
	struct received with = { .cut = false };
	uint8_t *buf;
	size_t i, at = 0;

	if (len < 0)
		return len;
	buf = malloc((size_t)len + 1);
	if (!buf)
		return -ENOMEM;
	n = receive_from(fd, buf, (size_t)len, flags, &with);
	for (i = 0; n > 0 && i < m->iovlen && at < (size_t)MIN(n, len); i++) {
		size_t part = MIN(m->iov[i].iov_len, (size_t)MIN(n, len) - at);

		memcpy(m->iov[i].iov_base, buf + at, part);
		at += part;
	}
	free(buf);
	if (n < 0)
		return n;
	if (m->name)
		address_give(&with.from, m->name, &m->namelen);
	m->flags = with.cut ? MSG_TRUNC : 0;
	if (!with.rights)
		m->controllen = 0;
	else if (!rights_give(with.rights, m, flags & MSG_CMSG_CLOEXEC))
		m->flags |= MSG_CTRUNC;
	socket_drop_rights(with.rights);
	return n;
}
