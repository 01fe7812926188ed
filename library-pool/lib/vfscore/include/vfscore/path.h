/* SPDX-License-Identifier: BSD-3-Clause */
/* Finding nodes by their paths. */
#ifndef VFSCORE_PATH_H
#define VFSCORE_PATH_H

#include <vfscore/vnode.h>

struct vnode *vfs_root(void);
void vfs_set_root(struct vnode *root);

/* The working directory, without a new reference. */
struct vnode *vfs_cwd(void);
int vfs_chdir(struct vnode *dir);
/* Its path into `buf`; the length with the end, or -ERANGE, -ENOENT. */
long vfs_getcwd(char *buf, size_t size);

/*
 * The node that `path` names from `at` (NULL: the working directory), with a
 * reference; a link at its end is followed where `follow`. An empty path is
 * -ENOENT.
 */
int vfs_lookup(struct vnode *at, const char *path, bool follow,
	       struct vnode **found);

/*
 * The folder that holds the last name of `path`, with a reference, and that
 * name, which lies within `path`. "." and ".." as last names are -EINVAL, the
 * root is -EEXIST.
 */
int vfs_parent(struct vnode *at, const char *path, struct vnode **dir,
	       const char **name, size_t *len);

/*
 * Makes a node of type and permissions `mode` with the folders that lead to
 * it, and gives it with a reference where `made` is not NULL. `vn`, where
 * given, is linked instead.
 */
int vfs_make(const char *path, uint32_t mode, struct vnode *vn,
	     struct vnode **made);

#endif /* VFSCORE_PATH_H */
