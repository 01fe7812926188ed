/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tables of functions that the linker collects from all libraries.
 * Constructors run before memory exists beyond the image; init functions run
 * once an allocator and interrupts are there. Each table is sorted by the
 * names of its sections, hence by class and priority (one digit each).
 */
#ifndef UK_CTORS_H
#define UK_CTORS_H

#include <uk/essentials.h>

typedef void (*uk_ctor_func_t)(void);

/* What main() will be given; an init function may change it. */
struct uk_init_ctx {
	int *argc;
	char ***argv;
};

typedef int (*uk_init_func_t)(struct uk_init_ctx *ictx);

#define UK_PRIO_EARLIEST	0
#define UK_PRIO_NORMAL		5
#define UK_PRIO_LATEST		9

#define UK_INIT_CLASS_EARLY	1	/* before the scheduler starts */
#define UK_INIT_CLASS_PLAT	2	/* buses and platform devices */
#define UK_INIT_CLASS_LIB	3	/* libraries */
#define UK_INIT_CLASS_SYS	4	/* what an operating system would start */

#define _UK_CTOR_ENTRY(fn, prio)					\
	static const uk_ctor_func_t uk_ctortab_##fn __used		\
	__section(".uk_ctortab" #prio) = (fn)
#define UK_CTOR_PRIO(fn, prio)	_UK_CTOR_ENTRY(fn, prio)
#define UK_CTOR(fn)		_UK_CTOR_ENTRY(fn, 5)

#define _UK_INIT_ENTRY(fn, class, prio)					\
	static const uk_init_func_t uk_inittab_##fn __used		\
	__section(".uk_inittab" #class #prio) = (fn)
#define UK_INIT_ENTRY(fn, class, prio)	_UK_INIT_ENTRY(fn, class, prio)

#define uk_early_initcall(fn)	UK_INIT_ENTRY(fn, 1, 5)
#define uk_plat_initcall(fn)	UK_INIT_ENTRY(fn, 2, 5)
#define uk_lib_initcall(fn)	UK_INIT_ENTRY(fn, 3, 5)
#define uk_sys_initcall(fn)	UK_INIT_ENTRY(fn, 4, 5)

extern const uk_ctor_func_t uk_ctortab_start[], uk_ctortab_end[];
extern const uk_init_func_t uk_inittab_start[], uk_inittab_end[];

#endif /* UK_CTORS_H */
