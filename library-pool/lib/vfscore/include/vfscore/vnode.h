/* SPDX-License-Identifier: BSD-3-Clause */
/* What a file, folder, link, pipe or device is to the rest of the system. */
#ifndef VFSCORE_VNODE_H
#define VFSCORE_VNODE_H

#include <sys/types.h>
#include <uk/essentials.h>

#define S_IFMT		0170000
#define S_IFSOCK	0140000
#define S_IFLNK		0120000
#define S_IFREG		0100000
#define S_IFBLK		0060000
#define S_IFDIR		0040000
#define S_IFCHR		0020000
#define S_IFIFO		0010000

#define S_ISLNK(m)	(((m) & S_IFMT) == S_IFLNK)
#define S_ISREG(m)	(((m) & S_IFMT) == S_IFREG)
#define S_ISDIR(m)	(((m) & S_IFMT) == S_IFDIR)

#define NAME_MAX	255
#define PATH_MAX	4096

#define POLLIN		0x001
#define POLLOUT		0x004
#define POLLERR		0x008
#define POLLHUP		0x010
#define POLLNVAL	0x020
#define POLLRDHUP	0x2000	/* a stream's other end sends no more */

struct vnode;

/* Names are not terminated; every function may be missing (-EINVAL etc.). */
struct vnode_ops {
	/* Of folders. What is found or made carries a reference. */
	int (*lookup)(struct vnode *dir, const char *name, size_t len,
		      struct vnode **found);
	int (*create)(struct vnode *dir, const char *name, size_t len,
		      uint32_t mode, struct vnode **made);
	int (*link)(struct vnode *dir, const char *name, size_t len,
		    struct vnode *vn);
	/* The entry must be a folder that is empty, or must not be one. */
	int (*remove)(struct vnode *dir, const char *name, size_t len,
		      bool folder);
	int (*rename)(struct vnode *from, const char *name, size_t len,
		      struct vnode *to, const char *newname, size_t newlen);
	/* The first entry whose number is above `*cookie`, which it becomes. */
	int (*entry)(struct vnode *dir, uint64_t *cookie, const char **name,
		     size_t *len, struct vnode **vn);

	/* `off` counts for regular files only; symbolic links read as text. */
	ssize_t (*read)(struct vnode *vn, void *buf, size_t len, uint64_t off,
			int flags);
	ssize_t (*write)(struct vnode *vn, const void *buf, size_t len,
			 uint64_t off, int flags);
	int (*truncate)(struct vnode *vn, uint64_t size);
	int (*ioctl)(struct vnode *vn, unsigned long request, void *arg);
	/* POLL* bits that hold now for a descriptor opened with O_* `flags`. */
	int (*poll)(struct vnode *vn, int flags);
	/* A descriptor was opened for or closed; pipes count their ends. */
	void (*open)(struct vnode *vn, int flags);
	void (*close)(struct vnode *vn, int flags);
	/* The last reference is gone. */
	void (*release)(struct vnode *vn);
};

struct vnode {
	const struct vnode_ops *ops;
	uint64_t ino;
	uint32_t mode;
	uint32_t nlink;
	uint32_t refs;		/* holders in memory */
	uint32_t uid;
	uint32_t gid;
	uint32_t changes;	/* see vnode_changed() */
	uint64_t rdev;
	uint64_t size;
	uint64_t mtime;		/* nanoseconds since 1970 */
	uint64_t atime;
	struct vnode *parent;	/* of folders; the root's is itself */
};

/* As Linux has it on x86-64. */
struct stat {
	uint64_t st_dev;
	uint64_t st_ino;
	uint64_t st_nlink;
	uint32_t st_mode;
	uint32_t st_uid;
	uint32_t st_gid;
	uint32_t pad0;
	uint64_t st_rdev;
	int64_t st_size;
	int64_t st_blksize;
	int64_t st_blocks;
	struct timespec st_atim;
	struct timespec st_mtim;
	struct timespec st_ctim;
	int64_t unused[3];
};

UK_CTASSERT(sizeof(struct stat) == 144);

/* Fills in a new node with one reference and no link to it. */
void vnode_init(struct vnode *vn, const struct vnode_ops *ops, uint32_t mode);
struct vnode *vnode_ref(struct vnode *vn);
void vnode_unref(struct vnode *vn);
/*
 * Something came or went that can be waited for: epoll(7) tells it anew to who
 * asked to be told of changes alone, even where the same POLL* bits hold.
 */
static inline void vnode_changed(struct vnode *vn)
{
	vn->changes++;
}
void vnode_stat(const struct vnode *vn, struct stat *st);

#endif /* VFSCORE_VNODE_H */
