/* SPDX-License-Identifier: BSD-3-Clause */
/* Running Linux programs. */
#ifndef ELFLOADER_ELFLOADER_H
#define ELFLOADER_ELFLOADER_H

/*
 * Runs the program at `path`; `argv` and `envp` end with NULL. Does not return
 * where the program starts: it ends the machine with its status. Else a
 * negative error number.
 */
int elfloader_run(const char *path, char *const argv[], char *const envp[]);

#endif /* ELFLOADER_ELFLOADER_H */
