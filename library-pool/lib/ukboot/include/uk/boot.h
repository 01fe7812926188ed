/* SPDX-License-Identifier: BSD-3-Clause */
/* What ukboot found out on the way to main(). */
#ifndef UK_BOOT_H
#define UK_BOOT_H

/* Words of the command line before "--": parameters of the libraries. */
char **uk_boot_params(int *count);

#endif /* UK_BOOT_H */
