/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * main() of an image whose program comes from the file system. Before "--",
 * the command line can hold env.vars=[ "K=V" ... ], the program's environment,
 * env.cwd=PATH, where it starts, and tty.quiet for input from a file.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <elfloader/elfloader.h>
#include <posix/tty.h>
#include <uk/boot.h>
#include <uk/essentials.h>
#include <vfscore/path.h>

#define ENV_MAX		256
#define STATUS_CANNOT	126
#define STATUS_MISSING	127

static int change_directory(const char *path)
{
	struct vnode *vn;
	int rc = vfs_lookup(NULL, path, true, &vn);

	if (rc)
		return rc;
	rc = vfs_chdir(vn);
	vnode_unref(vn);
	return rc;
}

int main(int argc, char *argv[])
{
	static char *env[ENV_MAX + 1];
	int i, n, count = 0, rc;
	char **params = uk_boot_params(&n);
	bool in_env = false;

	for (i = 0; i < n; i++) {
		if (in_env && strcmp(params[i], "]")) {
			if (count < ENV_MAX)
				env[count++] = params[i];
			continue;
		}
		in_env = !in_env && !strcmp(params[i], "env.vars=[");
		if (!strcmp(params[i], "tty.quiet"))
			posix_tty_quiet();
		if (!strncmp(params[i], "env.cwd=", 8) &&
		    change_directory(params[i] + 8))
			printf("There is no folder %s\n", params[i] + 8);
	}
	if (argc < 2) {
		puts("Which program? Its path and arguments come after \"--\" on the command line.");
		return STATUS_MISSING;
	}
	rc = elfloader_run(argv[1], argv + 1, env);
	switch (rc) {
	case -ENOENT:
		printf("%s, or something that it needs, is not in the file system\n",
		       argv[1]);
		return STATUS_MISSING;
	case -ENOEXEC:
		printf("%s is no x86-64 ELF executable\n", argv[1]);
		return STATUS_CANNOT;
	case -ENOMEM:
		printf("There is not enough memory for %s, or not at its address\n",
		       argv[1]);
		return STATUS_CANNOT;
	default:
		printf("%s cannot be run: error %d\n", argv[1], -rc);
		return STATUS_CANNOT;
	}
}
