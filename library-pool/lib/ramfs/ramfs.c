/* SPDX-License-Identifier: BSD-3-Clause */
/* Files as one piece of memory each, folders as lists. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <ramfs/ramfs.h>
#include <uk/ctors.h>
#include <uk/plat/time.h>
#include <vfscore/path.h>

#define MIN_CAPACITY	256

struct entry {
	struct entry *next;
	uint64_t cookie;
	struct vnode *vn;
	size_t len;
	char name[];
};

struct node {
	struct vnode v;
	/* Of files and links; `capacity` is 0 for contents of someone else. */
	char *data;
	size_t capacity;
	/* Of folders. */
	struct entry *entries;
	struct entry **last;
	uint64_t cookie;
};

static const struct vnode_ops ramfs_ops;

static struct node *of(struct vnode *vn)
{
	return __containerof(vn, struct node, v);
}

static void touch(struct vnode *vn)
{
	vn->mtime = ukplat_wall_clock();
}

static struct entry **find(struct vnode *dir, const char *name, size_t len)
{
	struct entry **e;

	for (e = &of(dir)->entries; *e; e = &(*e)->next)
		if ((*e)->len == len && !memcmp((*e)->name, name, len))
			return e;
	return NULL;
}

static int ramfs_lookup(struct vnode *dir, const char *name, size_t len,
			struct vnode **found)
{
	struct entry **e = find(dir, name, len);

	if (!e)
		return -ENOENT;
	*found = vnode_ref((*e)->vn);
	return 0;
}

/* An entry that is in no folder yet; NULL without memory. */
static struct entry *make_entry(const char *name, size_t len)
{
	struct entry *e = malloc(sizeof(*e) + len);

	if (e) {
		e->len = len;
		memcpy(e->name, name, len);
	}
	return e;
}

/* Nothing gets into a folder that was removed while someone holds it. */
static bool is_removed(const struct vnode *dir)
{
	return !dir->nlink;
}

static void insert(struct vnode *dir, struct entry *e, struct vnode *vn)
{
	struct node *d = of(dir);

	e->next = NULL;
	e->cookie = ++d->cookie;
	e->vn = vn;
	*d->last = e;
	d->last = &e->next;
	vn->nlink++;
	if (S_ISDIR(vn->mode)) {
		vn->nlink++;		/* its own "." */
		vn->parent = dir;
		dir->nlink++;
	}
	touch(dir);
}

static void take_out(struct vnode *dir, struct entry **at)
{
	struct entry *e = *at;
	struct vnode *vn = e->vn;

	*at = e->next;
	if (!e->next)
		of(dir)->last = at;
	vn->nlink--;
	if (S_ISDIR(vn->mode)) {
		vn->nlink--;
		vn->parent = NULL;
		dir->nlink--;
	}
	free(e);
	touch(dir);
	/* Gone with its last link, unless someone holds it. */
	if (!vn->refs && !vn->nlink && vn->ops->release)
		vn->ops->release(vn);
}

static struct node *make_node(uint32_t mode)
{
	struct node *n = malloc(sizeof(*n));

	if (!n)
		return NULL;
	vnode_init(&n->v, &ramfs_ops, mode);
	n->data = NULL;
	n->capacity = 0;
	n->entries = NULL;
	n->last = &n->entries;
	n->cookie = 0;
	return n;
}

static int ramfs_create(struct vnode *dir, const char *name, size_t len,
			uint32_t mode, struct vnode **made)
{
	struct entry *e;
	struct node *n;

	if (is_removed(dir))
		return -ENOENT;
	if (find(dir, name, len))
		return -EEXIST;
	e = make_entry(name, len);
	n = e ? make_node(mode) : NULL;
	if (!n) {
		free(e);
		return -ENOSPC;
	}
	touch(&n->v);
	n->v.atime = n->v.mtime;
	insert(dir, e, &n->v);
	*made = &n->v;
	return 0;
}

static int ramfs_link(struct vnode *dir, const char *name, size_t len,
		      struct vnode *vn)
{
	struct entry *e;

	if (is_removed(dir))
		return -ENOENT;
	if (find(dir, name, len))
		return -EEXIST;
	e = make_entry(name, len);
	if (!e)
		return -ENOSPC;
	insert(dir, e, vn);
	return 0;
}

static int ramfs_remove(struct vnode *dir, const char *name, size_t len,
			bool folder)
{
	struct entry **e = find(dir, name, len);

	if (!e)
		return -ENOENT;
	if (!folder && S_ISDIR((*e)->vn->mode))
		return -EISDIR;
	if (folder && !S_ISDIR((*e)->vn->mode))
		return -ENOTDIR;
	if (folder && of((*e)->vn)->entries)
		return -ENOTEMPTY;
	take_out(dir, e);
	return 0;
}

static bool is_below(struct vnode *vn, const struct vnode *top)
{
	for (; vn; vn = vn->parent) {
		if (vn == top)
			return true;
		if (vn == vn->parent)
			break;
	}
	return false;
}

static int ramfs_rename(struct vnode *from, const char *name, size_t len,
			struct vnode *to, const char *newname, size_t newlen)
{
	struct entry **e = find(from, name, len);
	struct entry **old = find(to, newname, newlen);
	struct entry *made;
	struct vnode *vn;
	int rc;

	if (!e || is_removed(to))
		return -ENOENT;
	vn = (*e)->vn;
	if (S_ISDIR(vn->mode) && is_below(to, vn))
		return -EINVAL;
	if (old) {
		if ((*old)->vn == vn)
			return 0;
		if (is_below(from, (*old)->vn))
			return -ENOTEMPTY;
	}
	/* After this nothing can fail that has changed something. */
	made = make_entry(newname, newlen);
	if (!made)
		return -ENOSPC;
	rc = old ? ramfs_remove(to, newname, newlen, S_ISDIR(vn->mode)) : 0;
	if (rc) {
		free(made);
		return rc;
	}
	vnode_ref(vn);
	take_out(from, find(from, name, len));
	insert(to, made, vn);
	vnode_unref(vn);
	return 0;
}

static int ramfs_entry(struct vnode *dir, uint64_t *cookie, const char **name,
		       size_t *len, struct vnode **vn)
{
	struct entry *e;

	for (e = of(dir)->entries; e; e = e->next) {
		if (e->cookie <= *cookie)
			continue;
		*cookie = e->cookie;
		*name = e->name;
		*len = e->len;
		*vn = e->vn;
		return 0;
	}
	return -ENOENT;
}

static ssize_t ramfs_read(struct vnode *vn, void *buf, size_t len,
			  uint64_t off, int flags __unused)
{
	if (off >= vn->size)
		return 0;
	len = MIN(len, vn->size - off);
	memcpy(buf, of(vn)->data + off, len);
	return (ssize_t)len;
}

/* Makes room for `size` bytes that are ours to write. */
static int reserve(struct node *n, uint64_t size)
{
	size_t capacity = MAX(size, (uint64_t)MIN_CAPACITY);
	char *data;

	if (n->capacity && size <= n->capacity)
		return 0;
	/* Files that grow, grow by halves. */
	if (size > n->v.size)
		capacity += capacity / 2;
	data = malloc(capacity);
	if (!data)
		return -ENOSPC;
	if (n->v.size)
		memcpy(data, n->data, MIN(n->v.size, size));
	if (n->capacity)
		free(n->data);
	n->data = data;
	n->capacity = capacity;
	return 0;
}

static int ramfs_truncate(struct vnode *vn, uint64_t size)
{
	int rc = reserve(of(vn), size);

	if (rc)
		return rc;
	if (size > vn->size)
		memset(of(vn)->data + vn->size, 0, size - vn->size);
	vn->size = size;
	touch(vn);
	return 0;
}

static ssize_t ramfs_write(struct vnode *vn, const void *buf, size_t len,
			   uint64_t off, int flags __unused)
{
	uint64_t end = off + len;
	int rc;

	if (!len)
		return 0;	/* it does not even make the file longer */
	if (end < off)
		return -EFBIG;
	rc = end > vn->size ? ramfs_truncate(vn, end)
			    : reserve(of(vn), vn->size);
	if (rc)
		return rc;
	memcpy(of(vn)->data + off, buf, len);
	touch(vn);
	return (ssize_t)len;
}

static int ramfs_poll(struct vnode *vn __unused, int flags __unused)
{
	return POLLIN | POLLOUT;
}

static void ramfs_release(struct vnode *vn)
{
	struct node *n = of(vn);

	if (n->capacity)
		free(n->data);
	free(n);
}

void ramfs_borrow(struct vnode *vn, const void *data, size_t size)
{
	struct node *n = of(vn);

	if (n->capacity)
		free(n->data);
	n->data = (char *)(uintptr_t)data;
	n->capacity = 0;
	vn->size = size;
}

static const struct vnode_ops ramfs_ops = {
	.lookup = ramfs_lookup,
	.create = ramfs_create,
	.link = ramfs_link,
	.remove = ramfs_remove,
	.rename = ramfs_rename,
	.entry = ramfs_entry,
	.read = ramfs_read,
	.write = ramfs_write,
	.truncate = ramfs_truncate,
	.poll = ramfs_poll,
	.release = ramfs_release,
};

static int ramfs_init(struct uk_init_ctx *ictx __unused)
{
	struct node *n = make_node(S_IFDIR | 0755);

	if (!n)
		return -ENOMEM;
	n->v.nlink = 2;
	vfs_set_root(&n->v);
	return 0;
}
UK_INIT_ENTRY(ramfs_init, 3, 0);
