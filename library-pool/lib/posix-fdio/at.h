/* SPDX-License-Identifier: BSD-3-Clause */
/* Paths that start at a descriptor. */
#ifndef POSIX_FDIO_AT_H
#define POSIX_FDIO_AT_H

#include <errno.h>
#include <string.h>
#include <posix/fdtab.h>
#include <vfscore/path.h>

#define AT_FDCWD		(-100)
#define AT_SYMLINK_NOFOLLOW	0x100
#define AT_REMOVEDIR		0x200
#define AT_SYMLINK_FOLLOW	0x400
#define AT_EMPTY_PATH		0x1000

/* Where a path starts: NULL for the working directory; false: no such fd. */
static inline bool at_start(int fd, struct vnode **at)
{
	struct file *f;

	*at = NULL;
	if (fd == AT_FDCWD)
		return true;
	f = fdtab_get(fd);
	if (f)
		*at = f->vn;
	return f != NULL;
}

/*
 * The descriptor that a path stands for: /dev/fd/N, /proc/self/fd/N and
 * /dev/stdin, stdout and stderr; -1 for other paths.
 */
static inline int at_descriptor(const char *path)
{
	static const char *const standard[] = {
		"/dev/stdin", "/dev/stdout", "/dev/stderr",
	};
	int fd = 0;

	for (; fd < 3; fd++)
		if (!strcmp(path, standard[fd]))
			return fd;
	if (!strncmp(path, "/dev/fd/", 8))
		path += 8;
	else if (!strncmp(path, "/proc/self/fd/", 14))
		path += 14;
	else
		return -1;
	if (!*path)
		return -1;
	for (fd = 0; *path >= '0' && *path <= '9' && fd < FDTAB_MAX; path++)
		fd = 10 * fd + (*path - '0');
	return *path ? -1 : fd;
}

/* vfs_lookup() from a descriptor, which AT_EMPTY_PATH can mean itself. */
static inline int at_lookup(int fd, const char *path, int flags,
			    struct vnode **vn)
{
	struct vnode *at = NULL;
	int desc;

	if (!path)
		return -EFAULT;
	if (*path != '/' && !at_start(fd, &at))
		return -EBADF;
	if (*path == '/')
		at = NULL;
	if (!*path && (flags & AT_EMPTY_PATH)) {
		*vn = vnode_ref(at ? at : vfs_cwd());
		return 0;
	}
	if (*path == '/' && !(flags & AT_SYMLINK_NOFOLLOW) &&
	    (desc = at_descriptor(path)) >= 0) {
		const struct file *f = fdtab_get(desc);

		if (!f)
			return -ENOENT;
		*vn = vnode_ref(f->vn);
		return 0;
	}
	return vfs_lookup(at, path, !(flags & AT_SYMLINK_NOFOLLOW), vn);
}

static inline int at_parent(int fd, const char *path, struct vnode **dir,
			    const char **name, size_t *len)
{
	struct vnode *at = NULL;

	if (!path)
		return -EFAULT;
	if (*path != '/' && !at_start(fd, &at))
		return -EBADF;
	return vfs_parent(at, path, dir, name, len);
}

/* Permissions that new files do not get. */
extern uint32_t posix_fdio_umask;

#endif /* POSIX_FDIO_AT_H */
