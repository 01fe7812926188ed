/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line as arguments. */
#ifndef UKBOOT_CMDLINE_H
#define UKBOOT_CMDLINE_H

/*
 * Splits `line` in place at blanks; quotes of both kinds keep blanks together.
 * The first word is the program's name. Where a word is "--", what stands
 * between the name and it is for the libraries and is left out. Returns the
 * number of words in `argv`, at most `max`.
 */
int ukboot_split_cmdline(char *line, char **argv, int max);

#endif /* UKBOOT_CMDLINE_H */
