/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the wiretap hears of a connection, however its bytes come. */
#include "wiretap.h"
#include <string.h>

#define HEAD "GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"
/* {"request_id": "7"} in msgpack, 14 bytes. */
#define MAP                                                                                        \
  "\x81\xaarequest_id\xa1"                                                                         \
  "7"

/* The message in words: id, size, times. */
static void
on_heard (gpointer user, const WiretapMessage *message)
{
  g_string_append_printf (user, "%s:%" G_GSIZE_FORMAT "@%" G_GINT64_FORMAT "-%" G_GINT64_FORMAT " ",
      message->id, message->size, message->first, message->last);
}

/* In chunks of @step bytes, at the times 1, 2, 3… */
static void
assert_heard (const guint8 *data, gsize size, gsize step, const gchar *words)
{
  g_autoptr (GString) heard = g_string_new (NULL);
  g_autoptr (Wiretap) tap = wiretap_new (on_heard, heard);
  gint64 time = 1;

  for (gsize i = 0; i < size; i += step)
    wiretap_feed (tap, data + i, MIN (step, size - i), time++);
  g_assert_cmpstr (heard->str, ==, words);
}

#define ASSERT_HEARD(text, step, words)                                                            \
  assert_heard ((const guint8 *) (text), sizeof (text) - 1, step, words)

static void
test_plain (void)
{
  ASSERT_HEARD (HEAD "\x82\x0e" MAP, 1000, "7:14@1-1 ");
  ASSERT_HEARD (HEAD "\x82\x0e" MAP, 1, "7:14@39-54 ");
  ASSERT_HEARD (HEAD "\x81\x02{}\x82\x00", 1000, ":2@1-1 :0@1-1 ");
}

static void
test_masked (void)
{
  guint8 data[] = HEAD "\x82\x8e\x01\x02\x03\x04" MAP;
  guint8 *payload = data + strlen (HEAD) + 6;

  for (guint i = 0; i < 14; i++)
    payload[i] ^= i % 4 + 1;
  assert_heard (data, sizeof data - 1, 1000, "7:14@1-1 ");
  assert_heard (data, sizeof data - 1, 1, "7:14@39-58 ");
}

static void
test_long (void)
{
  g_autoptr (GByteArray) data = g_byte_array_new ();
  guint8 zeros[70000] = { 0 };

  g_byte_array_append (data, (const guint8 *) HEAD "\x82\x7e\x01\x00", strlen (HEAD) + 4);
  g_byte_array_append (data, zeros, 256);
  g_byte_array_append (data, (const guint8 *) "\x82\x7f\0\0\0\0\0\x01\x11\x70", 10);
  g_byte_array_append (data, zeros, 70000);
  assert_heard (data->data, data->len, 1000000, ":256@1-1 :70000@1-1 ");
}

/* Fragments are one message; a ping may come between them. */
static void
test_fragments (void)
{
  ASSERT_HEARD (HEAD "\x02\x01\x81\x89\x01p\x80\x0d\xaarequest_id\xa1"
                     "7",
      1000, "7:14@1-1 ");
}

/* An id that is cut off, or none. */
static void
test_odd_ids (void)
{
  ASSERT_HEARD (HEAD "\x82\x0a"
                     "request_id",
      1000, ":10@1-1 ");
  ASSERT_HEARD (HEAD "\x82\x0b"
                     "request_id\xd9",
      1000, ":11@1-1 ");
  ASSERT_HEARD (HEAD "\x82\x0d"
                     "request_id\xa5"
                     "12",
      1000, "12:13@1-1 ");
  ASSERT_HEARD (HEAD "\x82\x0e"
                     "request_id\xd9\x02"
                     "12",
      1000, "12:14@1-1 ");
  ASSERT_HEARD (HEAD "\x82\x0b"
                     "request_id\x07",
      1000, ":11@1-1 ");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wiretap/plain", test_plain);
  g_test_add_func ("/wiretap/masked", test_masked);
  g_test_add_func ("/wiretap/long", test_long);
  g_test_add_func ("/wiretap/fragments", test_fragments);
  g_test_add_func ("/wiretap/odd-ids", test_odd_ids);
  return g_test_run ();
}
