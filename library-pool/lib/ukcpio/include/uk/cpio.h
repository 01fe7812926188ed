/* SPDX-License-Identifier: BSD-3-Clause */
/* cpio archives in the "new ASCII" form (cpio(5)). */
#ifndef UK_CPIO_H
#define UK_CPIO_H

#include <uk/essentials.h>

/* An entry; everything points into the archive. */
struct uk_cpio_entry {
	const char *name;	/* as stored: "./a/b", "a/b" or "." */
	uint64_t dev;		/* with `ino` the same for all links to one file */
	uint32_t ino;
	uint32_t nlink;
	uint32_t mode;		/* type and permissions as stat() has them */
	uint32_t uid;
	uint32_t gid;
	uint32_t mtime;		/* seconds since 1970 */
	/*
	 * Contents, or what a symbolic link holds. Of several links to a file
	 * the last one has them, the others nothing.
	 */
	const char *data;
	size_t size;
};

typedef int (*uk_cpio_visit_t)(const struct uk_cpio_entry *e, void *arg);

/*
 * Visits the entries in order. Returns 0, the first result of `visit` that is
 * not 0, or -EINVAL where the archive is damaged or of another form.
 */
int uk_cpio_walk(const void *archive, size_t len, uk_cpio_visit_t visit,
		 void *arg);

#endif /* UK_CPIO_H */
