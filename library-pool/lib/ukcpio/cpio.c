/* SPDX-License-Identifier: BSD-3-Clause */
/* Walks through an archive. */
#include <errno.h>
#include <string.h>
#include <uk/cpio.h>

#define HEADER		110
#define FIELD_INO	0
#define FIELD_MODE	1
#define FIELD_UID	2
#define FIELD_GID	3
#define FIELD_NLINK	4
#define FIELD_MTIME	5
#define FIELD_SIZE	6
#define FIELD_MAJOR	7
#define FIELD_MINOR	8
#define FIELD_NAMESIZE	11

/* Field `n` of eight hexadecimal digits; false where it is none. */
static bool field(const char *header, int n, uint32_t *value)
{
	const char *p = header + 6 + 8 * n;
	uint32_t v = 0;
	int i;

	for (i = 0; i < 8; i++) {
		char c = p[i];

		if (c >= '0' && c <= '9')
			v = v << 4 | (uint32_t)(c - '0');
		else if ((c | 32) >= 'a' && (c | 32) <= 'f')
			v = v << 4 | (uint32_t)((c | 32) - 'a' + 10);
		else
			return false;
	}
	*value = v;
	return true;
}

int uk_cpio_walk(const void *archive, size_t len, uk_cpio_visit_t visit,
		 void *arg)
{
	const char *base = archive;
	size_t at = 0;

	while (len - at >= HEADER) {
		const char *h = base + at;
		struct uk_cpio_entry e;
		uint32_t size, namesize, major, minor;
		size_t data;
		int rc;

		if (memcmp(h, "070701", 6) && memcmp(h, "070702", 6))
			return -EINVAL;
		if (!field(h, FIELD_INO, &e.ino) ||
		    !field(h, FIELD_MODE, &e.mode) ||
		    !field(h, FIELD_UID, &e.uid) ||
		    !field(h, FIELD_GID, &e.gid) ||
		    !field(h, FIELD_NLINK, &e.nlink) ||
		    !field(h, FIELD_MTIME, &e.mtime) ||
		    !field(h, FIELD_SIZE, &size) ||
		    !field(h, FIELD_MAJOR, &major) ||
		    !field(h, FIELD_MINOR, &minor) ||
		    !field(h, FIELD_NAMESIZE, &namesize))
			return -EINVAL;
		data = ALIGN_UP(at + HEADER + namesize, (size_t)4);
		if (!namesize || data > len || size > len - data ||
		    h[HEADER + namesize - 1])
			return -EINVAL;
		e.dev = (uint64_t)major << 32 | minor;
		e.name = h + HEADER;
		e.data = base + data;
		e.size = size;
		if (!strcmp(e.name, "TRAILER!!!"))
			return 0;
		rc = visit(&e, arg);
		if (rc)
			return rc;
		at = ALIGN_UP(data + size, (size_t)4);
		if (at > len)
			return -EINVAL;
	}
	return -EINVAL;
}
