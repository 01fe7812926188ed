/* SPDX-License-Identifier: BSD-3-Clause */
/* errno: one for each thread. */
#include <errno.h>

__thread int errno;
