/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whose names become names of fields, and that nobody's are taken from another's. */
#include "test-values.h"

#include <gio/gio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* GLib leaves outgrown tables of quarks behind, which a leak checker would tell of: so a test with
 * very many names has a process of its own. TRUE: this is that process. */
static gboolean
is_own_process (void)
{
  if (g_test_subprocess ())
    return TRUE;
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_passed ();
  return FALSE;
}

static GQuark
admit_numbered (FalNames *names, const gchar *prefix, guint n)
{
  g_autofree gchar *name = g_strdup_printf ("%s-%u", prefix, n);

  return fal_names_admit (names, name);
}

static void
test_new_ones_come_to_an_end (void)
{
  g_autoptr (FalNames) names = fal_names_new (100);

  for (guint i = 0; i < 100; i++)
    g_assert_cmpuint (admit_numbered (names, "end", i), !=, 0);
  for (guint i = 100; i < 200; i++)
    g_assert_cmpuint (admit_numbered (names, "end", i), ==, 0);
  g_assert_cmpuint (g_quark_try_string ("end-100"), ==, 0);
  for (guint i = 0; i < 100; i++) /* as often as they come */
    g_assert_cmpuint (admit_numbered (names, "end", i), !=, 0);
}

static void
test_a_peer_takes_nothing_from_others (void)
{
  g_autoptr (FalNames) greedy = fal_names_new (FAL_NAMES_BUDGET);
  g_autoptr (FalNames) other = fal_names_new (FAL_NAMES_BUDGET);

  if (!is_own_process ())
    return;
  for (guint i = 0; i < 100000; i++)
    admit_numbered (greedy, "greedy", i);
  for (guint i = 0; i < FAL_NAMES_BUDGET; i++)
    g_assert_cmpuint (admit_numbered (other, "other", i), !=, 0);
  for (guint i = 0; i < 10000; i++)
    g_assert_cmpuint (admit_numbered (NULL, "of the user", i), !=, 0);
  g_assert_cmpuint (g_quark_try_string ("greedy-1023"), !=, 0);
  g_assert_cmpuint (g_quark_try_string ("greedy-1024"), ==, 0);
  _exit (EXIT_SUCCESS);
}

static void
test_the_protocol_and_the_user_cost_nothing (void)
{
  static const gchar *const known[] = { "images", "url", "content", "request_id", "timings", "exp",
    "a-field-of-the-user", "deeper", "a-second" };
  g_autoptr (FalNames) names = fal_names_new (0);
  g_autofree gchar *long_name = g_strnfill (FAL_NAMES_MAX_BYTES + 1, 'k');

  g_assert_cmpuint (fal_names_admit (names, "nobody has said this"), ==, 0);
  fal_names_know (NULL);
  fal_names_know ("");
  fal_names_know ("a-field-of-the-user[*].deeper[17],a-second");
  fal_names_know (long_name);
  g_assert_cmpuint (g_quark_try_string (long_name), ==, 0);
  for (guint i = 0; i < G_N_ELEMENTS (known); i++)
    g_assert_cmpuint (fal_names_admit (names, known[i]), !=, 0);
}

static void
test_what_is_no_name_is_not_taken (void)
{
  static const gchar *const wrong[] = { "\x1b[2Jname", "two\nlines", "turned\xe2\x80\xae" };
  g_autoptr (FalNames) names = fal_names_new (10);
  g_autofree gchar *long_name = g_strnfill (FAL_NAMES_MAX_BYTES + 1, 'n');

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    g_assert_cmpuint (fal_names_admit (names, wrong[i]), ==, 0);
  g_assert_cmpuint (fal_names_admit (names, long_name), ==, 0);
  g_assert_cmpuint (fal_names_admit (NULL, long_name), ==, 0);
  long_name[FAL_NAMES_MAX_BYTES] = '\0';
  g_assert_cmpuint (fal_names_admit (names, long_name), !=, 0);
  for (guint i = 0; i < 9; i++) /* and those took none */
    g_assert_cmpuint (admit_numbered (names, "rest", i), !=, 0);
}

/* ---- in messages ---- */

static GstStructure *
read_json (const gchar *json, FalNames *names)
{
  g_autoptr (GError) error = NULL;
  GstStructure *map = fal_value_from_json_of_peer (json, -1, names, &error);

  g_assert_no_error (error);
  return map;
}

static GstStructure *
read_msgpack (const gchar *json, FalNames *names)
{
  g_autoptr (GstStructure) map = from_good_json (json);
  g_autoptr (GBytes) message = fal_value_to_msgpack (map, NULL);
  g_autoptr (GError) error = NULL;
  GstStructure *read = fal_value_from_msgpack (message, names, &error);

  g_assert_no_error (error);
  return read;
}

/* Writing the message as msgpack makes its names known, so that is the second. */
static void
test_fields_beyond_are_left_out_and_counted (void)
{
  const gchar *json = "{\"images\":[],\"in-1\":{\"in-2\":1,\"in-3\":2},\"in-4\":{\"in-5\":3},"
                      "\"list\":[{\"in-6\":4,\"in-1\":5}],\"seed\":6}";
  g_autoptr (FalNames) names = fal_names_new (3); /* in-1, in-2, in-3 */
  g_autoptr (GstStructure) map = NULL, all = NULL;

  g_quark_from_static_string ("list");
  map = read_json (json, names);
  assert_json (
      map, "{\"images\":[],\"in-1\":{\"in-2\":1,\"in-3\":2},\"list\":[{\"in-1\":5}],\"seed\":6}");
  g_assert_cmpuint (fal_names_take_dropped (names), ==, 2);
  g_assert_cmpuint (fal_names_take_dropped (names), ==, 0);
  /* Nothing of what was left out has become a name. */
  g_assert_cmpuint (g_quark_try_string ("in-4"), ==, 0);
  g_assert_cmpuint (g_quark_try_string ("in-5"), ==, 0);
  all = read_msgpack (json, names);
  assert_json (all, json);
  g_assert_cmpuint (fal_names_take_dropped (names), ==, 0);
}

static void
test_the_same_in_msgpack (void)
{
  const gchar wire[] = "\x85\xa6images\x90\xa4mp-1\x81\xa4mp-2\x01\xa4mp-3\x81\xa4mp-4\x02"
                       "\xa4mp-5\xd4\x01\x00" /* an extension type */
                       "\x07\x03";            /* a key that is no text */
  g_autoptr (FalNames) names = fal_names_new (2);
  g_autoptr (GBytes) message = g_bytes_new_static (WIRE (wire));
  g_autoptr (GstStructure) map = fal_value_from_msgpack (message, names, NULL);

  assert_json (map, "{\"images\":[],\"mp-1\":{\"mp-2\":1}}");
  g_assert_cmpuint (fal_names_take_dropped (names), ==, 3);
  g_assert_cmpuint (g_quark_try_string ("mp-3"), ==, 0);
  g_assert_cmpuint (g_quark_try_string ("mp-4"), ==, 0);
  g_assert_cmpuint (g_quark_try_string ("mp-5"), ==, 0);
}

/* A message that cannot be read leaves no name behind. */
static void
test_nothing_of_a_refused_message_becomes_a_name (void)
{
  g_autoptr (FalNames) names = fal_names_new (FAL_NAMES_BUDGET);
  g_autoptr (GString) json = g_string_new ("{\"refused-first\":1,\"refused-map\":{\"k-0\":0");
  g_autoptr (GError) error = NULL;

  for (guint i = 1; i <= FAL_VALUE_MAX_KEYS; i++)
    g_string_append_printf (json, ",\"k-%u\":0", i);
  g_string_append (json, "}}");
  g_assert_null (fal_value_from_json_of_peer (json->str, -1, names, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
  g_assert_nonnull (strstr (error->message, "too many fields"));
  g_assert_cmpuint (g_quark_try_string ("refused-first"), ==, 0);
  g_assert_cmpuint (g_quark_try_string ("k-0"), ==, 0);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
#define ADD(name, test) g_test_add_func ("/names/" name, test)
  ADD ("new-ones-come-to-an-end", test_new_ones_come_to_an_end);
  ADD ("a-peer-takes-nothing-from-others", test_a_peer_takes_nothing_from_others);
  ADD ("the-protocol-and-the-user-cost-nothing", test_the_protocol_and_the_user_cost_nothing);
  ADD ("what-is-no-name-is-not-taken", test_what_is_no_name_is_not_taken);
  ADD ("fields-beyond-are-left-out-and-counted", test_fields_beyond_are_left_out_and_counted);
  ADD ("the-same-in-msgpack", test_the_same_in_msgpack);
  ADD ("nothing-of-a-refused-message-becomes-a-name",
      test_nothing_of_a_refused_message_becomes_a_name);
  return g_test_run ();
}
