/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A process that may have few more descriptors. */
#pragma once

#include <glib.h>

#include <sys/resource.h>
#include <unistd.h>

/* So many more may it have at most; some of them may be in use. */
static inline void
leave_descriptors (guint n, struct rlimit *before)
{
  gint lowest = dup (STDERR_FILENO);
  struct rlimit limit;

  close (lowest);
  getrlimit (RLIMIT_NOFILE, before);
  limit = *before;
  limit.rlim_cur = lowest + n;
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, &limit), ==, 0);
}

static inline void
give_descriptors_back (const struct rlimit *before)
{
  g_assert_cmpint (setrlimit (RLIMIT_NOFILE, before), ==, 0);
}
