/* SPDX-License-Identifier: BSD-3-Clause */
/* What ramfs offers beyond the operations of its nodes. */
#ifndef RAMFS_RAMFS_H
#define RAMFS_RAMFS_H

#include <vfscore/vnode.h>

/*
 * Gives a regular file or symbolic link of ramfs contents that stay where
 * they are; the first write takes a copy.
 */
void ramfs_borrow(struct vnode *vn, const void *data, size_t size);

#endif /* RAMFS_RAMFS_H */
