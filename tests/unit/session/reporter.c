/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the owner is told, and that no secret is in it. */
#include "fal/session/reporter.h"

#define TOKEN "token-of-now"
#define API_KEY "id-1234:s3cr3t-api"
#define FILE_KEY "id-5678:s3cr3t-file"
#define LAST_TOKEN "token-before"

typedef struct {
  FalReporter *reporter;
  FalSessionOwner owner;
  /* What it was told last, and how often. */
  guint n_troubles;
  gboolean fatal;
  GError *error;
  GstStructure *details;
  FalDialerState state;
  GString *story;
  GArray *drops; /* guint64: dropped so far */
} Fixture;

/* ---- the owner ---- */

static void
on_trouble (gpointer user, gboolean fatal, const GError *error, GstStructure *details)
{
  Fixture *f = user;

  g_clear_error (&f->error);
  g_clear_pointer (&f->details, gst_structure_free);
  f->n_troubles++;
  f->fatal = fatal;
  f->error = g_error_copy (error);
  f->details = details;
}

static void
on_state_changed (gpointer user, FalDialerState state)
{
  ((Fixture *) user)->state = state;
}

static void
on_note (gpointer user, const gchar *text)
{
  g_string_append_printf (((Fixture *) user)->story, "%s\n", text);
}

static void
on_dropped (gpointer user, const FalFrame *frame, const FalSessionCounts *counts)
{
  g_assert_null (frame);
  g_array_append_val (((Fixture *) user)->drops, counts->dropped);
}

static void
set_up (Fixture *f)
{
  *f = (Fixture){
    .owner = {
      .events = {
        .trouble = on_trouble,
        .state_changed = on_state_changed,
        .note = on_note,
        .dropped = on_dropped,
      },
      .user = f,
    },
    .story = g_string_new (NULL),
    .drops = g_array_new (FALSE, FALSE, sizeof (guint64)),
  };
  f->reporter = fal_reporter_new (&f->owner);
}

static void
set_settings (Fixture *f, guint64 version, const gchar *token, const gchar *api_key)
{
  FalSettings settings = {
    .version = version,
    .token = (gchar *) token,
    .api_key = (gchar *) api_key,
  };

  fal_reporter_set_settings (f->reporter, &settings);
}

static void
set_secrets (Fixture *f)
{
  set_settings (f, 1, TOKEN, API_KEY);
  fal_reporter_set_file_key (f->reporter, FILE_KEY);
  fal_reporter_set_last_token (f->reporter, LAST_TOKEN);
}

static void
tear_down (Fixture *f)
{
  fal_reporter_free (f->reporter);
  g_clear_error (&f->error);
  g_clear_pointer (&f->details, gst_structure_free);
  g_string_free (f->story, TRUE);
  g_array_unref (f->drops);
}

static void
tell (Fixture *f, const gchar *text, GstStructure *details)
{
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT, text);

  fal_reporter_tell (f->reporter, FALSE, error, details);
}

/* ---- secrets ---- */

static void
test_no_secret_is_in_a_trouble (void)
{
  static const gchar *const secrets[] = { TOKEN, API_KEY, FILE_KEY, LAST_TOKEN, "s3cr3t-api",
    "s3cr3t-file" };
  Fixture f;

  set_up (&f);
  set_secrets (&f);
  for (guint i = 0; i < G_N_ELEMENTS (secrets); i++) {
    g_autofree gchar *text = g_strdup_printf ("the server says: %s!", secrets[i]);

    tell (&f, text, gst_structure_new ("details", "reason", G_TYPE_STRING, text, NULL));
    g_assert_cmpstr (f.error->message, ==, "the server says: [secret]!");
    g_assert_cmpstr (
        gst_structure_get_string (f.details, "reason"), ==, "the server says: [secret]!");
  }
  tear_down (&f);
}

static void
test_a_secret_that_is_replaced_is_no_secret_any_more (void)
{
  Fixture f;

  set_up (&f);
  set_secrets (&f);
  set_settings (&f, 2, NULL, NULL);
  fal_reporter_set_file_key (f.reporter, NULL);
  tell (&f, TOKEN " " API_KEY " " FILE_KEY " " LAST_TOKEN, NULL);
  g_assert_cmpstr (f.error->message, ==, TOKEN " " API_KEY " " FILE_KEY " [secret]");
  fal_reporter_set_last_token (f.reporter, NULL);
  tell (&f, LAST_TOKEN, NULL);
  g_assert_cmpstr (f.error->message, ==, LAST_TOKEN);
  tear_down (&f);
}

/* As when two threads set properties at once, and the later settings come first. */
static void
test_older_settings_replace_no_newer_secret (void)
{
  Fixture f;

  set_up (&f);
  set_settings (&f, 6, TOKEN, API_KEY);
  set_settings (&f, 5, NULL, NULL);
  tell (&f, TOKEN " " API_KEY, NULL);
  g_assert_cmpstr (f.error->message, ==, "[secret] [secret]");
  tear_down (&f);
}

/* The token that the connection was opened with stays one while the property has another. */
static void
test_the_last_token_outlives_the_property (void)
{
  Fixture f;
  g_autofree gchar *clean = NULL;

  set_up (&f);
  set_secrets (&f);
  set_settings (&f, 2, "another-token", API_KEY);
  fal_reporter_set_file_key (f.reporter, NULL);
  clean = fal_reporter_redact (f.reporter, LAST_TOKEN " another-token s3cr3t-file");
  g_assert_cmpstr (clean, ==, "[secret] [secret] s3cr3t-file");
  tear_down (&f);
}

static void
test_without_known_secrets_their_forms_are_found (void)
{
  Fixture f;

  set_up (&f);
  tell (&f, "Authorization: Key abcd:efgh", NULL);
  g_assert_cmpstr (f.error->message, ==, "Authorization: Key [secret]");
  tear_down (&f);
}

/* ---- troubles ---- */

static void
test_a_trouble_keeps_all_but_its_secrets (void)
{
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "too late");
  GstStructure *details = gst_structure_new ("details", "http-status", G_TYPE_UINT, 503,
      "request-id", G_TYPE_STRING, NULL, "retryable", G_TYPE_BOOLEAN, TRUE, NULL);
  Fixture f;
  guint status;
  gboolean retryable;

  set_up (&f);
  fal_reporter_tell (f.reporter, TRUE, error, details);
  g_assert_true (f.fatal);
  g_assert_error (f.error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT);
  g_assert_true (f.details == details);
  g_assert_true (gst_structure_get_uint (f.details, "http-status", &status));
  g_assert_cmpuint (status, ==, 503);
  g_assert_true (gst_structure_get_boolean (f.details, "retryable", &retryable));
  g_assert_true (retryable);
  g_assert_null (gst_structure_get_string (f.details, "request-id"));
  g_assert_false (gst_structure_has_field (f.details, "endpoint"));
  tear_down (&f);
}

static void
test_a_trouble_names_the_endpoint (void)
{
  Fixture f;

  set_up (&f);
  fal_reporter_set_endpoint (f.reporter, "wss://h/a/b");
  tell (&f, "x", NULL);
  g_assert_cmpstr (gst_structure_get_string (f.details, "endpoint"), ==, "wss://h/a/b");
  fal_reporter_set_endpoint (f.reporter, NULL);
  tell (&f, "x", NULL);
  g_assert_false (gst_structure_has_field (f.details, "endpoint"));
  tear_down (&f);
}

static void
test_one_frame_a_second_is_warned_about (void)
{
  g_autoptr (GError) error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "a frame");
  Fixture f;
  gint64 began;

  set_up (&f);
  began = g_get_monotonic_time ();
  fal_reporter_warn (f.reporter, error, NULL);
  g_assert_cmpuint (f.n_troubles, ==, 1);
  g_assert_false (f.fatal);
  g_assert_cmpstr (f.error->message, ==, "a frame");
  while (f.n_troubles == 1) {
    fal_reporter_warn (f.reporter, error, gst_structure_new_empty ("details"));
    g_usleep (1000);
  }
  g_assert_cmpint (g_get_monotonic_time () - began, >=, G_USEC_PER_SEC);
  tell (&f, "no frame's", NULL); /* which is told at once */
  g_assert_cmpuint (f.n_troubles, ==, 3);
  tear_down (&f);
}

/* ---- the rest ---- */

static void
test_states_and_the_story_are_passed_on (void)
{
  Fixture f;

  set_up (&f);
  fal_reporter_tell_state (f.reporter, FAL_DIALER_WAITING);
  g_assert_cmpint (f.state, ==, FAL_DIALER_WAITING);
  fal_reporter_note (f.reporter, "attempt %u of %s", 3, "many");
  fal_reporter_note (f.reporter, "100 %%");
  g_assert_cmpstr (f.story->str, ==, "attempt 3 of many\n100 %\n");
  tear_down (&f);
}

static guint freed;

static void
free_drop (gpointer drop)
{
  freed++;
  g_free (drop);
}

static void
test_drops_are_told_in_order (void)
{
  Fixture f;
  GPtrArray *drops = g_ptr_array_new_with_free_func (free_drop);

  set_up (&f);
  fal_reporter_tell_drops (f.reporter, NULL);
  g_assert_cmpuint (f.drops->len, ==, 0);
  for (guint i = 1; i <= 3; i++) {
    FalDrop *drop = g_new0 (FalDrop, 1);

    drop->counts.dropped = i;
    g_ptr_array_add (drops, drop);
  }
  fal_reporter_tell_drops (f.reporter, drops);
  g_assert_cmpuint (f.drops->len, ==, 3);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpuint (g_array_index (f.drops, guint64, i), ==, i + 1);
  g_assert_cmpuint (freed, ==, 3);
  tear_down (&f);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
#define ADD(name) g_test_add_func ("/reporter/" #name, test_##name)
  ADD (no_secret_is_in_a_trouble);
  ADD (a_secret_that_is_replaced_is_no_secret_any_more);
  ADD (older_settings_replace_no_newer_secret);
  ADD (the_last_token_outlives_the_property);
  ADD (without_known_secrets_their_forms_are_found);
  ADD (a_trouble_keeps_all_but_its_secrets);
  ADD (a_trouble_names_the_endpoint);
  ADD (one_frame_a_second_is_warned_about);
  ADD (states_and_the_story_are_passed_on);
  ADD (drops_are_told_in_order);
  return g_test_run ();
}
