/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the text of a cue says: texts, and the inputs that come of them as JSON. */
#include "fal/wire/cue.h"
#include "fal/wire/value-json.h"

#include <gio/gio.h>
#include <string.h>

static GstStructure *
parse (const gchar *text, gsize size, gboolean markup, GError **error)
{
  g_autoptr (FalNames) names = fal_names_new (FAL_NAMES_BUDGET);

  return fal_cue_parse (text, size, markup, names, error);
}

static void
assert_inputs (const gchar *text, gsize size, gboolean markup, const gchar *wanted)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstStructure) inputs = parse (text, size, markup, &error);
  g_autofree gchar *json = NULL;

  g_assert_no_error (error);
  json = fal_value_to_json (inputs, NULL);
  g_assert_cmpstr (json, ==, wanted);
}

static void
assert_refused (const gchar *text, gsize size, gboolean markup, const gchar *reason)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (parse (text, size, markup, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  if (strstr (error->message, reason) == NULL)
    g_error ("\"%s\" does not say \"%s\"", error->message, reason);
}

static const struct {
  const gchar *text;
  gboolean markup;
  const gchar *inputs;
} good[] = {
  { "a red fox", FALSE, "{\"prompt\":\"a red fox\"}" },
  { "  two\nlines \n", FALSE, "{\"prompt\":\"two\\nlines\"}" },
  { "Füchse, 狐 & 🦊 <b>", FALSE, "{\"prompt\":\"Füchse, 狐 & 🦊 <b>\"}" },
  { "", FALSE, "{}" },
  { " \n\t", FALSE, "{}" },
  /* Markup */
  { "a <i>red</i> <span foreground=\"red\">fo<b>x</b></span>", TRUE, "{\"prompt\":\"a red fox\"}" },
  { "salt &amp; pepper &lt;3 &#x1f98a; &quot;", TRUE,
      "{\"prompt\":\"salt & pepper <3 🦊 \\\"\"}" },
  { "<![CDATA[a <fox>]]><!-- not this -->", TRUE, "{\"prompt\":\"a <fox>\"}" },
  { "<i></i>", TRUE, "{}" },
  /* JSON */
  { "{\"prompt\": \"a fox\", \"strength\": 0.5, \"loras\": [{\"path\": \"x\"}]}", FALSE,
      "{\"prompt\":\"a fox\",\"strength\":0.5,\"loras\":[{\"path\":\"x\"}]}" },
  { "\n {\"seed\": null}\n", FALSE, "{\"seed\":null}" },
  { "{&quot;seed&quot;: 7}", TRUE, "{\"seed\":7}" },
  { "{}", FALSE, "{}" },
  /* No JSON, though it begins like some */
  { "[music] a fox", FALSE, "{\"prompt\":\"[music] a fox\"}" },
  { "\"a fox\"", FALSE, "{\"prompt\":\"\\\"a fox\\\"\"}" },
  { "1984", FALSE, "{\"prompt\":\"1984\"}" },
};

static void
test_a_text_is_the_prompt_and_an_object_any_inputs (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    assert_inputs (good[i].text, strlen (good[i].text), good[i].markup, good[i].inputs);
}

static const struct {
  const gchar *text;
  gboolean markup;
  const gchar *reason;
} bad[] = {
  { "a \xff fox", FALSE, "is not UTF-8 text" },
  { "a fox cut o\xc3", TRUE, "is not UTF-8 text" },
  { "<i>a fox", TRUE, "is not Pango's markup" },
  { "salt & pepper", TRUE, "is not Pango's markup" },
  { "a fox <!-- to the end", TRUE, "is not Pango's markup" },
  { "a &nbsp; fox", TRUE, "is not Pango's markup" },
  { "</cue>a fox<cue>", TRUE, "is not Pango's markup" },
  { "<i>a</\x1b>", TRUE, "\\x1b" },
  { "[1, 2]", FALSE, "but not an object" },
  { " [\"a fox\"] ", FALSE, "but not an object" },
  { "{a fox}", FALSE, "begins like a JSON object" },
  { "{\"prompt\": \"a fox\"", FALSE, "begins like a JSON object" },
  { "{\"seed\": 1} {\"seed\": 2}", FALSE, "begins like a JSON object" },
};

static void
test_what_is_neither_is_refused (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    assert_refused (bad[i].text, strlen (bad[i].text), bad[i].markup, bad[i].reason);
}

static void
test_nuls_may_stand_at_the_end_alone (void)
{
  assert_inputs ("a fox\0\0", 7, FALSE, "{\"prompt\":\"a fox\"}");
  assert_inputs ("\0", 1, TRUE, "{}");
  assert_inputs (NULL, 0, FALSE, "{}");
  assert_refused ("a\0fox", 5, FALSE, "is not UTF-8 text");
}

static void
test_sizes_are_bounded (void)
{
  g_autofree gchar *text = g_strnfill (FAL_CUE_MAX_BYTES + 1, 'x');
  g_autofree gchar *wanted = NULL;
  g_autofree gchar *deep = g_strnfill (FAL_CUE_MAX_BYTES, '[');

  assert_refused (text, FAL_CUE_MAX_BYTES + 1, FALSE, "is longer than 64 KiB");
  text[FAL_CUE_MAX_BYTES] = '\0';
  wanted = g_strdup_printf ("{\"prompt\":\"%s\"}", text);
  assert_inputs (text, FAL_CUE_MAX_BYTES + 1, FALSE, wanted);
  deep[0] = '{';
  assert_refused (deep, FAL_CUE_MAX_BYTES, FALSE, "begins like a JSON object");
}

/* GStreamer keeps the name of a field for ever. */
static void
test_names_of_inputs_are_bounded (void)
{
  g_autoptr (FalNames) names = fal_names_new (1);
  g_autoptr (GstStructure) first = fal_cue_parse ("{\"cue_test_a\": 1}", 17, FALSE, names, NULL);
  g_autoptr (GstStructure) again =
      fal_cue_parse ("{\"cue_test_a\": 2, \"prompt\": 3}", 30, FALSE, names, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (first);
  g_assert_nonnull (again);
  g_assert_null (fal_cue_parse ("{\"cue_test_b\": 1}", 17, FALSE, names, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  g_clear_pointer (&first, gst_structure_free);
  first = fal_cue_parse ("{\"cue_test_a\": 3}", 17, FALSE, names, NULL);
  g_assert_nonnull (first);
}

int
main (int argc, char **argv)
{
  gst_init (&argc, &argv);
  g_test_init (&argc, &argv, NULL);
#define ADD(name) g_test_add_func ("/cue/" #name, test_##name)
  ADD (a_text_is_the_prompt_and_an_object_any_inputs);
  ADD (what_is_neither_is_refused);
  ADD (nuls_may_stand_at_the_end_alone);
  ADD (sizes_are_bounded);
  ADD (names_of_inputs_are_bounded);
  return g_test_run ();
}
