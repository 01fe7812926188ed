/* SPDX-License-Identifier: BSD-3-Clause */
/* Whom a process acts for, as credentials(7) has it: it starts as root. */
#include <string.h>
#include <uk/config.h>
#include <uk/essentials.h>
#include <uk/syscall.h>
#if CONFIG_LIBPOSIX_PROCESS_CHILDREN
#include <posix/state.h>
#endif

#define GROUPS_MAX	64
#define UNCHANGED	(~0U)

struct ids {
	uint32_t real, effective, saved;
};

static struct {
	struct ids user, group;
	int nr_groups;
	gid_t groups[GROUPS_MAX];
} credentials = { .nr_groups = 1 };

#if CONFIG_LIBPOSIX_PROCESS_CHILDREN
POSIX_STATE(credentials, NULL, NULL);
#endif

static bool is_root(void)
{
	return !credentials.user.effective;
}

static bool has(const struct ids *ids, uint32_t id)
{
	return id == ids->real || id == ids->effective || id == ids->saved;
}

/* setuid(2), setgid(2): for good where root asks. */
static int set(struct ids *ids, uint32_t id)
{
	if (id == UNCHANGED)
		return -EINVAL;
	if (is_root())
		*ids = (struct ids) { id, id, id };
	else if (id == ids->real || id == ids->saved)
		ids->effective = id;
	else
		return -EPERM;
	return 0;
}

static int set_all(struct ids *ids, uint32_t real, uint32_t effective,
		   uint32_t saved)
{
	if (!is_root() && ((real != UNCHANGED && !has(ids, real)) ||
			   (effective != UNCHANGED && !has(ids, effective)) ||
			   (saved != UNCHANGED && !has(ids, saved))))
		return -EPERM;
	if (real != UNCHANGED)
		ids->real = real;
	if (effective != UNCHANGED)
		ids->effective = effective;
	if (saved != UNCHANGED)
		ids->saved = saved;
	return 0;
}

/* setreuid(2), setregid(2): what is taken on can be gone back to. */
static int set_two(struct ids *ids, uint32_t real, uint32_t effective)
{
	const struct ids old = *ids;
	int rc;

	if (!is_root() && real != UNCHANGED && real != old.real &&
	    real != old.effective)
		return -EPERM;
	rc = set_all(ids, real, effective, UNCHANGED);
	if (!rc && (real != UNCHANGED ||
		    (effective != UNCHANGED && effective != old.real)))
		ids->saved = ids->effective;
	return rc;
}

UK_SYSCALL_R_DEFINE(uid_t, getuid)
{
	return credentials.user.real;
}

UK_SYSCALL_R_DEFINE(uid_t, geteuid)
{
	return credentials.user.effective;
}

UK_SYSCALL_R_DEFINE(gid_t, getgid)
{
	return credentials.group.real;
}

UK_SYSCALL_R_DEFINE(gid_t, getegid)
{
	return credentials.group.effective;
}

static int get_all(const struct ids *ids, uint32_t *real, uint32_t *effective,
		   uint32_t *saved)
{
	*real = ids->real;
	*effective = ids->effective;
	*saved = ids->saved;
	return 0;
}

UK_SYSCALL_R_DEFINE(int, getresuid, uid_t *, ruid, uid_t *, euid, uid_t *,
		    suid)
{
	return get_all(&credentials.user, ruid, euid, suid);
}

UK_SYSCALL_R_DEFINE(int, getresgid, gid_t *, rgid, gid_t *, egid, gid_t *,
		    sgid)
{
	return get_all(&credentials.group, rgid, egid, sgid);
}

UK_SYSCALL_R_DEFINE(int, setuid, uid_t, uid)
{
	return set(&credentials.user, uid);
}

UK_SYSCALL_R_DEFINE(int, setgid, gid_t, gid)
{
	return set(&credentials.group, gid);
}

UK_SYSCALL_R_DEFINE(int, setreuid, uid_t, ruid, uid_t, euid)
{
	return set_two(&credentials.user, ruid, euid);
}

UK_SYSCALL_R_DEFINE(int, setregid, gid_t, rgid, gid_t, egid)
{
	return set_two(&credentials.group, rgid, egid);
}

UK_SYSCALL_R_DEFINE(int, setresuid, uid_t, ruid, uid_t, euid, uid_t, suid)
{
	return set_all(&credentials.user, ruid, euid, suid);
}

UK_SYSCALL_R_DEFINE(int, setresgid, gid_t, rgid, gid_t, egid, gid_t, sgid)
{
	return set_all(&credentials.group, rgid, egid, sgid);
}

UK_SYSCALL_R_DEFINE(int, getgroups, int, size, gid_t *, list)
{
	const int n = credentials.nr_groups;

	if (size < 0 || (size && size < n))
		return -EINVAL;
	if (size)
		memcpy(list, credentials.groups, (size_t)n * sizeof(*list));
	return n;
}

UK_SYSCALL_R_DEFINE(int, setgroups, size_t, n, const gid_t *, list)
{
	if (!is_root())
		return -EPERM;
	if (n > GROUPS_MAX)
		return -EINVAL;
	memcpy(credentials.groups, list, n * sizeof(*list));
	credentials.nr_groups = (int)n;
	return 0;
}
