/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a connection needs is looked for before GLib misses it. */
#include "fal/net/resources.h"
#include "few-descriptors.h"

static gboolean
check_with (guint n)
{
  g_autoptr (GError) error = NULL;
  struct rlimit before;
  gboolean enough;

  leave_descriptors (n, &before);
  enough = fal_resources_check (&error);
  give_descriptors_back (&before);
  if (!enough)
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES);
  return enough;
}

/* Some of those that it might have may be in use already. */
static void
test_a_connection_needs_several_descriptors (void)
{
  guint n = 0;

  while (!check_with (n))
    n++;
  g_assert_cmpuint (n, >=, 8);
}

/* A hundred times as many as there are. */
static void
test_what_was_taken_is_given_back (void)
{
  struct rlimit before;

  leave_descriptors (64, &before);
  for (guint i = 0; i < 100; i++)
    g_assert_true (fal_resources_check (NULL));
  give_descriptors_back (&before);
}

/* Which says what a user can do. */
static void
test_what_is_missing_has_its_fault (void)
{
  g_autoptr (GError) thread =
      g_error_new_literal (G_THREAD_ERROR, G_THREAD_ERROR_AGAIN, "no thread");
  g_autoptr (GError) descriptors =
      g_error_new_literal (G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES, "no descriptor");

  g_assert_cmpint (fal_resources_get_fault (thread).code, ==, FAL_NETWORK_FAULT_THREADS);
  g_assert_cmpint (fal_resources_get_fault (descriptors).code, ==, FAL_NETWORK_FAULT_DESCRIPTORS);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/resources/" #name, test_##name)
  ADD (a_connection_needs_several_descriptors);
  ADD (what_was_taken_is_given_back);
  ADD (what_is_missing_has_its_fault);
  return g_test_run ();
}
