/* SPDX-License-Identifier: BSD-3-Clause */
/* The way from the platform into the libraries and out of the machine. */
#ifndef UK_PLAT_BOOTSTRAP_H
#define UK_PLAT_BOOTSTRAP_H

#include <uk/essentials.h>

enum ukplat_gstate {
	UKPLAT_HALT,	/* orderly end */
	UKPLAT_RESTART,
	UKPLAT_CRASH,
};

/* Implemented by ukboot: takes over from the platform; never returns. */
void ukplat_entry_argp(char *argv0, char *cmdline) __noreturn;

/* Ends the machine. */
void ukplat_terminate(enum ukplat_gstate request) __noreturn;
/*
 * Ends the machine in order, with a status of 0 to 255 for those who watch:
 * what is not 0 goes to QEMU's isa-debug-exit port as 0x100 + status.
 */
void ukplat_exit(int status) __noreturn;

struct uk_syscall_ctx;

/*
 * What handles traps of a program from now on. `usc` has the program's
 * registers, which the handler may change; `in_kernel` where it was a system
 * call that trapped, which is broken off. UKPLAT_TRAP_TICK is no trap: the
 * program has had its turn.
 */
#define UKPLAT_TRAP_TICK	32

typedef void (*ukplat_trap_handler)(struct uk_syscall_ctx *usc,
				    unsigned int vec, uint64_t error,
				    uintptr_t addr, bool in_kernel);
void ukplat_trap_register(ukplat_trap_handler handler);

/* Writes what a trap has found to the console. */
struct __regs;
void ukplat_trap_report(unsigned int vec, uint64_t error, uintptr_t addr,
			const struct __regs *regs);

#define ukplat_halt()	ukplat_terminate(UKPLAT_HALT)
#define ukplat_crash()	ukplat_terminate(UKPLAT_CRASH)

#endif /* UK_PLAT_BOOTSTRAP_H */
