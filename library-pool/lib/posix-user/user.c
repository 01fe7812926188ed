/* SPDX-License-Identifier: BSD-3-Clause */
/* Root, and nobody else. */
#include <uk/syscall.h>

UK_SYSCALL_R_DEFINE(uid_t, getuid)
{
	return 0;
}

UK_SYSCALL_R_DEFINE(uid_t, geteuid)
{
	return 0;
}

UK_SYSCALL_R_DEFINE(gid_t, getgid)
{
	return 0;
}

UK_SYSCALL_R_DEFINE(gid_t, getegid)
{
	return 0;
}

UK_SYSCALL_R_DEFINE(int, getgroups, int, size, gid_t *, list)
{
	if (size > 0)
		list[0] = 0;
	return size < 0 ? -EINVAL : 1;
}

UK_SYSCALL_R_DEFINE(int, setuid, uid_t, uid)
{
	(void)uid;
	return 0;
}

UK_SYSCALL_R_DEFINE(int, setgid, gid_t, gid)
{
	(void)gid;
	return 0;
}

UK_SYSCALL_R_DEFINE(int, setgroups, size_t, n, const gid_t *, list)
{
	(void)n;
	(void)list;
	return 0;
}

UK_SYSCALL_R_DEFINE(int, setreuid, uid_t, ruid, uid_t, euid)
{
	(void)ruid;
	(void)euid;
	return 0;
}

UK_SYSCALL_R_DEFINE(int, setregid, gid_t, rgid, gid_t, egid)
{
	(void)rgid;
	(void)egid;
	return 0;
}

UK_SYSCALL_R_DEFINE(int, setresuid, uid_t, ruid, uid_t, euid, uid_t, suid)
{
	(void)ruid;
	(void)euid;
	(void)suid;
	return 0;
}

UK_SYSCALL_R_DEFINE(int, setresgid, gid_t, rgid, gid_t, egid, gid_t, sgid)
{
	(void)rgid;
	(void)egid;
	(void)sgid;
	return 0;
}
