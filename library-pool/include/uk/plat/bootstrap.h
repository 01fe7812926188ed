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

/*
 * From now on a trap that nobody handles ends the machine as the signal would
 * end a Linux program: with status 128 and the signal's number.
 */
void ukplat_trap_as_signal(void);

#define ukplat_halt()	ukplat_terminate(UKPLAT_HALT)
#define ukplat_crash()	ukplat_terminate(UKPLAT_CRASH)

#endif /* UK_PLAT_BOOTSTRAP_H */
