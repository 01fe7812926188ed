/* SPDX-License-Identifier: BSD-3-Clause */
/* Fills the tree from the archive that the boot loader brought. */
#include <errno.h>
#include <stdlib.h>
#include <uk/cpio.h>
#include <uk/ctors.h>
#include <uk/plat/bootinfo.h>
#include <uk/plat/time.h>
#include <uk/print.h>
#include <vfscore/path.h>
#include <ramfs/ramfs.h>

/* A file that more links can follow to. */
struct linked {
	struct linked *next;
	uint64_t dev;
	uint32_t ino;
	struct vnode *vn;
};

/* The file of an entry that is a further link to one; NULL for others. */
static struct vnode *known(const struct linked *l,
			   const struct uk_cpio_entry *e)
{
	if (!S_ISREG(e->mode) || e->nlink < 2)
		return NULL;
	while (l && (l->dev != e->dev || l->ino != e->ino))
		l = l->next;
	return l ? l->vn : NULL;
}

static int remember(struct linked **list, const struct uk_cpio_entry *e,
		    struct vnode *vn)
{
	struct linked *l;

	if (!S_ISREG(e->mode) || e->nlink < 2)
		return 0;
	l = malloc(sizeof(*l));
	if (!l)
		return -ENOMEM;
	*l = (struct linked) { *list, e->dev, e->ino, vnode_ref(vn) };
	*list = l;
	return 0;
}

static int unpack(const struct uk_cpio_entry *e, void *arg)
{
	struct linked **list = arg;
	struct vnode *vn, *first = known(*list, e);
	int rc = vfs_make(e->name, e->mode, first, &vn);

	if (!rc && (vn->mode & S_IFMT) != (e->mode & S_IFMT)) {
		vnode_unref(vn);
		rc = -EEXIST;	/* as something else, by an earlier entry */
	}
	if (rc) {
		uk_pr_err("%s from the initial RAM disk: error %d\n", e->name,
			  rc);
		return rc;
	}
	vn->mode = e->mode;
	vn->uid = e->uid;
	vn->gid = e->gid;
	vn->mtime = vn->atime = e->mtime * UKARCH_NSEC_PER_SEC;
	if (S_ISLNK(e->mode) || (S_ISREG(e->mode) && (e->size || !first)))
		ramfs_borrow(vn, e->data, e->size);
	rc = first ? 0 : remember(list, e, vn);
	vnode_unref(vn);
	return rc;
}

static int initrd_init(struct uk_init_ctx *ictx __unused)
{
	const struct ukplat_memregion_desc *mrd =
		ukplat_memregion_next(NULL, UKPLAT_MEMRT_INITRD);
	struct linked *list = NULL, *next;
	int rc;

	if (!mrd)
		return 0;
	rc = uk_cpio_walk((const void *)mrd->pbase, mrd->len, unpack, &list);
	for (; list; list = next) {
		next = list->next;
		vnode_unref(list->vn);
		free(list);
	}
	if (rc == -EINVAL)
		uk_pr_err("The initial RAM disk is no cpio archive in the new ASCII form, or is damaged\n");
	return rc;
}
UK_INIT_ENTRY(initrd_init, 3, 2);
