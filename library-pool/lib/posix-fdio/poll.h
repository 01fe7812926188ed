/* SPDX-License-Identifier: BSD-3-Clause */
/* What all calls that wait for descriptors have in common. */
#ifndef POSIX_FDIO_POLL_H
#define POSIX_FDIO_POLL_H

#include <errno.h>
#include <posix/fdtab.h>
#include <uk/plat/time.h>

#define POLL_FOREVER	(~0ULL)

/* POLL* bits that hold now; what cannot be waited for is always ready. */
static inline int poll_bits(const struct file *f)
{
	return f->vn->ops->poll ? f->vn->ops->poll(f->vn, f->flags)
				: POLLIN | POLLOUT;
}

/* Sleeps a little, at most until `until`; false where that has passed. */
bool poll_pause(uint64_t until);

/* When a time from now on (NULL: never) is over; 0 or -EINVAL. */
int poll_deadline(const struct timespec *ts, uint64_t *until);
/* The same of milliseconds; below 0 never. */
uint64_t poll_milliseconds(int timeout);

#endif /* POSIX_FDIO_POLL_H */
