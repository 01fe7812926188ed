/* SPDX-License-Identifier: BSD-3-Clause */
/* Attributes and small macros that every library of the pool uses. */
#ifndef UK_ESSENTIALS_H
#define UK_ESSENTIALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define __noreturn	__attribute__((noreturn))
#define __used		__attribute__((used))
#define __weak		__attribute__((weak))
#define __naked		__attribute__((naked))
#define __unused	__attribute__((unused))
#define __packed	__attribute__((packed))
#define __section(s)	__attribute__((section(s)))
#define __align(n)	__attribute__((aligned(n)))
#define __printf(f, a)	__attribute__((format(printf, f, a)))

#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)

#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define ALIGN_UP(v, a)		(((v) + ((a) - 1)) & ~((__typeof__(v))(a) - 1))
#define ALIGN_DOWN(v, a)	((v) & ~((__typeof__(v))(a) - 1))
#define MIN(a, b)		((a) < (b) ? (a) : (b))
#define MAX(a, b)		((a) > (b) ? (a) : (b))
#define barrier()		__asm__ __volatile__("" ::: "memory")

#define __containerof(ptr, type, field)					\
	((type *)((char *)(ptr) - offsetof(type, field)))

#define UK_CTASSERT(c)	_Static_assert(c, #c)

#define _UK_STRINGIFY(x)	#x
#define UK_STRINGIFY(x)		_UK_STRINGIFY(x)
#define _UK_CONCAT(a, b)	a##b
#define UK_CONCAT(a, b)		_UK_CONCAT(a, b)

/* Number of arguments, 0 to 12. */
#define UK_NARGS_(_0, _1, _2, _3, _4, _5, _6, _7, _8, _9, _a, _b, _c, n, ...) n
#define UK_NARGS(...)							\
	UK_NARGS_(0, ##__VA_ARGS__, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)

#endif /* UK_ESSENTIALS_H */
