/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "test-values.h"

#include <stdio.h>

GstStructure *
from_wire (const gchar *data, gsize size, GError **error)
{
  g_autoptr (GBytes) message = g_bytes_new (data, size);

  return fal_value_from_msgpack (message, NULL, error);
}

GstStructure *
from_good_json (const gchar *text)
{
  g_autoptr (GError) error = NULL;
  GstStructure *map = fal_value_from_json (text, -1, &error);

  g_assert_no_error (error);
  return map;
}

void
assert_json (const GstStructure *map, const gchar *expected)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *json = fal_value_to_json (map, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (json, ==, expected);
}

void
assert_msgpack (const GstStructure *map, const gchar *expected, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) message = fal_value_to_msgpack (map, &error);
  gsize length = 0;
  gconstpointer data = message != NULL ? g_bytes_get_data (message, &length) : NULL;

  g_assert_no_error (error);
  g_assert_cmpmem (data, length, expected, size);
}

gulong
get_resident_pages (void)
{
  g_autofree gchar *text = NULL;
  gulong total = 0, resident = 0;

  g_file_get_contents ("/proc/self/statm", &text, NULL, NULL);
  g_assert_cmpint (sscanf (text, "%lu %lu", &total, &resident), ==, 2);
  return resident;
}
