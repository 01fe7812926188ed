/* SPDX-License-Identifier: BSD-3-Clause */
/* Addresses: ports of the loopback network, paths, and abstract names. */
#include <errno.h>
#include <string.h>
#include <vfscore/path.h>
#include "socket.h"

#define FIRST_PORT	32768
#define LAST_PORT	60999

static uint16_t last_port = FIRST_PORT - 1;

int address_take(struct address *a, const void *from, unsigned int len)
{
	if (len < sizeof(a->family) || len > ADDRESS_MAX)
		return -EINVAL;
	memset(a, 0, sizeof(*a));
	memcpy(a->bytes, from, len);
	a->len = len;
	switch (a->family) {
	case AF_INET:
		if (len < 8)
			return -EINVAL;
		a->len = 16;
		return 0;
	case AF_UNIX:
	case AF_UNSPEC:
		return 0;
	default:
		return -EAFNOSUPPORT;
	}
}

void address_give(const struct address *a, void *to, unsigned int *len)
{
	if (!to || !len)
		return;
	memcpy(to, a->bytes, MIN(*len, a->len));
	*len = a->len;
}

static bool is_abstract(const struct address *a)
{
	return a->family == AF_UNIX && a->len > 2 && !a->un.path[0];
}

static bool is_local(const struct address *a)
{
	static const uint8_t any[4];

	return a->in.host[0] == 127 || !memcmp(a->in.host, any, 4);
}

/* Whether a socket that is bound to `own` is reached by `wanted`. */
static bool reaches(const struct address *own, const struct address *wanted)
{
	if (own->family != wanted->family || !own->len)
		return false;
	if (own->family == AF_UNIX)
		return own->len == wanted->len &&
		       !memcmp(own->bytes, wanted->bytes, own->len);
	return !memcmp(own->in.port, wanted->in.port, 2) &&
	       (!own->in.host[0] || !wanted->in.host[0] ||
		!memcmp(own->in.host, wanted->in.host, 4));
}

/* Sockets that accept() makes have their listener's address. */
static bool is_accepted(const struct socket *s)
{
	return s->connected && s->type != SOCK_DGRAM;
}

static struct socket *bound_to(const struct address *a, int type)
{
	struct socket *s;

	UK_TAILQ_FOREACH(s, &socket_all, all)
		if (s->type == type && !is_accepted(s) && reaches(&s->own, a))
			return s;
	return NULL;
}

static int find_path(const struct address *a, int type, struct socket **found)
{
	struct vnode *vn;
	struct socket *s;
	char path[ADDRESS_MAX];
	int rc;

	memcpy(path, a->un.path, a->len - 2);
	path[a->len - 2] = 0;
	rc = vfs_lookup(NULL, path, true, &vn);
	if (rc)
		return rc;
	rc = -ECONNREFUSED;
	UK_TAILQ_FOREACH(s, &socket_all, all) {
		if (s->node != vn || is_accepted(s))
			continue;
		rc = s->type == type ? 0 : -EPROTOTYPE;
		*found = s;
		break;
	}
	vnode_unref(vn);
	return rc;
}

int address_find(const struct address *a, int type, struct socket **found)
{
	if (a->family == AF_UNIX && a->len > 2 && !is_abstract(a))
		return find_path(a, type, found);
	if (a->family == AF_INET && !is_local(a))
		return -ENETUNREACH;
	*found = bound_to(a, type);
	return *found ? 0 : -ECONNREFUSED;
}

static void set_port(struct address *a, unsigned int port)
{
	a->in.port[0] = (uint8_t)(port >> 8);
	a->in.port[1] = (uint8_t)port;
}

/* A free port into an address; 0 or -EADDRINUSE. */
static int choose_port(struct address *a, int type)
{
	unsigned int i;

	for (i = FIRST_PORT; i <= LAST_PORT; i++) {
		last_port = last_port < LAST_PORT ? last_port + 1 : FIRST_PORT;
		set_port(a, last_port);
		if (!bound_to(a, type))
			return 0;
	}
	return -EADDRINUSE;
}

int address_choose(struct socket *s)
{
	struct address a = { .len = 16 };

	if (s->family != AF_INET || s->own.len)
		return 0;
	a.family = AF_INET;
	a.in.host[0] = 127;
	a.in.host[3] = 1;
	if (choose_port(&a, s->type))
		return -EADDRINUSE;
	s->own = a;
	return 0;
}

static int bind_path(struct socket *s, const struct address *a)
{
	struct vnode *dir;
	const char *name;
	char path[ADDRESS_MAX];
	size_t len;
	int rc;

	memcpy(path, a->un.path, a->len - 2);
	path[a->len - 2] = 0;
	rc = vfs_parent(NULL, path, &dir, &name, &len);
	if (rc)
		return rc == -EEXIST ? -EADDRINUSE : rc;
	rc = dir->ops->create
	     ? dir->ops->create(dir, name, len, S_IFSOCK | 0755, &s->node)
	     : -EROFS;
	vnode_unref(dir);
	if (rc)
		s->node = NULL;
	return rc == -EEXIST ? -EADDRINUSE : rc;
}

int address_bind(struct socket *s, const struct address *a)
{
	struct address b = *a;
	int rc = 0;

	if (s->own.len || b.family != s->family)
		return -EINVAL;
	if (s->family == AF_INET) {
		if (!is_local(&b))
			return -EADDRNOTAVAIL;
		if (!b.in.port[0] && !b.in.port[1])
			rc = choose_port(&b, s->type);
		else if (bound_to(&b, s->type))
			rc = -EADDRINUSE;
	} else if (b.len <= 2) {
		return -EINVAL;
	} else if (is_abstract(&b)) {
		rc = bound_to(&b, s->type) ? -EADDRINUSE : 0;
	} else {
		rc = bind_path(s, &b);
	}
	if (!rc)
		s->own = b;
	return rc;
}

void address_release(struct socket *s)
{
	vnode_unref(s->node);
	s->node = NULL;
	s->own.len = 0;
}
