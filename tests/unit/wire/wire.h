/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The captured messages, see tests/data/wire/README; messages as C literals. */
#pragma once

#include <glib.h>

/* A literal that may hold NULs: its text and its length. */
#define WIRE(literal) (literal), sizeof (literal) - 1

static inline GBytes *
wire_read (const gchar *name)
{
  g_autofree gchar *path = g_build_filename (g_getenv ("FAL_TEST_DATA"), "wire", name, NULL);
  gchar *data;
  gsize size;
  g_autoptr (GError) error = NULL;

  g_file_get_contents (path, &data, &size, &error);
  g_assert_no_error (error);
  return g_bytes_new_take (data, size);
}
