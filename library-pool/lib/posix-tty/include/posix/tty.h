/* SPDX-License-Identifier: BSD-3-Clause */
/* The terminal. */
#ifndef POSIX_TTY_H
#define POSIX_TTY_H

#include <vfscore/vnode.h>

/* Its node, without a new reference. */
struct vnode *posix_tty_vnode(void);

/* Input comes from a file: no echo, and only end-of-file is special. */
void posix_tty_quiet(void);

#endif /* POSIX_TTY_H */
