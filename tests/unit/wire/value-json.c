/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON: what is read of it, what is refused and where, and its limits. */
#include "test-values.h"

#include <gio/gio.h>
#include <math.h>
#include <string.h>

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

static const struct {
  const gchar *text;
  const gchar *where; /* a part of the message; NULL: it is read */
} texts[] = {
  { " {\n} \n", NULL },
  { "{\"a\":-0.5e+3,\"b\":[],\"c\":\"\\\\ \\\" \\u00e9 \\ud83d\\ude00\"}", NULL },
  { "{\"a\":0,\"b\":-0,\"c\":2E3,\"d\":2E-3,\"e\":2e3,\"f\":\"\\uffee\"}", NULL },
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
  { "{\"a\":\"\\ud800\\uffff\"}", "line 1, column 6:" },
  { "{\"a\":\"\\ud800abcdef\"}", "line 1, column 6:" },
  { "{\"a\":\"\\ud800\\nabcd\"}", "line 1, column 6:" },
  { "{\"a\":\"\\u00g1\"}", "line 1, column 6:" },
  { "{\"a\":\"\\", "line 1, column 6:" },
  { "{\"a\":-}", "line 1, column 6:" },
  { "{\"a\":1e", "line 1, column 6:" },
  { "{\"a\":1e-", "line 1, column 6:" },
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

/* How deep a field with a name that is too long may stand. */
static void
test_a_long_name_of_a_user_is_told (void)
{
  static const gchar *const shapes[] = { "{\"%s\":1}", "{\"a\":{\"%s\":1}}",
    "{\"a\":[1,{\"%s\":1}]}", "{\"a\":[[{\"b\":{\"%s\":1}}]]}" };
  g_autofree gchar *name = g_strnfill (FAL_NAMES_MAX_BYTES + 1, 'n');

  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++) {
    g_auto (GStrv) around = g_strsplit (shapes[i], "%s", 2);
    g_autofree gchar *refused = g_strconcat (around[0], name, around[1], NULL);
    g_autofree gchar *taken = g_strconcat (around[0], name + 1, around[1], NULL);
    g_autoptr (GstStructure) map = fal_value_from_json (taken, -1, NULL);
    g_autoptr (GError) error = NULL;

    assert_json (map, taken);
    g_assert_null (fal_value_from_json (refused, -1, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
    g_assert_nonnull (strstr (error->message, "a field name of 257 bytes"));
  }
}

/* Each of them is written out, and comes back as it was. */
static void
test_control_characters_are_escaped (void)
{
  for (gchar character = 1; character < ' '; character++) {
    const gchar text[] = { 'a', character, 'b', '\0' };
    g_autoptr (GstStructure) map = gst_structure_new ("map", "a", G_TYPE_STRING, text, NULL);
    g_autofree gchar *json = fal_value_to_json (map, NULL);
    g_autoptr (GstStructure) again = from_good_json (json);

    g_assert_null (strchr (json, character));
    g_assert_cmpstr (gst_structure_get_string (again, "a"), ==, text);
  }
}

static void
test_json_ends_at_its_length (void)
{
  g_autoptr (GstStructure) map = fal_value_from_json ("{\"a\":1}xyz", 7, NULL);

  assert_json (map, "{\"a\":1}");
}

/* A number of one digit and an exponent; and what looks like one in a text. */
static void
test_numbers_with_an_exponent_are_numbers_again (void)
{
  static const struct {
    const gchar *read, *written;
  } rows[] = {
    { "{\"a\":1e22}", "{\"a\":1e+22}" },
    { "{\"a\":[-1e308,0e9,2.5e40,3e0]}", "{\"a\":[-1e+308,0.0,2.5e+40,3.0]}" },
    { "{\"1e+1.0\":\"\\\"1e+2.0\\\\\",\"b\":true,\"c\":1e23,\"d\":3.0}",
        "{\"1e+1.0\":\"\\\"1e+2.0\\\\\",\"b\":true,\"c\":9.9999999999999992e+22,\"d\":3.0}" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GstStructure) map = fal_value_from_json (rows[i].read, -1, NULL);
    g_autoptr (GstStructure) again = fal_value_from_json (rows[i].written, -1, NULL);

    assert_json (map, rows[i].written);
    assert_json (again, rows[i].written);
  }
}

static void
read_everything_once (GBytes *reply)
{
  g_autoptr (GstStructure) map = fal_value_from_msgpack (reply, NULL, NULL);
  g_autofree gchar *json = fal_value_to_json (map, NULL);
  g_autoptr (GstStructure) read = fal_value_from_json (json, -1, NULL);

  g_assert_nonnull (read);
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
#define ADD(name, test) g_test_add_func ("/value-json/" name, test)
  ADD ("json-has-no-infinity", test_json_has_no_infinity);
  ADD ("json-has-no-integer-past-int64", test_json_has_no_integer_past_int64);
  ADD ("text-that-is-not-json-is-refused", test_text_that_is_not_json_is_refused);
  ADD ("long-json-meets-its-limits", test_long_json_meets_its_limits);
  ADD ("a-long-name-of-a-user-is-told", test_a_long_name_of_a_user_is_told);
  ADD ("control-characters-are-escaped", test_control_characters_are_escaped);
  ADD ("json-ends-at-its-length", test_json_ends_at_its_length);
  ADD ("numbers-with-an-exponent-are-numbers-again",
      test_numbers_with_an_exponent_are_numbers_again);
  ADD ("memory-does-not-grow", test_memory_does_not_grow);
  return g_test_run ();
}
