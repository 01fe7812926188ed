/* SPDX-License-Identifier: BSD-3-Clause */
/* Fills the tree from the archive that the boot loader brought. */
#include <errno.h>
#include <uk/cpio.h>
#include <uk/ctors.h>
#include <uk/plat/bootinfo.h>
#include <uk/plat/time.h>
#include <uk/print.h>
#include <vfscore/path.h>
#include <ramfs/ramfs.h>

static int unpack(const struct uk_cpio_entry *e, void *arg __unused)
{
	struct vnode *vn;
	int rc = vfs_make(e->name, e->mode, NULL, &vn);

	if (rc) {
		uk_pr_err("%s from the initial RAM disk: error %d\n", e->name,
			  rc);
		return rc;
	}
	vn->mode = e->mode;
	vn->uid = e->uid;
	vn->gid = e->gid;
	vn->mtime = vn->atime = e->mtime * UKARCH_NSEC_PER_SEC;
	if (S_ISREG(e->mode) || S_ISLNK(e->mode))
		ramfs_borrow(vn, e->data, e->size);
	vnode_unref(vn);
	return 0;
}

static int initrd_init(struct uk_init_ctx *ictx __unused)
{
	const struct ukplat_memregion_desc *mrd =
		ukplat_memregion_next(NULL, UKPLAT_MEMRT_INITRD);
	int rc;

	if (!mrd)
		return 0;
	rc = uk_cpio_walk((const void *)mrd->pbase, mrd->len, unpack, NULL);
	if (rc == -EINVAL)
		uk_pr_err("The initial RAM disk is no cpio archive in the new ASCII form, or is damaged\n");
	return rc;
}
UK_INIT_ENTRY(initrd_init, 3, 2);
