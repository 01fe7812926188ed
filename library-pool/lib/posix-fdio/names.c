/* SPDX-License-Identifier: BSD-3-Clause */
/* Making, removing and renaming of what stands in folders. */
#include <string.h>
#include <uk/syscall.h>
#include "at.h"

/*
 * The place of a new entry, as at_parent() gives it, where there is none yet.
 * Only the name of a folder can end with a slash.
 */
static int at_new(int at, const char *path, bool folder, struct vnode **dir,
		  const char **name, size_t *len)
{
	struct vnode *vn;
	int rc = at_parent(at, path, dir, name, len);

	if (rc == -EINVAL)
		return -EEXIST;	/* "." and ".." are there */
	if (rc)
		return rc;
	rc = (*dir)->ops->lookup(*dir, *name, *len, &vn);
	if (!rc) {
		vnode_unref(vn);
		rc = -EEXIST;
	} else if (rc == -ENOENT) {
		rc = (*name)[*len] && !folder ? -ENOENT : 0;
	}
	if (rc)
		vnode_unref(*dir);
	return rc;
}

static int make_at(int at, const char *path, uint32_t mode, struct vnode **vn)
{
	struct vnode *dir;
	const char *name;
	size_t len;
	int rc = at_new(at, path, S_ISDIR(mode), &dir, &name, &len);

	if (rc)
		return rc;
	rc = dir->ops->create(dir, name, len, mode, vn);
	vnode_unref(dir);
	return rc;
}

static int mkdir_at(int at, const char *path, uint32_t mode)
{
	struct vnode *vn;
	int rc = make_at(at, path,
			 S_IFDIR | (mode & ~posix_fdio_umask & 07777), &vn);

	if (!rc)
		vnode_unref(vn);
	return rc;
}

UK_SYSCALL_R_DEFINE(int, mkdir, const char *, path, mode_t, mode)
{
	return mkdir_at(AT_FDCWD, path, mode);
}

UK_SYSCALL_R_DEFINE(int, mkdirat, int, at, const char *, path, mode_t, mode)
{
	return mkdir_at(at, path, mode);
}

/* For names that end with a slash. */
static int must_be_folder(struct vnode *dir, const char *name, size_t len)
{
	struct vnode *vn;
	int rc = dir->ops->lookup(dir, name, len, &vn);

	if (rc)
		return rc;
	rc = S_ISDIR(vn->mode) ? 0 : -ENOTDIR;
	vnode_unref(vn);
	return rc;
}

/* Whether the last name of a path is "..", and not ".". */
static bool ends_with_parent(const char *path)
{
	const char *end = path + strlen(path);

	while (end[-1] == '/')
		end--;
	return end - path >= 2 && end[-2] == '.';
}

static int remove_at(int at, const char *path, bool folder)
{
	struct vnode *dir;
	const char *name;
	size_t len;
	int rc = at_parent(at, path, &dir, &name, &len);

	if (rc == -EEXIST)
		return folder ? -EBUSY : -EISDIR;	/* the root */
	if (rc == -EINVAL)
		return !folder ? -EISDIR : ends_with_parent(path) ? -ENOTEMPTY
								  : -EINVAL;
	if (rc)
		return rc;
	if (name[len] && !folder)
		rc = must_be_folder(dir, name, len);
	if (!rc)
		rc = dir->ops->remove(dir, name, len, folder);
	vnode_unref(dir);
	return rc;
}

UK_SYSCALL_R_DEFINE(int, rmdir, const char *, path)
{
	return remove_at(AT_FDCWD, path, true);
}

UK_SYSCALL_R_DEFINE(int, unlink, const char *, path)
{
	return remove_at(AT_FDCWD, path, false);
}

UK_SYSCALL_R_DEFINE(int, unlinkat, int, at, const char *, path, int, flags)
{
	return remove_at(at, path, flags & AT_REMOVEDIR);
}

static int rename_at(int at, const char *path, int newat, const char *newpath)
{
	struct vnode *from, *to;
	const char *name, *newname;
	size_t len, newlen;
	int rc = at_parent(at, path, &from, &name, &len);

	if (rc)
		return rc == -EEXIST || rc == -EINVAL ? -EBUSY : rc;
	rc = at_parent(newat, newpath, &to, &newname, &newlen);
	if (rc == -EEXIST || rc == -EINVAL)
		rc = -EBUSY;
	if (!rc) {
		/* A slash at the end says that it is a folder. */
		if (name[len] || newname[newlen])
			rc = must_be_folder(from, name, len);
		if (!rc)
			rc = from->ops->rename(from, name, len, to, newname,
					       newlen);
		vnode_unref(to);
	}
	vnode_unref(from);
	return rc;
}

UK_SYSCALL_R_DEFINE(int, rename, const char *, path, const char *, newpath)
{
	return rename_at(AT_FDCWD, path, AT_FDCWD, newpath);
}

UK_SYSCALL_R_DEFINE(int, renameat, int, at, const char *, path, int, newat,
		    const char *, newpath)
{
	return rename_at(at, path, newat, newpath);
}

UK_LLSYSCALL_R_DEFINE(int, renameat2, int, at, const char *, path, int, newat,
		      const char *, newpath, unsigned int, flags)
{
	return flags ? -EINVAL : rename_at(at, path, newat, newpath);
}

static int link_at(int at, const char *path, int newat, const char *newpath,
		   int flags)
{
	struct vnode *vn, *dir;
	const char *name;
	size_t len;
	int rc = at_lookup(at, path, flags & AT_SYMLINK_FOLLOW
			   ? 0 : AT_SYMLINK_NOFOLLOW, &vn);

	if (rc)
		return rc;
	rc = at_new(newat, newpath, false, &dir, &name, &len);
	if (!rc) {
		rc = S_ISDIR(vn->mode) ? -EPERM
		     : dir->ops->link(dir, name, len, vn);
		vnode_unref(dir);
	}
	vnode_unref(vn);
	return rc;
}

UK_SYSCALL_R_DEFINE(int, link, const char *, path, const char *, newpath)
{
	return link_at(AT_FDCWD, path, AT_FDCWD, newpath, 0);
}

UK_SYSCALL_R_DEFINE(int, linkat, int, at, const char *, path, int, newat,
		    const char *, newpath, int, flags)
{
	return link_at(at, path, newat, newpath, flags);
}

static int symlink_at(const char *target, int at, const char *path)
{
	struct vnode *vn;
	ssize_t n;
	int rc;

	if (!target)
		return -EFAULT;
	if (!*target)
		return -ENOENT;
	rc = make_at(at, path, S_IFLNK | 0777, &vn);
	if (rc)
		return rc;
	n = vn->ops->write(vn, target, strlen(target), 0, 0);
	vnode_unref(vn);
	return n < 0 ? (int)n : 0;
}

UK_SYSCALL_R_DEFINE(int, symlink, const char *, target, const char *, path)
{
	return symlink_at(target, AT_FDCWD, path);
}

UK_SYSCALL_R_DEFINE(int, symlinkat, const char *, target, int, at,
		    const char *, path)
{
	return symlink_at(target, at, path);
}

static ssize_t readlink_at(int at, const char *path, char *buf, size_t size)
{
	struct vnode *vn;
	ssize_t n = at_lookup(at, path, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH,
			      &vn);

	if (n)
		return n;
	n = S_ISLNK(vn->mode) && size ? vn->ops->read(vn, buf, size, 0, 0)
				      : -EINVAL;
	vnode_unref(vn);
	return n;
}

UK_SYSCALL_R_DEFINE(ssize_t, readlink, const char *, path, char *, buf,
		    size_t, size)
{
	return readlink_at(AT_FDCWD, path, buf, size);
}

UK_SYSCALL_R_DEFINE(ssize_t, readlinkat, int, at, const char *, path, char *,
		    buf, size_t, size)
{
	return readlink_at(at, path, buf, size);
}
