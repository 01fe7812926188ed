/* SPDX-License-Identifier: BSD-3-Clause */
/* What all nodes have in common. */
#include <string.h>
#include <uk/plat/time.h>
#include <vfscore/vnode.h>

static uint64_t last_ino;

void vnode_init(struct vnode *vn, const struct vnode_ops *ops, uint32_t mode)
{
	memset(vn, 0, sizeof(*vn));
	vn->ops = ops;
	vn->ino = ++last_ino;
	vn->mode = mode;
	vn->refs = 1;
}

struct vnode *vnode_ref(struct vnode *vn)
{
	vn->refs++;
	return vn;
}

void vnode_unref(struct vnode *vn)
{
	if (!vn || --vn->refs)
		return;
	if (!vn->nlink && vn->ops->release)
		vn->ops->release(vn);
}

static struct timespec timespec_of(uint64_t ns)
{
	return (struct timespec) {
		.tv_sec = (time_t)(ns / UKARCH_NSEC_PER_SEC),
		.tv_nsec = (long)(ns % UKARCH_NSEC_PER_SEC),
	};
}

void vnode_stat(const struct vnode *vn, struct stat *st)
{
	memset(st, 0, sizeof(*st));
	st->st_dev = 1;
	st->st_ino = vn->ino;
	st->st_nlink = vn->nlink;
	st->st_mode = vn->mode;
	st->st_uid = vn->uid;
	st->st_gid = vn->gid;
	st->st_rdev = vn->rdev;
	st->st_size = (int64_t)vn->size;
	st->st_blksize = 4096;
	st->st_blocks = (int64_t)((vn->size + 511) / 512);
	st->st_atim = timespec_of(vn->atime);
	st->st_mtim = timespec_of(vn->mtime);
	st->st_ctim = st->st_mtim;
}
