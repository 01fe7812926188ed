/* SPDX-License-Identifier: BSD-3-Clause */
/* Walks along paths, through symbolic links. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <uk/config.h>
#include <vfscore/path.h>
#if CONFIG_LIBPOSIX_PROCESS_CHILDREN
#include <posix/state.h>
#endif

#define MAX_LINKS	40

static struct vnode *root;
static struct vnode *cwd;

#if CONFIG_LIBPOSIX_PROCESS_CHILDREN
static void cwd_forked(void)
{
	vnode_ref(cwd);
}

static void cwd_ended(void)
{
	vnode_unref(cwd);
}
POSIX_STATE(cwd, cwd_forked, cwd_ended);
#endif

struct vnode *vfs_root(void)
{
	return root;
}

void vfs_set_root(struct vnode *vn)
{
	root = vnode_ref(vn);
	root->parent = root;
	cwd = vnode_ref(root);
}

struct vnode *vfs_cwd(void)
{
	return cwd;
}

int vfs_chdir(struct vnode *dir)
{
	if (!S_ISDIR(dir->mode))
		return -ENOTDIR;
	vnode_ref(dir);
	vnode_unref(cwd);
	cwd = dir;
	return 0;
}

long vfs_getcwd(char *buf, size_t size)
{
	struct vnode *vn = cwd;
	size_t at = size;

	if (size < 2)
		return -ERANGE;
	if (vn == root) {
		memcpy(buf, "/", 2);
		return 2;
	}
	buf[--at] = 0;
	while (vn != root) {
		struct vnode *up = vn->parent, *child;
		uint64_t cookie = 0;
		const char *name;
		size_t len;

		if (!up)
			return -ENOENT;	/* it was removed */
		do {
			if (up->ops->entry(up, &cookie, &name, &len, &child))
				return -ENOENT;
		} while (child != vn);
		if (len + 1 > at)
			return -ERANGE;
		at -= len;
		memcpy(buf + at, name, len);
		buf[--at] = '/';
		vn = up;
	}
	memmove(buf, buf + at, size - at);
	return (long)(size - at);
}

static int step(struct vnode *dir, const char *name, size_t len,
		struct vnode **found)
{
	if (!S_ISDIR(dir->mode))
		return -ENOTDIR;
	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	if (len == 1 && name[0] == '.') {
		*found = vnode_ref(dir);
		return 0;
	}
	if (len == 2 && name[0] == '.' && name[1] == '.') {
		*found = vnode_ref(dir->parent ? dir->parent : dir);
		return 0;
	}
	return dir->ops->lookup(dir, name, len, found);
}

static int walk(struct vnode *at, const char *path, bool follow, int *links,
		struct vnode **found);

/* What a symbolic link in `dir` leads to. System call stacks are small. */
static int through(struct vnode *link, struct vnode *dir, int *links,
		   struct vnode **found)
{
	char *target = malloc(link->size + 1);
	int rc = -ENOENT;

	if (!target)
		return -ENOMEM;
	if (link->ops->read(link, target, link->size, 0, 0) > 0) {
		target[link->size] = 0;
		rc = walk(dir, target, true, links, found);
	}
	free(target);
	return rc;
}

/* `links` counts those that were followed on the whole way. */
static int walk(struct vnode *at, const char *path, bool follow, int *links,
		struct vnode **found)
{
	struct vnode *dir, *vn;
	int rc = 0;

	if (*path == '/' || !at)
		at = *path == '/' ? root : cwd;
	dir = vnode_ref(at);
	for (;;) {
		const char *end;
		bool last, folder;

		while (*path == '/')
			path++;
		if (!*path) {
			*found = dir;
			return 0;
		}
		for (end = path; *end && *end != '/'; end++)
			;
		rc = step(dir, path, (size_t)(end - path), &vn);
		if (rc)
			break;
		folder = *end == '/';
		while (*end == '/')
			end++;
		last = !*end;
		if (S_ISLNK(vn->mode) && (!last || follow || folder)) {
			struct vnode *link = vn;

			rc = ++*links > MAX_LINKS ? -ELOOP
			   : through(link, dir, links, &vn);
			vnode_unref(link);
			if (rc)
				break;
		}
		if (folder && !S_ISDIR(vn->mode)) {
			vnode_unref(vn);
			rc = -ENOTDIR;
			break;
		}
		vnode_unref(dir);
		dir = vn;
		path = end;
	}
	vnode_unref(dir);
	return rc;
}

int vfs_lookup(struct vnode *at, const char *path, bool follow,
	       struct vnode **found)
{
	int links = 0;

	if (!path)
		return -EFAULT;
	if (!*path)
		return -ENOENT;
	if (strnlen(path, PATH_MAX) == PATH_MAX)
		return -ENAMETOOLONG;
	return walk(at, path, follow, &links, found);
}

int vfs_parent(struct vnode *at, const char *path, struct vnode **dir,
	       const char **name, size_t *len)
{
	const char *end, *start;

	if (!path)
		return -EFAULT;
	if (!*path)
		return -ENOENT;
	end = path + strlen(path);
	if (end - path >= PATH_MAX)
		return -ENAMETOOLONG;
	while (end > path && end[-1] == '/')
		end--;
	if (end == path)
		return -EEXIST;
	for (start = end; start > path && start[-1] != '/'; start--)
		;
	*name = start;
	*len = (size_t)(end - start);
	if (*len > NAME_MAX)
		return -ENAMETOOLONG;
	if (start[0] == '.' && (*len == 1 || (*len == 2 && start[1] == '.')))
		return -EINVAL;
	if (start == path) {
		*dir = vnode_ref(at ? at : cwd);
	} else {
		char *before = malloc((size_t)(start - path) + 1);
		int rc;

		if (!before)
			return -ENOMEM;
		memcpy(before, path, (size_t)(start - path));
		before[start - path] = 0;
		rc = vfs_lookup(at, before, true, dir);
		free(before);
		if (rc)
			return rc;
	}
	if (!S_ISDIR((*dir)->mode)) {
		vnode_unref(*dir);
		return -ENOTDIR;
	}
	return 0;
}

int vfs_make(const char *path, uint32_t mode, struct vnode *vn,
	     struct vnode **made)
{
	struct vnode *dir = vnode_ref(root), *next;
	int rc = 0, links = 0;

	for (;;) {
		const char *end;
		size_t len;
		bool last;

		while (*path == '/' || (path[0] == '.' &&
					(path[1] == '/' || !path[1])))
			path++;
		for (end = path; *end && *end != '/'; end++)
			;
		len = (size_t)(end - path);
		last = !*end;
		if (!len) {	/* the root itself */
			next = vnode_ref(dir);
		} else if (last && vn) {
			rc = dir->ops->link(dir, path, len, vn);
			next = vnode_ref(vn);
		} else {
			rc = step(dir, path, len, &next);
			if (rc == -ENOENT)
				rc = dir->ops->create(dir, path, len, last
						      ? mode : S_IFDIR | 0755,
						      &next);
			if (!rc && !last && S_ISLNK(next->mode)) {
				struct vnode *link = next;

				rc = through(link, dir, &links, &next);
				vnode_unref(link);
			}
		}
		vnode_unref(dir);
		if (rc)
			return rc;
		if (!last) {
			dir = next;
			path = end;
			continue;
		}
		if (made)
			*made = next;
		else
			vnode_unref(next);
		return 0;
	}
}
