/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * System calls. A provider defines one with UK_SYSCALL_R_DEFINE(); a program
 * calls it by uk_syscall_r_static(SYS_write, ...), which becomes a direct call
 * of uk_syscall_r_write(). Results are as the Linux kernel gives them: a
 * negative error number, or the value.
 *
 *   uk_syscall_r_<name>()   raw form
 *   uk_syscall_e_<name>()   sets errno and returns -1
 *   <name>()                as a C library has it
 */
#ifndef UK_SYSCALL_H
#define UK_SYSCALL_H

#include <errno.h>
#include <sys/types.h>
#include <uk/arch/ctx.h>
#include <uk/config.h>
#include <uk/essentials.h>
#if CONFIG_LIBSYSCALL_SHIM
#include <uk/bits/syscall_nrs.h>
#include <uk/bits/syscall_provided.h>
#include <uk/bits/syscall_r_static.h>
#endif

/* What a binary system call leaves on the auxiliary stack. */
struct uk_syscall_ctx {
	struct ukarch_execenv execenv;
	uintptr_t auxsp;
};

UK_CTASSERT(offsetof(struct uk_syscall_ctx, auxsp) == UKARCH_EXECENV_SIZE);

/* Bytes that it takes there. */
#define UK_SYSCALL_CTX_SLOT	(UKARCH_EXECENV_SIZE + 64)

/* Parameter lists of 0 to 6 pairs (type, name), in four forms. */
#define __UK_S_DECL0()
#define __UK_S_DECL1(t, a)		t a
#define __UK_S_DECL2(t, a, ...)		t a, __UK_S_DECL1(__VA_ARGS__)
#define __UK_S_DECL3(t, a, ...)		t a, __UK_S_DECL2(__VA_ARGS__)
#define __UK_S_DECL4(t, a, ...)		t a, __UK_S_DECL3(__VA_ARGS__)
#define __UK_S_DECL5(t, a, ...)		t a, __UK_S_DECL4(__VA_ARGS__)
#define __UK_S_DECL6(t, a, ...)		t a, __UK_S_DECL5(__VA_ARGS__)

#define __UK_S_LONG0()
#define __UK_S_LONG1(t, a)		long a
#define __UK_S_LONG2(t, a, ...)		long a, __UK_S_LONG1(__VA_ARGS__)
#define __UK_S_LONG3(t, a, ...)		long a, __UK_S_LONG2(__VA_ARGS__)
#define __UK_S_LONG4(t, a, ...)		long a, __UK_S_LONG3(__VA_ARGS__)
#define __UK_S_LONG5(t, a, ...)		long a, __UK_S_LONG4(__VA_ARGS__)
#define __UK_S_LONG6(t, a, ...)		long a, __UK_S_LONG5(__VA_ARGS__)

#define __UK_S_CAST0()
#define __UK_S_CAST1(t, a)		(t)a
#define __UK_S_CAST2(t, a, ...)		(t)a, __UK_S_CAST1(__VA_ARGS__)
#define __UK_S_CAST3(t, a, ...)		(t)a, __UK_S_CAST2(__VA_ARGS__)
#define __UK_S_CAST4(t, a, ...)		(t)a, __UK_S_CAST3(__VA_ARGS__)
#define __UK_S_CAST5(t, a, ...)		(t)a, __UK_S_CAST4(__VA_ARGS__)
#define __UK_S_CAST6(t, a, ...)		(t)a, __UK_S_CAST5(__VA_ARGS__)

#define __UK_S_TOLONG0()
#define __UK_S_TOLONG1(t, a)		(long)a
#define __UK_S_TOLONG2(t, a, ...)	(long)a, __UK_S_TOLONG1(__VA_ARGS__)
#define __UK_S_TOLONG3(t, a, ...)	(long)a, __UK_S_TOLONG2(__VA_ARGS__)
#define __UK_S_TOLONG4(t, a, ...)	(long)a, __UK_S_TOLONG3(__VA_ARGS__)
#define __UK_S_TOLONG5(t, a, ...)	(long)a, __UK_S_TOLONG4(__VA_ARGS__)
#define __UK_S_TOLONG6(t, a, ...)	(long)a, __UK_S_TOLONG5(__VA_ARGS__)

/* Of the registers of an execution environment. */
#define __UK_S_REGS0(r)
#define __UK_S_REGS1(r, t, a)		(t)(r)->rdi
#define __UK_S_REGS2(r, t, a, u, b)	(t)(r)->rdi, (u)(r)->rsi
#define __UK_S_REGS3(r, t, a, u, b, v, c)				\
	(t)(r)->rdi, (u)(r)->rsi, (v)(r)->rdx
#define __UK_S_REGS4(r, t, a, u, b, v, c, w, d)				\
	__UK_S_REGS3(r, t, a, u, b, v, c), (w)(r)->r10
#define __UK_S_REGS5(r, t, a, u, b, v, c, w, d, x, e)			\
	__UK_S_REGS4(r, t, a, u, b, v, c, w, d), (x)(r)->r8

#define __UK_S_PAIRS(...)						\
	UK_NARGS_(0, ##__VA_ARGS__, 6, x, 5, x, 4, x, 3, x, 2, x, 1, x, 0)
#define __UK_S(form, ...)						\
	UK_CONCAT(__UK_S_##form, __UK_S_PAIRS(__VA_ARGS__))(__VA_ARGS__)

/* A system call without the libc-style function. */
#define UK_LLSYSCALL_R_DEFINE(rtype, name, ...)				\
	long uk_syscall_r_##name(__UK_S(LONG, ##__VA_ARGS__));		\
	long uk_syscall_e_##name(__UK_S(LONG, ##__VA_ARGS__));		\
	static inline rtype						\
	__uk_syscall_r_##name(__UK_S(DECL, ##__VA_ARGS__));		\
	long uk_syscall_r_##name(__UK_S(LONG, ##__VA_ARGS__))		\
	{								\
		return (long)__uk_syscall_r_##name(			\
			__UK_S(CAST, ##__VA_ARGS__));			\
	}								\
	long uk_syscall_e_##name(__UK_S(LONG, ##__VA_ARGS__))		\
	{								\
		long ret = uk_syscall_r_##name(				\
			__UK_S(TOLONG, ##__VA_ARGS__));			\
									\
		if (ret < 0 && ret >= -4095) {				\
			errno = (int)-ret;				\
			return -1;					\
		}							\
		return ret;						\
	}								\
	static inline rtype						\
	__uk_syscall_r_##name(__UK_S(DECL, ##__VA_ARGS__))

/* A system call with it. */
#define UK_SYSCALL_R_DEFINE(rtype, name, ...)				\
	long uk_syscall_e_##name(__UK_S(LONG, ##__VA_ARGS__));		\
	rtype name(__UK_S(DECL, ##__VA_ARGS__));			\
	rtype name(__UK_S(DECL, ##__VA_ARGS__))				\
	{								\
		return (rtype)uk_syscall_e_##name(			\
			__UK_S(TOLONG, ##__VA_ARGS__));			\
	}								\
	UK_LLSYSCALL_R_DEFINE(rtype, name, ##__VA_ARGS__)

/*
 * A system call that reads or changes the caller's registers. The body gets
 * `execenv` before the parameters; uk_syscall_r_<name>() is then a stub that
 * records the caller's state and comes here through uk_syscall_r_e_<name>().
 */
#define UK_LLSYSCALL_R_E_DEFINE(rtype, name, ...)			\
	long uk_syscall_r_e_##name(struct ukarch_execenv *execenv);	\
	static inline rtype						\
	__uk_syscall_r_##name(struct ukarch_execenv *execenv __VA_OPT__(,)	\
			      __UK_S(DECL, ##__VA_ARGS__));		\
	__asm__(".pushsection .text\n"					\
		".globl uk_syscall_r_" #name "\n"			\
		".type uk_syscall_r_" #name ", @function\n"		\
		"uk_syscall_r_" #name ":\n"				\
		"	mov $" UK_STRINGIFY(UK_CONCAT(__NR_, name)) ", %eax\n" \
		"	lea uk_syscall_r_e_" #name "(%rip), %r11\n"	\
		"	jmp uk_syscall_prologue\n"			\
		".size uk_syscall_r_" #name ", . - uk_syscall_r_" #name "\n" \
		".popsection\n");					\
	long uk_syscall_r_e_##name(struct ukarch_execenv *execenv)	\
	{								\
		struct __regs *r __unused = &execenv->regs;		\
									\
		return (long)__uk_syscall_r_##name(execenv __VA_OPT__(,)\
			UK_CONCAT(__UK_S_REGS,				\
				  __UK_S_PAIRS(__VA_ARGS__))(r __VA_OPT__(,) __VA_ARGS__)); \
	}								\
	static inline rtype						\
	__uk_syscall_r_##name(struct ukarch_execenv *execenv __VA_OPT__(,)	\
			      __UK_S(DECL, ##__VA_ARGS__))

/* Calls system call `nr`, a constant, directly. */
#define uk_syscall_r_static(nr, ...)					\
	UK_CONCAT(uk_syscall_r_fn_, nr)(				\
		UK_CONCAT(__UK_S_ARGS, UK_NARGS(__VA_ARGS__))(__VA_ARGS__))
#define __UK_S_ARGS0()
#define __UK_S_ARGS1(a)			(long)(a)
#define __UK_S_ARGS2(a, ...)		(long)(a), __UK_S_ARGS1(__VA_ARGS__)
#define __UK_S_ARGS3(a, ...)		(long)(a), __UK_S_ARGS2(__VA_ARGS__)
#define __UK_S_ARGS4(a, ...)		(long)(a), __UK_S_ARGS3(__VA_ARGS__)
#define __UK_S_ARGS5(a, ...)		(long)(a), __UK_S_ARGS4(__VA_ARGS__)
#define __UK_S_ARGS6(a, ...)		(long)(a), __UK_S_ARGS5(__VA_ARGS__)

/* Calls a system call whose number is known at run time only. */
long uk_syscall6_r(long nr, long a, long b, long c, long d, long e, long f);

/* The same with number and arguments in registers that were saved. */
long uk_syscall6_r_e(struct ukarch_execenv *execenv);

/* The name of a number, NULL where there is none. */
const char *uk_syscall_name(long nr);

/* Entered by _ukplat_syscall. */
void ukplat_syscall_handler(struct uk_syscall_ctx *usc);

/*
 * Goes into the application with what `usc` holds. It must lie at the top of
 * its auxiliary stack, UK_SYSCALL_CTX_SLOT below the control block.
 */
void ukplat_syscall_return(struct uk_syscall_ctx *usc) __noreturn;

#endif /* UK_SYSCALL_H */
