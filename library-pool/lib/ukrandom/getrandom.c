/* SPDX-License-Identifier: BSD-3-Clause */
/* getrandom(2); it never has to wait. */
#include <uk/random.h>
#include <uk/syscall.h>

UK_SYSCALL_R_DEFINE(ssize_t, getrandom, void *, buf, size_t, len,
		    unsigned int, flags)
{
	if (flags & ~7u)
		return -EINVAL;
	uk_random_fill(buf, len);
	return (ssize_t)len;
}
