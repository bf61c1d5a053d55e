/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Values whatever their form: kinds, names, paths. */
#include "../unreadable-memory.h"
#include "test-values.h"

#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

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
  g_autoptr (GstStructure) again = fal_value_from_msgpack (message, NULL, NULL);
  const GValue *list = gst_structure_get_value (again, "a");

  assert_json (again, json);
  g_assert_cmpint (g_value_get_int64 (fal_value_get_item (list, 0)), ==, 1);
  g_assert_cmpfloat (g_value_get_double (fal_value_get_item (list, 1)), ==, 0.5);
  g_assert_cmpstr (g_value_get_string (fal_value_get_item (list, 3)), ==, "x");
  g_assert_null (fal_value_get_item (list, 6));
}

static void
test_the_last_of_equal_keys_wins (void)
{
  g_autoptr (GstStructure) map = from_wire (WIRE ("\x83\xa1k\x01\xa1m\x02\xa1k\x03"), NULL);
  g_autoptr (GstStructure) other = from_good_json ("{\"k\":1,\"m\":2,\"k\":3}");

  assert_json (map, "{\"k\":3,\"m\":2}");
  g_assert_cmpint (g_value_get_int64 (gst_structure_get_value (other, "k")), ==, 3);
}

/* ---- Names ---- */

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
  map = fal_value_from_msgpack (message, NULL, NULL);
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

/* Fields that were set to nothing. */
static void
test_what_is_nothing_is_null (void)
{
  g_autoptr (GstStructure) map = gst_structure_new ("map", "b", GST_TYPE_BUFFER, NULL, "s",
      GST_TYPE_STRUCTURE, NULL, "t", G_TYPE_STRING, NULL, NULL);

  assert_json (map, "{\"b\":null,\"s\":null,\"t\":null}");
  assert_msgpack (map, WIRE ("\x83\xa1"
                             "b\xc0\xa1s\xc0\xa1t\xc0"));
}

/* GStreamer looks at the text of a field, but not at that of an item. */
static void
test_text_that_is_not_utf8_is_named (void)
{
  g_autoptr (GstStructure) map = gst_structure_new_empty ("map");
  g_autoptr (GError) error = NULL;
  GValue list = G_VALUE_INIT, text = G_VALUE_INIT;

  g_value_init (&text, G_TYPE_STRING);
  g_value_set_static_string (&text, "\xff");
  g_value_init (&list, GST_TYPE_ARRAY);
  gst_value_array_append_and_take_value (&list, &text);
  gst_structure_take_value (map, "words", &list);
  g_assert_null (fal_value_to_json (map, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_assert_nonnull (strstr (error->message, "\"words[0]\""));
  g_assert_nonnull (strstr (error->message, "UTF-8"));
}

static void
test_memory_that_cannot_be_read_is_named (void)
{
  g_autoptr (GstBuffer) buffer = unreadable_buffer_new (4);
  g_autoptr (GstStructure) map =
      gst_structure_new ("map", "picture", GST_TYPE_BUFFER, buffer, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (fal_value_to_msgpack (map, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_assert_nonnull (strstr (error->message, "\"picture\""));
}

static void
test_a_field_beside_the_map_that_cannot_be_sent_is_named (void)
{
  g_autoptr (GstStructure) map = gst_structure_new ("map", "x", G_TYPE_INT, 1, NULL);
  g_autoptr (GError) error = NULL;
  g_auto (GValue) rate = G_VALUE_INIT;

  g_value_init (&rate, GST_TYPE_FRACTION);
  gst_value_set_fraction (&rate, 25, 1);
  g_assert_null (fal_value_to_json_with (map, &(FalValueField) { "rate", &rate }, 1, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_assert_nonnull (strstr (error->message, "\"rate\""));
}

/* A structure of a user's may bear the name of what wraps an item of another type. */
static void
test_only_what_wraps_an_item_is_taken_off (void)
{
  g_autoptr (GstStructure) map = gst_structure_new_from_string (
      "map, a=(structure)< [any, value=1, more=2;], [any, other=1;], [map, value=1;] >, "
      "l=(int){ 1, 2 }, i=7;");
  const GValue *array = gst_structure_get_value (map, "a");
  const GValue *list = gst_structure_get_value (map, "l");

  g_assert_nonnull (array);
  for (guint i = 0; i < 3; i++)
    g_assert_true (fal_value_get_item (array, i) == gst_value_array_get_value (array, i));
  g_assert_null (fal_value_get_item (array, 3));
  g_assert_cmpint (g_value_get_int (fal_value_get_item (list, 1)), ==, 2);
  g_assert_null (fal_value_get_item (list, 2));
  g_assert_null (fal_value_get_item (gst_structure_get_value (map, "i"), 0));
}

/* ---- Size ---- */

/* A message of few bytes may take much memory: what is estimated must not be far below. */
static void
test_the_size_is_that_of_memory (void)
{
  static const gchar *const items[] = { "\x80", "\x90", "\x01", "\xa0", "\xc0" };

  for (guint k = 0; k < G_N_ELEMENTS (items); k++) {
    g_autoptr (GByteArray) array = g_byte_array_new ();
    gulong before = get_resident_pages (), size, pages;
    g_autoptr (GstStructure) map = NULL;

    g_byte_array_append (array, (const guint8 *) WIRE ("\x81\xa1l\xdc\xfd\xe8")); /* 65000 */
    for (guint i = 0; i < 65000; i++)
      g_byte_array_append (array, (const guint8 *) items[k], 1);
    map = from_wire ((const gchar *) array->data, array->len, NULL);
    g_assert_nonnull (map);
    pages = get_resident_pages () - MIN (before, get_resident_pages ());
    size = fal_value_get_size (map);
    g_assert_cmpuint (size, >=, 65000 * 64);
    g_assert_cmpuint (pages * (gulong) sysconf (_SC_PAGESIZE), <=, 4 * size);
    g_test_message ("item %02x: %lu KB are estimated, %lu KB are more", (guchar) *items[k],
        size >> 10, pages * (gulong) sysconf (_SC_PAGESIZE) >> 10);
  }
  g_assert_cmpuint (fal_value_get_size (NULL), ==, 0);
}

static void
test_maps_within_weigh_more_than_numbers (void)
{
  g_autoptr (GstStructure) numbers = from_good_json ("{\"l\":[1,2,3,4]}");
  g_autoptr (GstStructure) arrays = from_good_json ("{\"l\":[[],[],[],[]]}");
  g_autoptr (GstStructure) maps = from_good_json ("{\"l\":[{},{},{},{\"k\":{}}]}");

  g_assert_cmpuint (fal_value_get_size (arrays), >, fal_value_get_size (numbers) + 4 * 100);
  g_assert_cmpuint (fal_value_get_size (maps), >, fal_value_get_size (arrays) + 200);
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
  g_assert_null (fal_value_get_path (map, "x.a"));
  g_assert_null (fal_value_get_path (map, ""));
  g_assert_null (fal_value_get_path (NULL, "a"));
  g_assert_null (fal_value_get_path (NULL, "a.b"));
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

/* Of no map, and of one whose field was set to nothing. */
static void
test_a_path_begins_with_nothing (void)
{
  g_autoptr (GstStructure) map =
      gst_structure_new ("map", "a", GST_TYPE_STRUCTURE, NULL, "x", G_TYPE_INT, 1, NULL);
  g_auto (GValue) wrapped = G_VALUE_INIT;
  g_autofree gchar *name = NULL;
  GValue value = G_VALUE_INIT;

  g_value_init (&value, G_TYPE_INT64);
  g_value_set_int64 (&value, 7);
  fal_value_take_path (map, "a.b", &value);
  assert_json (map, "{\"a\":{\"b\":7},\"x\":1}");

  g_value_init (&wrapped, G_TYPE_INT64);
  g_value_set_int64 (&wrapped, 7);
  name = fal_value_wrap_path (NULL, "a.b", &wrapped);
  g_assert_cmpstr (name, ==, "a");
  assert_json (gst_value_get_structure (&wrapped), "{\"b\":7}");
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

static void
test_nothing_is_merged_over_a_map (void)
{
  g_autoptr (GstStructure) into = from_good_json ("{\"a\":{\"x\":1}}");
  g_autoptr (GstStructure) from = gst_structure_new ("map", "a", GST_TYPE_STRUCTURE, NULL, NULL);

  fal_value_merge (into, from);
  assert_json (into, "{\"a\":null}");
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
#define ADD(name, test) g_test_add_func ("/value/" name, test)
  ADD ("both-forms-say-the-same", test_both_forms_say_the_same);
  ADD ("unlike-items-keep-their-kinds", test_unlike_items_keep_their_kinds);
  ADD ("the-last-of-equal-keys-wins", test_the_last_of_equal_keys_wins);
  ADD ("long-names-are-left-out", test_long_names_are_left_out);
  ADD ("types-of-a-user-are-written", test_types_of_a_user_are_written);
  ADD ("a-type-that-cannot-be-sent-is-named", test_a_type_that_cannot_be_sent_is_named);
  ADD ("what-is-nothing-is-null", test_what_is_nothing_is_null);
  ADD ("text-that-is-not-utf8-is-named", test_text_that_is_not_utf8_is_named);
  ADD ("memory-that-cannot-be-read-is-named", test_memory_that_cannot_be_read_is_named);
  ADD ("a-field-beside-the-map-that-cannot-be-sent-is-named",
      test_a_field_beside_the_map_that_cannot_be_sent_is_named);
  ADD ("only-what-wraps-an-item-is-taken-off", test_only_what_wraps_an_item_is_taken_off);
  ADD ("the-size-is-that-of-memory", test_the_size_is_that_of_memory);
  ADD ("maps-within-weigh-more-than-numbers", test_maps_within_weigh_more_than_numbers);
  ADD ("a-path-leads-into-maps", test_a_path_leads_into_maps);
  ADD ("a-path-makes-maps-on-its-way", test_a_path_makes_maps_on_its_way);
  ADD ("a-path-begins-with-nothing", test_a_path_begins_with_nothing);
  ADD ("merging-replaces-all-but-maps", test_merging_replaces_all_but_maps);
  ADD ("nothing-is-merged-over-a-map", test_nothing_is_merged_over_a_map);
  return g_test_run ();
}
