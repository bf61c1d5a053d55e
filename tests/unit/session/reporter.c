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
on_state_changed (gpointer user, FalDialerState state, const gchar *address)
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
  g_assert_nonnull (frame);
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
  fal_reporter_set_last_token (f->reporter, 0, LAST_TOKEN);
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
  fal_reporter_set_last_token (f.reporter, 0, NULL);
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

/* ---- what a peer wrote ---- */

static void
test_what_is_not_seen_is_written_out (void)
{
  Fixture f;

  set_up (&f);
  tell (&f, "the server said \x1b[2J\nERROR: forged\xe2\x80\xae \xff; set token",
      gst_structure_new ("details", "error", G_TYPE_STRING, "\x07\xc2\x9b", NULL));
  g_assert_cmpstr (
      f.error->message, ==, "the server said \\x1b[2J\\nERROR: forged\\u202e \\xff; set token");
  g_assert_cmpstr (gst_structure_get_string (f.details, "error"), ==, "\\x07\\x9b");
  fal_reporter_note (f.reporter, "connection ended: %s", "bye\n\x1b[31m");
  g_assert_cmpstr (f.story->str, ==, "connection ended: bye\\n\\x1b[31m\n");
  tear_down (&f);
}

/* Nor does a secret get through because something unseen stands beside it, or because the text is
 * no UTF-8. */
static void
test_secrets_are_found_beside_it (void)
{
  Fixture f;

  set_up (&f);
  set_secrets (&f);
  tell (&f, "\xff" TOKEN "\x1b, token=abc\n!", NULL);
  g_assert_cmpstr (f.error->message, ==, "\\xff[secret]\\x1b, token=[secret]\\n!");
  tear_down (&f);
}

/* No half of a secret is left where a text is cut off. */
static void
test_text_without_end_is_cut (void)
{
  g_autofree gchar *start = g_strnfill (3990, 'x');
  g_autofree gchar *text = g_strconcat (start, API_KEY, start, NULL);
  Fixture f;

  set_up (&f);
  set_secrets (&f);
  tell (&f, text, NULL);
  g_assert_cmpint (g_utf8_strlen (f.error->message, -1), ==, 4000);
  g_assert_true (g_str_has_suffix (f.error->message, "[secret]x…"));
  tear_down (&f);
}

/* ---- the rest ---- */

static void
test_one_is_no_plural (void)
{
  static const struct {
    guint n;
    const gchar *text;
  } cases[] = { { 0, "0 frames" }, { 1, "1 frame" }, { 2, "2 frames" }, { 11, "11 frames" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree gchar *text = fal_reporter_count (cases[i].n, "frame");

    g_assert_cmpstr (text, ==, cases[i].text);
  }
}

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
  fal_frame_unref (((FalDrop *) drop)->frame);
  g_free (drop);
}

static FalFrame *
make_frame (void)
{
  g_autoptr (GstBuffer) buffer = gst_buffer_new ();

  return fal_frame_new (gst_sample_new (buffer, NULL, NULL, NULL), 0);
}

/* Those of number @first to @last. */
static void
tell_drops (Fixture *f, guint first, guint last)
{
  GPtrArray *drops = g_ptr_array_new_with_free_func (free_drop);

  for (guint i = first; i <= last; i++) {
    FalDrop *drop = g_new0 (FalDrop, 1);

    drop->frame = make_frame ();
    drop->counts.dropped = i;
    g_ptr_array_add (drops, drop);
  }
  fal_reporter_tell_drops (f->reporter, drops);
}

static guint64
get_last_count (Fixture *f)
{
  return f->drops->len > 0 ? g_array_index (f->drops, guint64, f->drops->len - 1) : 0;
}

static void
test_of_drops_that_come_together_the_last_is_told (void)
{
  Fixture f;

  set_up (&f);
  fal_reporter_tell_drops (f.reporter, NULL);
  g_assert_cmpuint (f.drops->len, ==, 0);
  freed = 0;
  tell_drops (&f, 1, 3);
  g_assert_cmpuint (f.drops->len, ==, 1);
  g_assert_cmpuint (get_last_count (&f), ==, 3);
  g_assert_cmpuint (freed, ==, 3);
  tear_down (&f);
}

/* However many there are, and no count is lost: the next time it is told, though no other came. */
static void
test_drops_are_told_ten_times_a_second (void)
{
  Fixture f;
  gint64 began;
  guint n = 0;

  set_up (&f);
  began = g_get_monotonic_time ();
  while (f.drops->len < 4) {
    n++;
    tell_drops (&f, n, n);
    g_usleep (1000);
  }
  g_assert_cmpint (g_get_monotonic_time () - began, >=, 3 * G_USEC_PER_SEC / 10);
  g_assert_cmpuint (n, >, 4);
  tell_drops (&f, n + 1, n + 2);
  tell_drops (&f, n, n); /* of a slower thread */
  while (get_last_count (&f) < n + 2) {
    fal_reporter_tell_drops (f.reporter, NULL);
    g_usleep (1000);
  }
  for (guint i = 1; i < f.drops->len; i++)
    g_assert_cmpuint (
        g_array_index (f.drops, guint64, i), >, g_array_index (f.drops, guint64, i - 1));
  tear_down (&f);
}

/* Counts that begin anew are lower ones. */
static void
test_forgotten_drops_are_not_told (void)
{
  Fixture f;

  set_up (&f);
  tell_drops (&f, 8, 8);
  tell_drops (&f, 9, 9);
  fal_reporter_forget_drops (f.reporter);
  while (get_last_count (&f) != 1) {
    tell_drops (&f, 1, 1);
    g_usleep (1000);
  }
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
  ADD (what_is_not_seen_is_written_out);
  ADD (secrets_are_found_beside_it);
  ADD (text_without_end_is_cut);
  ADD (one_is_no_plural);
  ADD (states_and_the_story_are_passed_on);
  ADD (of_drops_that_come_together_the_last_is_told);
  ADD (drops_are_told_ten_times_a_second);
  ADD (forgotten_drops_are_not_told);
  return g_test_run ();
}
