/* SPDX-License-Identifier: BSD-3-Clause */
/* The part of the program that behaves like a Linux binary. */
#ifndef HELLO_BINARY_H
#define HELLO_BINARY_H

/* Writes a greeting by SYSCALL instructions; 0, or which check failed. */
int run_as_binary(void);

#endif /* HELLO_BINARY_H */
