/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "books.h"

static gboolean
add_dropped (GQuark field, const GValue *value, gpointer sum)
{
  if (g_str_has_prefix (g_quark_to_string (field), "dropped-"))
    *(guint64 *) sum += g_value_get_uint64 (value);
  return TRUE;
}

Books
books_read (GstElement *element)
{
  Books books = { 0 };
  g_autoptr (GstStructure) stats = NULL;

  g_object_get (element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get (stats, "frames-in", G_TYPE_UINT64, &books.in, "frames-sent",
      G_TYPE_UINT64, &books.sent, "frames-waiting", G_TYPE_UINT64, &books.waiting, "answered",
      G_TYPE_UINT64, &books.answered, "failed", G_TYPE_UINT64, &books.failed, "expired",
      G_TYPE_UINT64, &books.expired, "lost", G_TYPE_UINT64, &books.lost, "in-flight", G_TYPE_UINT64,
      &books.in_flight, "frames-out", G_TYPE_UINT64, &books.out, "connections", G_TYPE_UINT64,
      &books.connections, "age-p50", G_TYPE_DOUBLE, &books.age_p50, "age-p95", G_TYPE_DOUBLE,
      &books.age_p95, NULL));
  gst_structure_foreach (stats, add_dropped, &books.dropped);
  g_assert_cmpuint (books.in, ==, books.sent + books.dropped + books.waiting);
  g_assert_cmpuint (
      books.sent, ==, books.answered + books.failed + books.expired + books.lost + books.in_flight);
  return books;
}
