/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* msgpack: what is read of it, what is refused, and its limits. */
#include "test-values.h"

#include <gio/gio.h>
#include <math.h>
#include <string.h>

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
    map = fal_value_from_msgpack (message, NULL, NULL);
    g_assert_nonnull (map);
    again = fal_value_to_msgpack (map, NULL);
    g_assert_cmpmem (g_bytes_get_data (again, NULL), g_bytes_get_size (again),
        g_bytes_get_data (message, NULL), g_bytes_get_size (message));
    count++;
  }
  g_assert_cmpuint (count, ==, 25);
}

static void
test_bytes_are_slices_of_the_message (void)
{
  g_autoptr (GBytes) message = g_bytes_new_static (WIRE ("\x82\xa1k\xc4\x03xyz\xa1m\xc4\x00"));
  g_autoptr (GstStructure) map = fal_value_from_msgpack (message, NULL, NULL);
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
    g_autoptr (GstStructure) map = fal_value_from_msgpack (message, NULL, &error);

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
  return fal_value_from_msgpack (message, NULL, error);
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

    g_assert_null (fal_value_from_msgpack (message, NULL, &error));
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
      map = fal_value_from_msgpack (message, NULL, NULL);
      data[i] ^= bit == 0 ? 0xff : 1 << (bit - 1);
    }
  }
}

static void
read_everything_once (GBytes *reply)
{
  g_autoptr (GstStructure) map = fal_value_from_msgpack (reply, NULL, NULL);
  g_autoptr (GBytes) written = fal_value_to_msgpack (map, NULL);

  g_assert_nonnull (written);
  for (guint i = 0; i < G_N_ELEMENTS (hostile); i++)
    g_assert_null (from_wire (hostile[i].wire, hostile[i].size, NULL));
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
#define ADD(name, test) g_test_add_func ("/value-msgpack/" name, test)
  ADD ("captured-messages-come-back-byte-for-byte", test_captured_messages_come_back_byte_for_byte);
  ADD ("bytes-are-slices-of-the-message", test_bytes_are_slices_of_the_message);
  ADD ("a-str-that-is-no-text-becomes-bytes", test_a_str_that_is_no_text_becomes_bytes);
  ADD ("empty-text-is-not-nil", test_empty_text_is_not_nil);
  ADD ("large-and-small-numbers-are-kept", test_large_and_small_numbers_are_kept);
  ADD ("extensions-and-odd-keys-are-left-out", test_extensions_and_odd_keys_are_left_out);
  ADD ("hostile-msgpack-is-refused", test_hostile_msgpack_is_refused);
  ADD ("large-msgpack-meets-its-limits", test_large_msgpack_meets_its_limits);
  ADD ("nesting-is-read-and-written-up-to-its-limit",
      test_nesting_is_read_and_written_up_to_its_limit);
  ADD ("a-reply-cut-anywhere-is-refused", test_a_reply_cut_anywhere_is_refused);
  ADD ("a-reply-with-any-byte-changed-does-no-harm",
      test_a_reply_with_any_byte_changed_does_no_harm);
  ADD ("memory-does-not-grow", test_memory_does_not_grow);
  return g_test_run ();
}
