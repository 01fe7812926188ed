/* SPDX-License-Identifier: BSD-3-Clause */
/* For those who end or replace the current process. */
#ifndef POSIX_PROCESS_H
#define POSIX_PROCESS_H

#include <uk/essentials.h>

/* Ends it: with a status, or where `sig` is not 0 by that signal. */
void posix_process_end(int status, int sig) __noreturn;

/* Its memory, signal handlers and waiting parent, for a new program. */
void posix_process_exec(void);

#endif /* POSIX_PROCESS_H */
