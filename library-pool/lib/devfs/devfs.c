/* SPDX-License-Identifier: BSD-3-Clause */
/* Devices that need no hardware, and the terminal. */
#include <errno.h>
#include <string.h>
#include <posix/tty.h>
#include <uk/ctors.h>
#include <uk/random.h>
#include <vfscore/path.h>

static ssize_t null_read(struct vnode *vn __unused, void *buf __unused,
			 size_t len __unused, uint64_t off __unused,
			 int flags __unused)
{
	return 0;
}

static ssize_t zero_read(struct vnode *vn __unused, void *buf, size_t len,
			 uint64_t off __unused, int flags __unused)
{
	memset(buf, 0, len);
	return (ssize_t)len;
}

static ssize_t random_read(struct vnode *vn __unused, void *buf, size_t len,
			   uint64_t off __unused, int flags __unused)
{
	uk_random_fill(buf, len);
	return (ssize_t)len;
}

static ssize_t any_write(struct vnode *vn __unused, const void *buf __unused,
			 size_t len, uint64_t off __unused, int flags __unused)
{
	return (ssize_t)len;
}

static ssize_t full_write(struct vnode *vn __unused, const void *buf __unused,
			  size_t len __unused, uint64_t off __unused,
			  int flags __unused)
{
	return -ENOSPC;
}

static int always_ready(struct vnode *vn __unused, int flags __unused)
{
	return POLLIN | POLLOUT;
}

static int any_truncate(struct vnode *vn __unused, uint64_t size __unused)
{
	return 0;
}

#define DEVICE(n, r, w)							\
	static const struct vnode_ops n##_ops = {			\
		.read = r, .write = w, .poll = always_ready,		\
		.truncate = any_truncate,				\
	}

DEVICE(null, null_read, any_write);
DEVICE(zero, zero_read, any_write);
DEVICE(full, zero_read, full_write);
DEVICE(random, random_read, any_write);

static struct {
	const char *path;
	const struct vnode_ops *ops;
	uint32_t major, minor;
	struct vnode vn;
} devices[] = {
	{ .path = "/dev/null", .ops = &null_ops, .major = 1, .minor = 3 },
	{ .path = "/dev/zero", .ops = &zero_ops, .major = 1, .minor = 5 },
	{ .path = "/dev/full", .ops = &full_ops, .major = 1, .minor = 7 },
	{ .path = "/dev/random", .ops = &random_ops, .major = 1, .minor = 8 },
	{ .path = "/dev/urandom", .ops = &random_ops, .major = 1, .minor = 9 },
};

/* What the initial RAM disk brought under the same name stays. */
static int add(const char *path, struct vnode *vn)
{
	int rc = vfs_make(path, 0, vn, NULL);

	return rc == -EEXIST ? 0 : rc;
}

static int devfs_init(struct uk_init_ctx *ictx __unused)
{
	size_t i;
	int rc = add("/dev/tty", posix_tty_vnode());

	if (!rc)
		rc = add("/dev/console", posix_tty_vnode());
	for (i = 0; !rc && i < ARRAY_SIZE(devices); i++) {
		vnode_init(&devices[i].vn, devices[i].ops, S_IFCHR | 0666);
		devices[i].vn.rdev = devices[i].major << 8 | devices[i].minor;
		rc = add(devices[i].path, &devices[i].vn);
	}
	return rc;
}
UK_INIT_ENTRY(devfs_init, 3, 4);
