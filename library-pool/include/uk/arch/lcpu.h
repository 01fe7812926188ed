/* SPDX-License-Identifier: BSD-3-Clause */
/* The general registers as traps and system calls save them (176 bytes). */
#ifndef UK_ARCH_LCPU_H
#define UK_ARCH_LCPU_H

#define __REGS_OFFSETOF_R15		8
#define __REGS_OFFSETOF_R14		16
#define __REGS_OFFSETOF_R13		24
#define __REGS_OFFSETOF_R12		32
#define __REGS_OFFSETOF_RBP		40
#define __REGS_OFFSETOF_RBX		48
#define __REGS_OFFSETOF_RAX		88
#define __REGS_OFFSETOF_ORIG_RAX	128
#define __REGS_OFFSETOF_RIP		136
#define __REGS_OFFSETOF_EFLAGS		152
#define __REGS_OFFSETOF_RSP		160
#define __REGS_SIZEOF			176

#ifndef __ASSEMBLER__
#include <uk/essentials.h>

struct __regs {
	uint64_t pad;	/* keeps the stack 16-byte aligned at calls */
	uint64_t r15;
	uint64_t r14;
	uint64_t r13;
	uint64_t r12;
	uint64_t rbp;
	uint64_t rbx;
	uint64_t r11;
	uint64_t r10;
	uint64_t r9;
	uint64_t r8;
	uint64_t rax;
	uint64_t rcx;
	uint64_t rdx;
	uint64_t rsi;
	uint64_t rdi;
	uint64_t orig_rax;	/* system call number, or a trap's error code */
	uint64_t rip;
	uint64_t cs;
	uint64_t eflags;
	uint64_t rsp;
	uint64_t ss;
};

UK_CTASSERT(sizeof(struct __regs) == __REGS_SIZEOF);
UK_CTASSERT(offsetof(struct __regs, rax) == __REGS_OFFSETOF_RAX);
UK_CTASSERT(offsetof(struct __regs, orig_rax) == __REGS_OFFSETOF_ORIG_RAX);
UK_CTASSERT(offsetof(struct __regs, rip) == __REGS_OFFSETOF_RIP);
UK_CTASSERT(offsetof(struct __regs, rsp) == __REGS_OFFSETOF_RSP);
#endif /* !__ASSEMBLER__ */

#endif /* UK_ARCH_LCPU_H */
