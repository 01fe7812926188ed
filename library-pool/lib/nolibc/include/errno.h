/* SPDX-License-Identifier: BSD-3-Clause */
/* Error numbers as Linux numbers them. */
#ifndef ERRNO_H
#define ERRNO_H

extern __thread int errno;

#define EPERM		1
#define ENOENT		2
#define EINTR		4
#define EIO		5
#define EBADF		9
#define EAGAIN		11
#define ENOMEM		12
#define EFAULT		14
#define EBUSY		16
#define EEXIST		17
#define ENODEV		19
#define EINVAL		22
#define ENOTTY		25
#define ENOSYS		38
#define ENOTSUP		95

#endif /* ERRNO_H */
