/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a peer may write: names of fields without end, and text that would move a terminal's cursor
 * or forge a line of a log. The first takes nothing from anybody; of the second nothing is shown as
 * it came, but that the fields of a result are data. */
#include "fal/wire/visible-text.h"
#include "fixture.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- names ---- */

#define FRAMES 200
#define NAMES_PER_FRAME 8

static GBytes *
read_picture (void)
{
  g_autofree gchar *path = g_build_filename (g_getenv ("FAL_TEST_DATA"), "astronaut.jpg", NULL);
  g_autoptr (GError) error = NULL;
  gchar *data;
  gsize size;

  g_file_get_contents (path, &data, &size, &error);
  g_assert_no_error (error);
  return g_bytes_new_take (data, size);
}

/* Written by hand, as the names would be known from then on if GStreamer had written them. */
static GBytes *
make_json (GBytes *picture, guint n)
{
  g_autofree gchar *base64 =
      g_base64_encode (g_bytes_get_data (picture, NULL), g_bytes_get_size (picture));
  GString *text = g_string_new (NULL);

  g_string_printf (text, "{\"image\":\"data:image/jpeg;base64,%s\",\"tracks\":{\"n\":0", base64);
  for (guint i = 0; i < NAMES_PER_FRAME; i++)
    g_string_append_printf (text, ",\"json-%u-%u\":%u", n, i, i);
  return g_string_free_to_bytes (g_string_append (text, "}}"));
}

static void
append_msgpack_text (GByteArray *array, const gchar *text)
{
  guint8 head = 0xa0 | strlen (text);

  g_byte_array_append (array, &head, 1);
  g_byte_array_append (array, (const guint8 *) text, strlen (text));
}

static GBytes *
make_msgpack (GBytes *picture, guint n)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (picture, &size);
  guint8 two = 0x82, inner = 0x80 | NAMES_PER_FRAME, bin32 = 0xc6;
  guint32 length = GUINT32_TO_BE (size);
  GByteArray *array = g_byte_array_new ();

  g_byte_array_append (array, &two, 1);
  append_msgpack_text (array, "image");
  g_byte_array_append (array, &bin32, 1);
  g_byte_array_append (array, (const guint8 *) &length, sizeof length);
  g_byte_array_append (array, data, size);
  append_msgpack_text (array, "tracks");
  g_byte_array_append (array, &inner, 1);
  for (guint8 i = 0; i < NAMES_PER_FRAME; i++) {
    g_autofree gchar *name = g_strdup_printf ("msgpack-%u-%u", n, i);

    append_msgpack_text (array, name);
    g_byte_array_append (array, &i, 1);
  }
  return g_byte_array_free_to_bytes (array);
}

/* The parameters come from the user, and reach the app, whatever a peer has said. */
static void
expect_users_names (guint n)
{
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);
  g_autofree gchar *name = g_strdup_printf ("a-name-of-the-user-%u", n);
  g_autofree gchar *json = g_strdup_printf ("{\"%s\":17}", name);
  g_autoptr (GstStructure) request = NULL;
  gint64 value;

  g_object_set (f->element, "parameters-json", json, NULL);
  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  request = fal_server_pop_request (f->server, WATCHDOG_SECONDS * 1000);
  g_assert_nonnull (request);
  g_assert_true (gst_structure_get_int64 (request, name, &value));
  g_assert_cmpint (value, ==, 17);
}

static void
run_tracker (GBytes *(*make) (GBytes *picture, guint n), gboolean text)
{
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);
  g_autoptr (GBytes) picture = read_picture ();
  guint64 sent = FRAMES * NAMES_PER_FRAME, dropped;

  fixture_set_size (f, 32, 32);
  for (guint n = 0; n < FRAMES; n++) {
    g_autoptr (GBytes) answer = make (picture, n);

    fal_server_set_answer (f->server, answer, text);
    fixture_push_and_pull (f, n);
  }
  fixture_expect_no_message (f);
  dropped = fixture_stat (f, "fields-dropped");
  g_assert_cmpuint (dropped, >, 0);
  g_assert_cmpuint (sent - dropped, >, 1000); /* those that came first are told */
  g_signal_emit_by_name (f->element, "reset-stats");
  g_assert_cmpuint (fixture_stat (f, "fields-dropped"), ==, 0);
}

/* In a process of its own: GLib leaves outgrown tables of quarks behind, which a leak checker would
 * tell of. */
static void
test_names_without_end (void)
{
  if (!g_test_subprocess ()) {
    g_test_trap_subprocess (NULL, 0, 0);
    g_test_trap_assert_passed ();
    return;
  }
  run_tracker (make_json, TRUE);
  run_tracker (make_msgpack, FALSE); /* of another element, which has as many */
  expect_users_names (1);
  gst_deinit ();
  _exit (EXIT_SUCCESS);
}

/* ---- text ---- */

#define EVIL                                                                                       \
  "\\u001b[2J\\u001b]0;x\\u0007\\nERROR: from element /evil: forged\\r\\u009b31m\\u202e\\u2028"    \
  "\\u200b\\ufeff\\u007f"

static GMutex lock;
static GString *raw; /* texts that are not visible, as they would be */
static guint kept;

/* One line of a log, or one text of a message. */
static void
look_at (const gchar *where, const gchar *text)
{
  g_mutex_lock (&lock);
  kept++;
  if (text != NULL && raw != NULL && !fal_text_is_visible (text)) {
    g_autofree gchar *visible = fal_text_make_visible (text);

    g_string_append_printf (raw, "%s: %s\n", where, visible);
  }
  g_mutex_unlock (&lock);
}

static void
look_at_log (GstDebugCategory *category, GstDebugLevel level, const gchar *file,
    const gchar *function, gint line, GObject *object, GstDebugMessage *message, gpointer data)
{
  look_at (gst_debug_category_get_name (category), gst_debug_message_get (message));
}

static gboolean
look_at_field (GQuark name, const GValue *value, gpointer data)
{
  if (G_VALUE_HOLDS_STRING (value))
    look_at (g_quark_to_string (name), g_value_get_string (value));
  return TRUE;
}

static void
look_at_trouble (GstMessage *message)
{
  g_autoptr (GError) error = NULL;
  g_autofree gchar *debug = NULL;
  const GstStructure *details = NULL;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR) {
    gst_message_parse_error (message, &error, &debug);
    gst_message_parse_error_details (message, &details);
  } else {
    gst_message_parse_warning (message, &error, &debug);
    gst_message_parse_warning_details (message, &details);
  }
  look_at ("text", error->message);
  if (details != NULL)
    gst_structure_foreach (details, look_at_field, NULL);
}

/* As gst-launch-1.0 -m prints it. */
static void
look_at_message (GstMessage *message)
{
  const GstStructure *structure = gst_message_get_structure (message);
  g_autofree gchar *text = structure ? gst_structure_to_string (structure) : NULL;

  look_at (GST_MESSAGE_TYPE_NAME (message), text);
  if (GST_MESSAGE_TYPE (message) & (GST_MESSAGE_ERROR | GST_MESSAGE_WARNING))
    look_at_trouble (message);
}

/* The lines of a dot file are GStreamer's. */
static void
look_at_dot (Fixture *f)
{
  g_autofree gchar *dot =
      gst_debug_bin_to_dot_data (GST_BIN (f->harness->element), GST_DEBUG_GRAPH_SHOW_VERBOSE);

  look_at ("dot", g_strdelimit (dot, "\n\t", ' '));
}

typedef struct {
  const gchar *name, *answer;
  gboolean is_result;
} TextCase;

static const TextCase text_cases[] = {
  { "x-fal-error",
      "{\"type\":\"x-fal-error\",\"error\":\"INTERNAL_ERROR\",\"reason\":\"" EVIL "\"}" },
  { "name-of-an-error", "{\"type\":\"x-fal-error\",\"error\":\"" EVIL "\",\"reason\":\"x\"}" },
  { "status", "{\"status\":\"error\",\"error\":\"" EVIL "\"}" },
  { "type", "{\"type\":\"error\",\"error\":\"" EVIL "\"}" },
  { "detail", "{\"detail\":[{\"msg\":\"" EVIL "\",\"" EVIL "\":1}]}" },
  { "request-id", "{\"error\":\"x\",\"request_id\":\"" EVIL "\"}" },
  { "link", "{\"images\":[{\"url\":\"https://" EVIL "/\"}]}", FALSE },
  { "link-to-a-host", "{\"images\":[{\"url\":\"https://h%1b%0aERROR%e2%80%ae.example/\"}]}",
      FALSE },
  { "values-of-a-result", "{\"prompt\":\"" EVIL "\",\"list\":[\"" EVIL "\"],\"image\":", TRUE },
  { "names-of-a-result", "{\"" EVIL "\":1,\"inner\":{\"" EVIL "\":2},\"image\":", TRUE },
};

static GBytes *
make_answer (const TextCase *c)
{
  g_autoptr (GBytes) picture = read_picture ();
  g_autofree gchar *base64 =
      g_base64_encode (g_bytes_get_data (picture, NULL), g_bytes_get_size (picture));
  GString *text = g_string_new (c->answer);

  if (c->is_result)
    g_string_append_printf (text, "\"data:image/jpeg;base64,%s\"}", base64);
  return g_string_free_to_bytes (text);
}

/* Ends with a result, or a WARNING or ERROR. */
static void
look_until_outcome (Fixture *f)
{
  gint64 watchdog = g_get_monotonic_time () + WATCHDOG_SECONDS * G_USEC_PER_SEC;
  gboolean told = FALSE;

  while (!told && fixture_stat (f, "frames-out") == 0) {
    g_autoptr (GstMessage) message = gst_bus_timed_pop (f->bus, 10 * GST_MSECOND);

    g_assert_cmpint (g_get_monotonic_time (), <, watchdog);
    told = message && GST_MESSAGE_TYPE (message) & (GST_MESSAGE_ERROR | GST_MESSAGE_WARNING);
    if (message)
      look_at_message (message);
  }
  for (GstMessage *message; (message = gst_bus_pop (f->bus)) != NULL; gst_message_unref (message))
    look_at_message (message);
}

static void
run_text_case (const TextCase *c)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "retries=0");
  g_autoptr (GBytes) answer = make_answer (c);

  fal_server_set_answer (f->server, answer, TRUE);
  fixture_set_size (f, 32, 32);
  fixture_push_colour (f, 0x204060, 0);
  look_until_outcome (f);
  look_at_dot (f);
  g_assert_true (c->is_result == (fixture_stat (f, "frames-out") > 0));
}

static void
test_text (gconstpointer data)
{
  raw = g_string_new (NULL);
  kept = 0;
  gst_debug_set_threshold_from_string (
      "falrealtimefilter:9,GST_PADS:5,GST_MESSAGE:9,GST_BUS:9", TRUE);
  gst_debug_remove_log_function (gst_debug_log_default);
  gst_debug_add_log_function (look_at_log, NULL, NULL);
  run_text_case (data);
  gst_debug_remove_log_function (look_at_log);
  gst_debug_set_threshold_from_string ("", TRUE);
  g_assert_cmpuint (kept, >, 10);
  g_assert_cmpstr (raw->str, ==, "");
  g_string_free (g_steal_pointer (&raw), TRUE);
}

/* ---- data ---- */

static void
keep_prompt (GstElement *element, const GstStructure *result, gchar **prompt)
{
  *prompt = g_strdup (gst_structure_get_string (result, "prompt"));
}

static void
test_fields_of_a_result_stay_as_they_came (void)
{
  static const TextCase c = { "", "{\"prompt\":\"" EVIL "\",\"image\":", TRUE };
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);
  g_autoptr (GBytes) answer = make_answer (&c);
  g_autofree gchar *prompt = NULL;

  g_signal_connect (f->element, "result", G_CALLBACK (keep_prompt), &prompt);
  fal_server_set_answer (f->server, answer, TRUE);
  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  g_assert_cmpstr (prompt, ==,
      "\x1b[2J\x1b]0;x\x07\nERROR: from element /evil: forged\r\xc2\x9b"
      "31m\xe2\x80\xae\xe2\x80\xa8\xe2\x80\x8b\xef\xbb\xbf\x7f");
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  g_test_add_func ("/text-of-peers/names-without-end", test_names_without_end);
  for (guint i = 0; i < G_N_ELEMENTS (text_cases); i++) {
    g_autofree gchar *path = g_strdup_printf ("/text-of-peers/visible/%s", text_cases[i].name);

    g_test_add_data_func (path, &text_cases[i], test_text);
  }
  g_test_add_func ("/text-of-peers/fields-of-a-result-stay-as-they-came",
      test_fields_of_a_result_stay_as_they_came);
  return fixture_run ();
}
