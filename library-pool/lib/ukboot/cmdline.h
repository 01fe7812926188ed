/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line as arguments. */
#ifndef UKBOOT_CMDLINE_H
#define UKBOOT_CMDLINE_H

/*
 * Splits `line` in place at blanks; quotes of both kinds keep blanks together.
 * The first word is the program's name. Where a word is "--", `*params` is the
 * number of words before it, the name among them: those after the name are for
 * the libraries. It is 0 where there is no "--". Returns the number of words
 * in `argv` without the "--", at most `max`.
 */
int ukboot_split_cmdline(char *line, char **argv, int max, int *params);

#endif /* UKBOOT_CMDLINE_H */
