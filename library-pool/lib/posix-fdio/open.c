/* SPDX-License-Identifier: BSD-3-Clause */
/* Opening files, listing folders, the working directory. */
#include <stdlib.h>
#include <string.h>
#include <uk/config.h>
#include <uk/syscall.h>
#if CONFIG_LIBPOSIX_PROCESS_CHILDREN
#include <posix/state.h>
#endif
#include "at.h"

uint32_t posix_fdio_umask = 022;
#if CONFIG_LIBPOSIX_PROCESS_CHILDREN
POSIX_STATE(posix_fdio_umask, NULL, NULL);
#endif

#define MAX_LINKS	40

/* Makes the file that `path` names, or that a link there leads to. */
static int create_at(struct vnode *dir, const char *path, int flags,
		     uint32_t mode, int links, struct vnode **vn)
{
	struct vnode *at = dir, *link;
	const char *name;
	char *target;
	size_t len;
	int rc = vfs_parent(at, path, &dir, &name, &len);

	if (rc)
		return rc == -EINVAL || rc == -EEXIST ? -EISDIR : rc;
	if (name[len] == '/')
		rc = -EISDIR;
	else
		rc = dir->ops->create(dir, name, len, S_IFREG |
				      (mode & ~posix_fdio_umask & 07777), vn);
	if (rc != -EEXIST || (flags & O_EXCL))
		goto out;
	/* A link that leads to nothing yet. */
	rc = dir->ops->lookup(dir, name, len, &link);
	if (rc)
		goto out;
	target = malloc(link->size + 1);
	if (!target) {
		rc = -ENOMEM;
	} else if (flags & O_NOFOLLOW || links == MAX_LINKS) {
		rc = -ELOOP;
	} else {
		link->ops->read(link, target, link->size, 0, 0);
		target[link->size] = 0;
		rc = create_at(*target == '/' ? NULL : dir, target, flags, mode,
			       links + 1, vn);
	}
	free(target);
	vnode_unref(link);
out:
	vnode_unref(dir);
	return rc;
}

static int open_at(int at, const char *path, int flags, uint32_t mode)
{
	struct vnode *vn, *dir = NULL;
	const char *name;
	size_t len;
	int rc;

	/* What is made cannot be a folder. */
	if ((flags & O_CREAT) && path && *path &&
	    path[strlen(path) - 1] == '/') {
		rc = at_parent(at, path, &dir, &name, &len);
		if (!rc)
			vnode_unref(dir);
		return rc && rc != -EEXIST && rc != -EINVAL ? rc : -EISDIR;
	}
	rc = at_lookup(at, path, flags & (O_NOFOLLOW | O_EXCL)
			   ? AT_SYMLINK_NOFOLLOW : 0, &vn);

	if (rc == -ENOENT && (flags & O_CREAT) && *path) {
		if (*path != '/')
			at_start(at, &dir);
		rc = create_at(dir, path, flags, mode, 0, &vn);
		if (rc)
			return rc;
		return fdtab_open(vn, flags);
	}
	if (rc)
		return rc;
	if ((flags & O_CREAT) && (flags & O_EXCL))
		rc = -EEXIST;
	else if (S_ISLNK(vn->mode) && !(flags & O_PATH))
		rc = -ELOOP;
	else if (S_ISDIR(vn->mode) && (flags & (O_ACCMODE | O_CREAT)))
		rc = -EISDIR;
	else if (!S_ISDIR(vn->mode) && (flags & O_DIRECTORY))
		rc = -ENOTDIR;
	else if (S_ISREG(vn->mode) && (flags & O_TRUNC) &&
		 (flags & O_ACCMODE) != O_RDONLY)
		rc = vn->ops->truncate(vn, 0);
	if (rc) {
		vnode_unref(vn);
		return rc;
	}
	return fdtab_open(vn, flags);
}

UK_SYSCALL_R_DEFINE(int, open, const char *, path, int, flags, mode_t, mode)
{
	return open_at(AT_FDCWD, path, flags, mode);
}

UK_SYSCALL_R_DEFINE(int, openat, int, at, const char *, path, int, flags,
		    mode_t, mode)
{
	return open_at(at, path, flags, mode);
}

UK_SYSCALL_R_DEFINE(int, creat, const char *, path, mode_t, mode)
{
	return open_at(AT_FDCWD, path, O_CREAT | O_TRUNC | O_WRONLY, mode);
}

UK_SYSCALL_R_DEFINE(mode_t, umask, mode_t, mask)
{
	uint32_t old = posix_fdio_umask;

	posix_fdio_umask = mask & 0777;
	return old;
}

struct dirent64 {
	uint64_t d_ino;
	int64_t d_off;
	uint16_t d_reclen;
	uint8_t d_type;
	char d_name[];
};

/* One record, or false where it does not fit. */
static bool put_entry(char **to, char *end, const struct vnode *vn,
		      uint64_t next, const char *name, size_t len)
{
	size_t size = ALIGN_UP(offsetof(struct dirent64, d_name) + len + 1,
			       (size_t)8);
	struct dirent64 *d = (struct dirent64 *)*to;

	if (size > (size_t)(end - *to))
		return false;
	d->d_ino = vn->ino;
	d->d_off = (int64_t)next;
	d->d_reclen = (uint16_t)size;
	d->d_type = (uint8_t)((vn->mode & S_IFMT) >> 12);
	memcpy(d->d_name, name, len);
	d->d_name[len] = 0;
	*to += size;
	return true;
}

/* Positions: 0 before ".", 1 before "..", then the cookie plus 2. */
UK_LLSYSCALL_R_DEFINE(ssize_t, getdents64, int, fd, char *, buf, size_t, count)
{
	struct file *f = fdtab_get(fd);
	char *to = buf, *end = buf + count;
	struct vnode *dir, *vn;
	const char *name;
	uint64_t cookie;
	size_t len;

	if (!f)
		return -EBADF;
	dir = f->vn;
	if (!S_ISDIR(dir->mode))
		return -ENOTDIR;
	if (f->off == 0 && put_entry(&to, end, dir, 1, ".", 1))
		f->off = 1;
	if (f->off == 1 && put_entry(&to, end, dir->parent ? dir->parent : dir,
				     2, "..", 2))
		f->off = 2;
	if (f->off < 2)
		return -EINVAL;
	for (cookie = f->off - 2;
	     !dir->ops->entry(dir, &cookie, &name, &len, &vn);
	     f->off = cookie + 2)
		if (!put_entry(&to, end, vn, cookie + 2, name, len))
			return to == buf ? -EINVAL : to - buf;
	return to - buf;
}

UK_LLSYSCALL_R_DEFINE(long, getcwd, char *, buf, size_t, size)
{
	return buf ? vfs_getcwd(buf, size) : -EFAULT;
}

UK_SYSCALL_R_DEFINE(int, chdir, const char *, path)
{
	struct vnode *vn;
	int rc = vfs_lookup(NULL, path, true, &vn);

	if (rc)
		return rc;
	rc = vfs_chdir(vn);
	vnode_unref(vn);
	return rc;
}

UK_SYSCALL_R_DEFINE(int, fchdir, int, fd)
{
	struct file *f = fdtab_get(fd);

	return f ? vfs_chdir(f->vn) : -EBADF;
}
