/* SPDX-License-Identifier: BSD-3-Clause */
/* Kernel messages; those above the configured level cost nothing. */
#ifndef UK_PRINT_H
#define UK_PRINT_H

#include <uk/config.h>
#include <uk/essentials.h>

#define UK_PRINT_KLVL_CRIT	0
#define UK_PRINT_KLVL_ERR	1
#define UK_PRINT_KLVL_WARN	2
#define UK_PRINT_KLVL_INFO	3
#define UK_PRINT_KLVL_DEBUG	4

#if CONFIG_LIBUKPRINT_KLVL_DEBUG
#define UK_PRINT_KLVL		UK_PRINT_KLVL_DEBUG
#elif CONFIG_LIBUKPRINT_KLVL_INFO
#define UK_PRINT_KLVL		UK_PRINT_KLVL_INFO
#elif CONFIG_LIBUKPRINT_KLVL_WARN
#define UK_PRINT_KLVL		UK_PRINT_KLVL_WARN
#elif CONFIG_LIBUKPRINT_KLVL_ERR
#define UK_PRINT_KLVL		UK_PRINT_KLVL_ERR
#elif CONFIG_LIBUKPRINT_KLVL_CRIT
#define UK_PRINT_KLVL		UK_PRINT_KLVL_CRIT
#else
#define UK_PRINT_KLVL		(-1)
#endif

/* `lib` is the library's name, which the build defines as __LIBNAME__. */
void uk_printk(int lvl, const char *lib, const char *fmt, ...) __printf(3, 4);

#define _uk_pr(lvl, ...) do {						\
	if ((lvl) <= UK_PRINT_KLVL)					\
		uk_printk((lvl), UK_STRINGIFY(__LIBNAME__), __VA_ARGS__);	\
} while (0)

#define uk_pr_crit(...)		_uk_pr(UK_PRINT_KLVL_CRIT, __VA_ARGS__)
#define uk_pr_err(...)		_uk_pr(UK_PRINT_KLVL_ERR, __VA_ARGS__)
#define uk_pr_warn(...)		_uk_pr(UK_PRINT_KLVL_WARN, __VA_ARGS__)
#define uk_pr_info(...)		_uk_pr(UK_PRINT_KLVL_INFO, __VA_ARGS__)
#define uk_pr_debug(...)	_uk_pr(UK_PRINT_KLVL_DEBUG, __VA_ARGS__)

#endif /* UK_PRINT_H */
