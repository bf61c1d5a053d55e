/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fal/wire/value-json.h"
#include "fal/wire/value-msgpack.h"

#include <gio/gio.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "wire.h"

static GstStructure *
from_wire (const gchar *data, gsize size, GError **error)
{
  g_autoptr (GBytes) message = g_bytes_new (data, size);

  return fal_value_from_msgpack (message, error);
}

static GstStructure *
from_good_json (const gchar *text)
{
  g_autoptr (GError) error = NULL;
  GstStructure *map = fal_value_from_json (text, -1, &error);

  g_assert_no_error (error);
  return map;
}

static void
assert_json (const GstStructure *map, const gchar *expected)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *json = fal_value_to_json (map, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (json, ==, expected);
}

static void
assert_msgpack (const GstStructure *map, const gchar *expected, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) message = fal_value_to_msgpack (map, &error);
  gsize length;
  gconstpointer data = message != NULL ? g_bytes_get_data (message, &length) : NULL;

  g_assert_no_error (error);
  g_assert_cmpmem (data, length, expected, size);
}

/* A map with one field "a" that holds @count times @item. */
static GBytes *
repeat (const gchar *head, gsize head_size, const gchar *item, gsize item_size, guint count)
{
  GByteArray *array = g_byte_array_new ();

  g_byte_array_append (array, (const guint8 *) head, head_size);
  for (guint i = 0; i < count; i++)
    g_byte_array_append (array, (const guint8 *) item, item_size);
  return g_byte_array_free_to_bytes (array);
}

/* ---- Both forms ---- */

static const struct {
  const gchar *wire;
  gsize size;
  const gchar *json;
} same[] = {
  { WIRE ("\x80"), "{}" },
  { WIRE ("\x81\xa1k\xc0"), "{\"k\":null}" },
  { WIRE ("\x82\xa1k\xc2\xa1m\xc3"), "{\"k\":false,\"m\":true}" },
  { WIRE ("\x82\xa1m\x01\xa1k\x02"), "{\"m\":1,\"k\":2}" },
  { WIRE ("\x81\xa1k\x7f"), "{\"k\":127}" },
  { WIRE ("\x81\xa1k\xcc\x80"), "{\"k\":128}" },
  { WIRE ("\x81\xa1k\xcd\x01\x00"), "{\"k\":256}" },
  { WIRE ("\x81\xa1k\xce\x00\x5f\x65\xf7"), "{\"k\":6252023}" },
  { WIRE ("\x81\xa1k\xcf\x7f\xff\xff\xff\xff\xff\xff\xff"), "{\"k\":9223372036854775807}" },
  { WIRE ("\x81\xa1k\xff"), "{\"k\":-1}" },
  { WIRE ("\x81\xa1k\xd0\x80"), "{\"k\":-128}" },
  { WIRE ("\x81\xa1k\xd1\xff\x7f"), "{\"k\":-129}" },
  { WIRE ("\x81\xa1k\xd3\x80\0\0\0\0\0\0\0"), "{\"k\":-9223372036854775808}" },
  { WIRE ("\x81\xa1k\xcb\x3f\xf0\0\0\0\0\0\0"), "{\"k\":1.0}" },
  { WIRE ("\x81\xa1k\xcb\x3f\xe0\0\0\0\0\0\0"), "{\"k\":0.5}" },
  { WIRE ("\x81\xa1k\xa3\xe2\x82\xac"), "{\"k\":\"€\"}" },
  { WIRE ("\x81\xa1k\x93\x01\x02\x03"), "{\"k\":[1,2,3]}" },
  { WIRE ("\x81\xa1k\x90"), "{\"k\":[]}" },
  { WIRE ("\x81\xa1k\x81\xa1m\x81\xa1n\xa0"), "{\"k\":{\"m\":{\"n\":\"\"}}}" },
  { WIRE ("\x81\xa1k\x92\x81\xa1m\x01\x80"), "{\"k\":[{\"m\":1},{}]}" },
};

static void
test_both_forms_say_the_same (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (same); i++) {
    g_autoptr (GstStructure) map = from_wire (same[i].wire, same[i].size, NULL);
    g_autoptr (GstStructure) other = from_good_json (same[i].json);

    g_assert_nonnull (map);
    assert_json (map, same[i].json);
    assert_msgpack (other, same[i].wire, same[i].size);
  }
}

static void
test_unlike_items_keep_their_kinds (void)
{
  const gchar *json = "{\"a\":[1,0.5,null,\"x\",[true,2],{}],\"b\":[[1],[\"x\"]],\"c\":[[],1]}";
  g_autoptr (GstStructure) map = from_good_json (json);
  g_autoptr (GBytes) message = fal_value_to_msgpack (map, NULL);
  g_autoptr (GstStructure) again = fal_value_from_msgpack (message, NULL);
  const GValue *list = gst_structure_get_value (again, "a");

  assert_json (again, json);
  g_assert_cmpint (g_value_get_int64 (fal_value_get_item (list, 0)), ==, 1);
  g_assert_cmpfloat (g_value_get_double (fal_value_get_item (list, 1)), ==, 0.5);
  g_assert_cmpstr (g_value_get_string (fal_value_get_item (list, 3)), ==, "x");
  g_assert_null (fal_value_get_item (list, 6));
}

static void
test_captured_messages_come_back_byte_for_byte (void)
{
  g_autofree gchar *path = g_build_filename (g_getenv ("FAL_TEST_DATA"), "wire", NULL);
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const gchar *name;
  guint count = 0;

  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autoptr (GBytes) message = NULL, again = NULL;
    g_autoptr (GstStructure) map = NULL;

    if (!g_str_has_suffix (name, ".bin"))
      continue;
    message = wire_read (name);
    map = fal_value_from_msgpack (message, NULL);
    g_assert_nonnull (map);
    again = fal_value_to_msgpack (map, NULL);
    g_assert_cmpmem (g_bytes_get_data (again, NULL), g_bytes_get_size (again),
        g_bytes_get_data (message, NULL), g_bytes_get_size (message));
    count++;
  }
  g_assert_cmpuint (count, ==, 25);
}

/* ---- msgpack ---- */

static void
test_bytes_are_slices_of_the_message (void)
{
  g_autoptr (GBytes) message = g_bytes_new_static (WIRE ("\x82\xa1k\xc4\x03xyz\xa1m\xc4\x00"));
  g_autoptr (GstStructure) map = fal_value_from_msgpack (message, NULL);
  GBytes *bytes = g_value_get_boxed (gst_structure_get_value (map, "k"));
  GBytes *empty = g_value_get_boxed (gst_structure_get_value (map, "m"));
  const gchar *start = g_bytes_get_data (message, NULL);

  g_assert_true (g_bytes_get_data (bytes, NULL) == start + 5);
  g_assert_cmpuint (g_bytes_get_size (bytes), ==, 3);
  g_assert_cmpuint (g_bytes_get_size (empty), ==, 0);
}

static void
test_a_str_that_is_no_text_becomes_bytes (void)
{
  g_autoptr (GstStructure) map = from_wire (WIRE ("\x82\xa1k\xa2\xff\xd8\xa1m\xa3x\0y"), NULL);

  g_assert_true (gst_structure_has_field_typed (map, "k", G_TYPE_BYTES));
  g_assert_true (gst_structure_has_field_typed (map, "m", G_TYPE_BYTES));
}

static void
test_empty_text_is_not_nil (void)
{
  g_autoptr (GstStructure) map = from_wire (WIRE ("\x81\xa0\xa0"), NULL);

  assert_msgpack (map, WIRE ("\x81\xa0\xa0"));
}

static void
test_large_and_small_numbers_are_kept (void)
{
  g_autoptr (GstStructure) map =
      from_wire (WIRE ("\x83\xa1k\xcf\xff\xff\xff\xff\xff\xff\xff\xff\xa1m\xca\x3f\0\0\0\xa1n\xcb"
                       "\x7f\xf0\0\0\0\0\0\0"),
          NULL);
  guint64 natural;
  gdouble real, infinite;

  g_assert_true (gst_structure_get_uint64 (map, "k", &natural));
  g_assert_true (gst_structure_get_double (map, "m", &real));
  g_assert_true (gst_structure_get_double (map, "n", &infinite));
  g_assert_cmpuint (natural, ==, G_MAXUINT64);
  g_assert_cmpfloat (real, ==, 0.5);
  g_assert_true (isinf (infinite));
}

static void
test_extensions_and_odd_keys_are_left_out (void)
{
  g_autoptr (GstStructure) map =
      from_wire (WIRE ("\x86\x01\x02\xa1k\xd4\x05\x00\xa1m\x92\xc7\x01\x05x\x07\xc4\x01"
                       "c\x01\xa2\xff\xfe\x01\xa1p\x01"),
          NULL);

  g_assert_nonnull (map);
  assert_json (map, "{\"m\":[7],\"p\":1}");
}

static void
test_the_last_of_equal_keys_wins (void)
{
  g_autoptr (GstStructure) map = from_wire (WIRE ("\x83\xa1k\x01\xa1m\x02\xa1k\x03"), NULL);
  g_autoptr (GstStructure) other = from_good_json ("{\"k\":1,\"m\":2,\"k\":3}");

  assert_json (map, "{\"k\":3,\"m\":2}");
  g_assert_cmpint (g_value_get_int64 (gst_structure_get_value (other, "k")), ==, 3);
}

static const struct {
  const gchar *wire;
  gsize size;
  const gchar *fault;
} hostile[] = {
  { WIRE (""), "empty" },
  { WIRE ("\xc1"), "does not use" },
  { WIRE ("\xc0"), "not a map" },
  { WIRE ("\x91\x01"), "not a map" },
  { WIRE ("\x80\x80"), "bytes follow" },
  { WIRE ("\x81\xa1k\x01 "), "bytes follow" },
  { WIRE ("\x81\xa1k\xc1"), "does not use" },
  { WIRE ("\xdf\xff\xff\xff\xff"), "ends too early" },
  { WIRE ("\x81\xa1k\xdd\xff\xff\xff\xff"), "ends too early" },
  { WIRE ("\x81\xa1k\xdf\x7f\xff\xff\xff"), "ends too early" },
  { WIRE ("\x81\xa1k\xdb\xff\xff\xff\xff"), "ends too early" },
  { WIRE ("\x81\xa1k\xc6\xff\xff\xff\xff"), "ends too early" },
  { WIRE ("\x81\xa1k\xc9\xff\xff\xff\xff\x01"), "ends too early" },
  { WIRE ("\x81\xa1k\xde\x40"), "ends too early" },
  { WIRE ("\x81\xa1k\xd8\x01"), "ends too early" },
};

static void
test_hostile_msgpack_is_refused (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (hostile); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_null (from_wire (hostile[i].wire, hostile[i].size, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
    g_assert_nonnull (strstr (error->message, hostile[i].fault));
  }
}

static const struct {
  const gchar *head;
  gsize head_size;
  const gchar *item;
  gsize item_size;
  guint count;
  const gchar *fault; /* NULL: it is read */
} large[] = {
  { WIRE (""), WIRE ("\x81\xa1k"), 32, "ends too early" },
  { WIRE (""), WIRE ("\x81\xa1k"), 33, "too deeply" },
  { WIRE (""), WIRE ("\x81\xa1k"), 100000, "too deeply" },
  { WIRE ("\x81\xa1k"), WIRE ("\x91"), 31, "ends too early" },
  { WIRE ("\x81\xa1k"), WIRE ("\x91"), 100000, "too deeply" },
  { WIRE ("\x81\xa1k\xdc\xff\x00"), WIRE ("\xc0"), 0xff00, NULL },
  { WIRE ("\x81\xa1k\xdd\x00\x10\x00\x00"), WIRE ("\xc0"), 0x100000, "too many values" },
  { WIRE ("\xde\x04\x00"), WIRE ("\xa1k\x01"), 1024, NULL },
  { WIRE ("\xde\x04\x01"), WIRE ("\xa1k\x01"), 1025, "too many keys" },
  { WIRE ("\xde\x27\x10"), WIRE ("\xa1k\x01"), 10000, "too many keys" },
};

static void
test_large_msgpack_meets_its_limits (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (large); i++) {
    g_autoptr (GBytes) message = repeat (
        large[i].head, large[i].head_size, large[i].item, large[i].item_size, large[i].count);
    g_autoptr (GError) error = NULL;
    g_autoptr (GstStructure) map = fal_value_from_msgpack (message, &error);

    g_assert_true ((map != NULL) == (large[i].fault == NULL));
    if (map == NULL)
      g_assert_nonnull (strstr (error->message, large[i].fault));
  }
}

/* @depth lists, the innermost empty, in a map. */
static GstStructure *
read_nested (guint lists, GError **error)
{
  g_autoptr (GByteArray) array = g_byte_array_new ();
  g_autoptr (GBytes) message = NULL;

  g_byte_array_append (array, (const guint8 *) "\x81\xa1k", 3);
  for (guint i = 1; i < lists; i++)
    g_byte_array_append (array, (const guint8 *) "\x91", 1);
  g_byte_array_append (array, (const guint8 *) "\x90", 1);
  message = g_byte_array_free_to_bytes (g_steal_pointer (&array));
  return fal_value_from_msgpack (message, error);
}

static void
test_nesting_is_read_and_written_up_to_its_limit (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstStructure) deepest = read_nested (FAL_VALUE_MAX_DEPTH - 1, &error);
  g_autoptr (GstStructure) outer = gst_structure_new_empty ("map");
  g_autoptr (GBytes) message = NULL;

  g_assert_no_error (error);
  message = fal_value_to_msgpack (deepest, &error);
  g_assert_no_error (error);
  g_assert_null (read_nested (FAL_VALUE_MAX_DEPTH, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  g_clear_error (&error);

  gst_structure_set (outer, "b", GST_TYPE_STRUCTURE, deepest, NULL);
  g_assert_null (fal_value_to_msgpack (outer, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_assert_nonnull (strstr (error->message, "b.k[0]"));
}

static void
test_a_reply_cut_anywhere_is_refused (void)
{
  g_autoptr (GBytes) whole = wire_read ("rep_small_bin8_1.bin");

  for (gsize size = 0; size < g_bytes_get_size (whole); size++) {
    /* A copy of its own size, so that a read past its end is seen. */
    g_autoptr (GBytes) message = g_bytes_new (g_bytes_get_data (whole, NULL), size);
    g_autoptr (GError) error = NULL;

    g_assert_null (fal_value_from_msgpack (message, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  }
}

static void
test_a_reply_with_any_byte_changed_does_no_harm (void)
{
  g_autoptr (GBytes) whole = wire_read ("rep_small_bin8_1.bin");
  gsize size = g_bytes_get_size (whole);

  for (gsize i = 0; i < size; i++) {
    g_autofree guint8 *data = g_memdup2 (g_bytes_get_data (whole, NULL), size);

    for (guint bit = 0; bit < 9; bit++) {
      g_autoptr (GBytes) message = NULL;
      g_autoptr (GstStructure) map = NULL;

      data[i] ^= bit == 0 ? 0xff : 1 << (bit - 1);
      message = g_bytes_new (data, size);
      map = fal_value_from_msgpack (message, NULL);
      data[i] ^= bit == 0 ? 0xff : 1 << (bit - 1);
    }
  }
}

/* ---- Names ---- */

/* In a process of its own: the count is the process's. */
static void
test_new_names_come_to_an_end (void)
{
  g_autoptr (GstStructure) known = NULL;
  g_autoptr (GError) error = NULL;
  guint kept = 0;

  if (!g_test_subprocess ()) {
    g_test_trap_subprocess (NULL, 0, 0);
    g_test_trap_assert_passed ();
    return;
  }
  for (guint i = 0; i < 10000; i++) {
    gchar wire[] = "\x81\xa5"
                   "00000\x01";
    g_autoptr (GstStructure) map = NULL;

    g_snprintf (wire + 2, 6, "%05u", i);
    wire[7] = '\x01';
    map = from_wire (wire, 8, NULL);
    kept += gst_structure_n_fields (map);
  }
  g_assert_cmpuint (kept, ==, 4096);
  known = from_wire (WIRE ("\x82\xa5"
                           "00007\x01\xa5"
                           "09999\x01"),
      NULL);
  assert_json (known, "{\"00007\":1}");
  g_assert_null (fal_value_from_json ("{\"one more name\":1}", -1, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  /* GLib leaves outgrown tables of quarks behind, which a leak checker would tell of. */
  _exit (EXIT_SUCCESS);
}

static void
test_long_names_are_left_out (void)
{
  g_autoptr (GByteArray) array = g_byte_array_new ();
  g_autoptr (GBytes) message = NULL;
  g_autoptr (GstStructure) map = NULL;
  gchar name[257];

  memset (name, 'n', sizeof name);
  g_byte_array_append (array, (const guint8 *) WIRE ("\x82\xda\x01\x01"));
  g_byte_array_append (array, (const guint8 *) name, 257);
  g_byte_array_append (array, (const guint8 *) WIRE ("\x01\xda\x01\x00"));
  g_byte_array_append (array, (const guint8 *) name, 256);
  g_byte_array_append (array, (const guint8 *) WIRE ("\x02"));
  message = g_byte_array_free_to_bytes (g_steal_pointer (&array));
  map = fal_value_from_msgpack (message, NULL);
  g_assert_cmpint (gst_structure_n_fields (map), ==, 1);
}

/* ---- What a user gives ---- */

static void
test_types_of_a_user_are_written (void)
{
  g_autoptr (GstStructure) map = gst_structure_new_from_string (
      "map, i=(int)-5, u=(uint)200, g=(float)0.5, l=(int){ 1, 2 }, k=(int)< 3 >, m=true;");
  g_autoptr (GstBuffer) buffer = gst_buffer_new_memdup ("xyz", 3);

  gst_structure_set (map, "p", GST_TYPE_BUFFER, buffer, "n", G_TYPE_BYTES, NULL, NULL);
  assert_json (map,
      "{\"i\":-5,\"u\":200,\"g\":0.5,\"l\":[1,2],\"k\":[3],\"m\":true,\"p\":\"eHl6\",\"n\":null}");
  assert_msgpack (map, WIRE ("\x88\xa1"
                             "i\xfb\xa1"
                             "u\xcc\xc8\xa1g\xcb\x3f\xe0\0\0\0\0\0\0\xa1"
                             "l\x92\x01\x02"
                             "\xa1k\x91\x03\xa1m\xc3\xa1"
                             "p\xc4\x03xyz\xa1"
                             "n\xc0"));
}

static void
test_a_type_that_cannot_be_sent_is_named (void)
{
  g_autoptr (GstStructure) inner =
      gst_structure_new ("map", "rate", GST_TYPE_FRACTION, 25, 1, NULL);
  g_autoptr (GstStructure) map =
      gst_structure_new ("map", "input", GST_TYPE_STRUCTURE, inner, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (fal_value_to_msgpack (map, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_assert_nonnull (strstr (error->message, "input.rate"));
  g_assert_nonnull (strstr (error->message, "GstFraction"));
}

static void
test_json_has_no_infinity (void)
{
  g_autoptr (GstStructure) map = gst_structure_new ("map", "x", G_TYPE_DOUBLE, INFINITY, NULL);
  g_autoptr (GError) error = NULL;

  assert_msgpack (map, WIRE ("\x81\xa1x\xcb\x7f\xf0\0\0\0\0\0\0"));
  g_assert_null (fal_value_to_json (map, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
}

static void
test_json_has_no_integer_past_int64 (void)
{
  g_autoptr (GstStructure) map = gst_structure_new ("map", "x", G_TYPE_UINT64, G_MAXUINT64, NULL);
  g_autoptr (GError) error = NULL;

  assert_msgpack (map, WIRE ("\x81\xa1x\xcf\xff\xff\xff\xff\xff\xff\xff\xff"));
  g_assert_null (fal_value_to_json (map, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
}

/* ---- JSON ---- */

static const struct {
  const gchar *text;
  const gchar *where; /* a part of the message; NULL: it is read */
} texts[] = {
  { " {\n} \n", NULL },
  { "{\"a\":-0.5e+3,\"b\":[],\"c\":\"\\\\ \\\" \\u00e9 \\ud83d\\ude00\"}", NULL },
  { "", "empty" },
  { "   ", "missing" },
  { "[1]", "line 1, column 1:" },
  { "12", "line 1, column 1:" },
  { "{\n\"a\": nope}", "line 2, column 6:" },
  { "{\n \"é\" 1}", "2:" },
  { "{} {}", "line 1, column 4:" },
  { "{}}", "line 1, column 3:" },
  { "{\"a\":1", "line 1, column 6:" },
  { "{\"a\":\"b", "line 1, column 6:" },
  { "{\"a\":010}", "line 1, column 6:" },
  { "{\"a\":.5}", "line 1, column 6:" },
  { "{\"a\":1.}", "line 1, column 6:" },
  { "{\"a\":1e}", "line 1, column 6:" },
  { "{\"a\":1e999}", "line 1, column 6:" },
  { "{\"a\":9223372036854775808}", "line 1, column 6:" },
  { "{\"a\":\"\\ud800\"}", "line 1, column 6:" },
  { "{\"a\":\"\\ud800\\u0041\"}", "line 1, column 6:" },
  { "{\"a\":\"\\udc00\"}", "line 1, column 6:" },
  { "{\"a\":\"\\u0000\"}", "line 1, column 6:" },
  { "{\"a\":\"\\x\"}", "line 1, column 6:" },
  { "{\"a\":1,}", "1:" },
  { "{\"a\":[1 2]}", "1:" },
  { "{'a':1}", "line 1, column 2:" },
  { "/*\"*/{}", "line 1, column 1:" },
  { "{\"a\":\"\xff\"}", "UTF-8" },
};

static void
test_text_that_is_not_json_is_refused (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (GstStructure) map = fal_value_from_json (texts[i].text, -1, &error);

    g_assert_true ((map != NULL) == (texts[i].where == NULL));
    if (map != NULL)
      continue;
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
    g_assert_nonnull (strstr (error->message, texts[i].where));
  }
}

static const struct {
  const gchar *head, *item, *tail;
  guint count;
  const gchar *fault; /* NULL: it is read */
} long_texts[] = {
  { "{\"a\":", "[", "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}", 31, NULL },
  { "{\"a\":", "[", "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]}", 32, "too deeply" },
  { "{\"a\":", "[", "", 100000, "too deeply" },
  { "", "{\"a\":", "", 100000, "too deeply" },
  { "{\"a\":\"", "[", "\"}", 100000, NULL },
  { "{\"a\":[0", ",0", "]}", 65000, NULL },
  { "{\"a\":[0", ",0", "]}", 65536, "too many values" },
  { "{\"a\":\"", "0123456789abcdef", "\"}", 1024 * 1024, "16 MiB" },
};

static void
test_long_json_meets_its_limits (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (long_texts); i++) {
    g_autoptr (GString) text = g_string_new (long_texts[i].head);
    g_autoptr (GError) error = NULL;
    g_autoptr (GstStructure) map = NULL;

    for (guint n = 0; n < long_texts[i].count; n++)
      g_string_append (text, long_texts[i].item);
    g_string_append (text, long_texts[i].tail);
    map = fal_value_from_json (text->str, text->len, &error);
    g_assert_true ((map != NULL) == (long_texts[i].fault == NULL));
    if (map == NULL)
      g_assert_nonnull (strstr (error->message, long_texts[i].fault));
  }
}

static void
test_json_ends_at_its_length (void)
{
  g_autoptr (GstStructure) map = fal_value_from_json ("{\"a\":1}xyz", 7, NULL);

  assert_json (map, "{\"a\":1}");
}

/* ---- Paths ---- */

static void
test_a_path_leads_into_maps (void)
{
  g_autoptr (GstStructure) map = from_good_json ("{\"a\":{\"b\":{\"c\":7}},\"d\":1}");

  g_assert_cmpint (g_value_get_int64 (fal_value_get_path (map, "a.b.c")), ==, 7);
  g_assert_cmpint (g_value_get_int64 (fal_value_get_path (map, "d")), ==, 1);
  g_assert_null (fal_value_get_path (map, "a.x"));
  g_assert_null (fal_value_get_path (map, "d.x"));
  g_assert_null (fal_value_get_path (map, ""));
}

static const struct {
  const gchar *before, *path, *after;
} put_rows[] = {
  { "{\"x\":1}", "a", "{\"x\":1,\"a\":7}" },
  { "{\"a\":1,\"x\":1}", "a", "{\"a\":7,\"x\":1}" },
  { "{}", "a.b.c", "{\"a\":{\"b\":{\"c\":7}}}" },
  { "{\"a\":{\"x\":1}}", "a.b", "{\"a\":{\"x\":1,\"b\":7}}" },
  { "{\"a\":1}", "a.b", "{\"a\":{\"b\":7}}" },
};

static void
test_a_path_makes_maps_on_its_way (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (put_rows); i++) {
    g_autoptr (GstStructure) map = from_good_json (put_rows[i].before);
    GValue value = G_VALUE_INIT;

    g_value_init (&value, G_TYPE_INT64);
    g_value_set_int64 (&value, 7);
    fal_value_take_path (map, put_rows[i].path, &value);
    g_assert_false (G_IS_VALUE (&value));
    assert_json (map, put_rows[i].after);
  }
}

static void
test_merging_replaces_all_but_maps (void)
{
  g_autoptr (GstStructure) into =
      from_good_json ("{\"a\":{\"x\":1,\"y\":{\"z\":1}},\"b\":[1,2],\"c\":3}");
  g_autoptr (GstStructure) from =
      from_good_json ("{\"a\":{\"y\":{\"w\":2},\"x\":5},\"b\":[9],\"c\":{\"d\":1},\"e\":null}");

  fal_value_merge (into, from);
  assert_json (
      into, "{\"a\":{\"x\":5,\"y\":{\"z\":1,\"w\":2}},\"b\":[9],\"c\":{\"d\":1},\"e\":null}");
}

/* ---- Memory ---- */

static gulong
get_resident_pages (void)
{
  g_autofree gchar *text = NULL;
  gulong total = 0, resident = 0;

  g_file_get_contents ("/proc/self/statm", &text, NULL, NULL);
  g_assert_cmpint (sscanf (text, "%lu %lu", &total, &resident), ==, 2);
  return resident;
}

static void
read_everything_once (GBytes *reply)
{
  g_autoptr (GstStructure) map = fal_value_from_msgpack (reply, NULL);
  g_autoptr (GBytes) written = fal_value_to_msgpack (map, NULL);
  g_autofree gchar *json = fal_value_to_json (map, NULL);
  g_autoptr (GstStructure) read = fal_value_from_json (json, -1, NULL);

  g_assert_nonnull (read);
  for (guint i = 0; i < G_N_ELEMENTS (hostile); i++)
    g_assert_null (from_wire (hostile[i].wire, hostile[i].size, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++) {
    g_autoptr (GstStructure) text = fal_value_from_json (texts[i].text, -1, NULL);
  }
}

static void
test_memory_does_not_grow (void)
{
  g_autoptr (GBytes) reply = wire_read ("rep_bytes_bytes_1.bin");
  gulong before;

#ifdef __SANITIZE_ADDRESS__
  g_test_skip ("the sanitizer keeps what was freed");
  return;
#endif
  for (guint i = 0; i < 200; i++)
    read_everything_once (reply);
  before = get_resident_pages ();
  for (guint i = 0; i < 2000; i++)
    read_everything_once (reply);
  g_assert_cmpuint (get_resident_pages (), <, before + 256);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add_func ("/value/" name, function)
  ADD ("both-forms-say-the-same", test_both_forms_say_the_same);
  ADD ("unlike-items-keep-their-kinds", test_unlike_items_keep_their_kinds);
  ADD ("captured-messages-come-back-byte-for-byte", test_captured_messages_come_back_byte_for_byte);
  ADD ("bytes-are-slices-of-the-message", test_bytes_are_slices_of_the_message);
  ADD ("a-str-that-is-no-text-becomes-bytes", test_a_str_that_is_no_text_becomes_bytes);
  ADD ("empty-text-is-not-nil", test_empty_text_is_not_nil);
  ADD ("large-and-small-numbers-are-kept", test_large_and_small_numbers_are_kept);
  ADD ("extensions-and-odd-keys-are-left-out", test_extensions_and_odd_keys_are_left_out);
  ADD ("the-last-of-equal-keys-wins", test_the_last_of_equal_keys_wins);
  ADD ("hostile-msgpack-is-refused", test_hostile_msgpack_is_refused);
  ADD ("large-msgpack-meets-its-limits", test_large_msgpack_meets_its_limits);
  ADD ("nesting-is-read-and-written-up-to-its-limit",
      test_nesting_is_read_and_written_up_to_its_limit);
  ADD ("a-reply-cut-anywhere-is-refused", test_a_reply_cut_anywhere_is_refused);
  ADD ("a-reply-with-any-byte-changed-does-no-harm",
      test_a_reply_with_any_byte_changed_does_no_harm);
  ADD ("new-names-come-to-an-end", test_new_names_come_to_an_end);
  ADD ("long-names-are-left-out", test_long_names_are_left_out);
  ADD ("types-of-a-user-are-written", test_types_of_a_user_are_written);
  ADD ("a-type-that-cannot-be-sent-is-named", test_a_type_that_cannot_be_sent_is_named);
  ADD ("json-has-no-infinity", test_json_has_no_infinity);
  ADD ("json-has-no-integer-past-int64", test_json_has_no_integer_past_int64);
  ADD ("text-that-is-not-json-is-refused", test_text_that_is_not_json_is_refused);
  ADD ("long-json-meets-its-limits", test_long_json_meets_its_limits);
  ADD ("json-ends-at-its-length", test_json_ends_at_its_length);
  ADD ("a-path-leads-into-maps", test_a_path_leads_into_maps);
  ADD ("a-path-makes-maps-on-its-way", test_a_path_makes_maps_on_its_way);
  ADD ("merging-replaces-all-but-maps", test_merging_replaces_all_but_maps);
  ADD ("memory-does-not-grow", test_memory_does_not_grow);
#undef ADD
  return g_test_run ();
}
