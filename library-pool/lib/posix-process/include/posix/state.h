/* SPDX-License-Identifier: BSD-3-Clause */
/* What every process has for itself, though it is one variable. */
#ifndef POSIX_STATE_H
#define POSIX_STATE_H

#include <uk/essentials.h>

/*
 * An object is the current process's. It is put aside while another process
 * runs; a new process starts with a copy. `forked` is called when there are
 * two of what it holds, `ended` when its process ends; both may be NULL.
 */
struct posix_state {
	void *at;
	size_t size;
	void (*forked)(void);
	void (*ended)(void);
};

#define POSIX_STATE(object, forked, ended)				\
	static const struct posix_state posix_state_##object __used	\
	__section("posix_states") = {					\
		&(object), sizeof(object), (forked), (ended)		\
	}

#endif /* POSIX_STATE_H */
