/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Snapshots, the environment, and what follows from several properties together. */
#include "fal/settings/settings.h"
#include "fal/wire/value-json.h"
#include "make-settings.h"

#include <string.h>

/* ---- snapshots ---- */

static void
test_a_snapshot_does_not_change (void)
{
  g_autoptr (FalSettings) first = fal_settings_new ();
  g_autoptr (FalSettings) second = settings_with (first, "prompt", "a boat");
  g_autoptr (FalSettings) third = settings_with (second, "prompt", "a ship");

  g_assert_null (first->prompt);
  g_assert_cmpstr (second->prompt, ==, "a boat");
  g_assert_cmpstr (third->prompt, ==, "a ship");
}

static void
test_versions_rise (void)
{
  g_autoptr (FalSettings) first = fal_settings_new ();
  g_autoptr (FalSettings) second = settings_with (first, "strength", "0.5");
  g_autoptr (FalSettings) third = settings_with (second, "strength", "0.5");

  g_assert_cmpuint (second->version, >, first->version);
  g_assert_cmpuint (third->version, >, second->version);
}

static gpointer
use_snapshot (gpointer settings)
{
  for (guint i = 0; i < 10000; i++) {
    g_autoptr (FalSettings) held = fal_settings_ref (settings);
    g_autoptr (FalSettings) next = settings_with (held, "strength", "0.25");

    g_assert_cmpstr (next->prompt, ==, "a boat");
  }
  return NULL;
}

/* Threads read and copy one snapshot, while the first to own it lets go of it. */
static void
test_threads_may_share_a_snapshot (void)
{
  FalSettings *settings = make_settings ("prompt", "a boat", "parameters", "p,a=1", NULL);
  GThread *threads[4];

  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    threads[i] = g_thread_new ("reader", use_snapshot, settings);
  for (guint i = 0; i < G_N_ELEMENTS (threads); i++)
    g_thread_join (threads[i]);
  fal_settings_unref (settings);
}

/* ---- the environment ---- */

static void
clear_environment (void)
{
  g_unsetenv ("FAL_KEY");
  g_unsetenv ("FAL_KEY_ID");
  g_unsetenv ("FAL_KEY_SECRET");
  g_unsetenv ("FAL_RUN_HOST");
}

static const struct {
  const gchar *key, *id, *secret; /* of the environment */
  const gchar *api_key;           /* that follows */
  FalKeyOrigin origin;
} keys[] = {
  { NULL, NULL, NULL, NULL, 0 },
  { "", "", "", NULL, 0 },
  { "a:b", NULL, NULL, "a:b", FAL_KEY_FROM_FAL_KEY },
  { NULL, "a", "b", "a:b", FAL_KEY_FROM_PAIR },
  { "", "a", "b", "a:b", FAL_KEY_FROM_PAIR },
  { "a:b", "c", "d", "a:b", FAL_KEY_FROM_FAL_KEY },
  { NULL, "a", NULL, NULL, 0 },
  { NULL, NULL, "b", NULL, 0 },
  { NULL, "a", "", NULL, 0 },
};

static void
set_or_unset (const gchar *name, const gchar *value)
{
  if (value != NULL)
    g_setenv (name, value, TRUE);
  else
    g_unsetenv (name);
}

static void
test_a_key_comes_from_the_environment (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (keys); i++) {
    g_autoptr (FalSettings) settings = NULL;

    set_or_unset ("FAL_KEY", keys[i].key);
    set_or_unset ("FAL_KEY_ID", keys[i].id);
    set_or_unset ("FAL_KEY_SECRET", keys[i].secret);
    settings = fal_settings_new ();
    clear_environment ();
    g_test_message ("%u", i);
    g_assert_cmpstr (settings->api_key, ==, keys[i].api_key);
    if (keys[i].api_key != NULL)
      g_assert_cmpint (settings->api_key_origin, ==, keys[i].origin);
  }
}

static void
test_a_property_goes_over_the_environment (void)
{
  g_autoptr (FalSettings) settings = NULL, other = NULL, key = NULL, host = NULL;

  g_setenv ("FAL_KEY", "a:b", TRUE);
  g_setenv ("FAL_RUN_HOST", "example.com", TRUE);
  settings = fal_settings_new ();
  clear_environment ();
  other = settings_with (settings, "prompt", "a boat");
  key = settings_with (settings, "api-key", "c:d");
  host = settings_with (settings, "base-uri", "wss://fal.run");

  g_assert_cmpint (other->api_key_origin, ==, FAL_KEY_FROM_FAL_KEY);
  g_assert_cmpstr (key->api_key, ==, "c:d");
  g_assert_cmpint (key->api_key_origin, ==, FAL_KEY_FROM_PROPERTY);
  g_assert_cmpstr (settings->base_uri, ==, "wss://example.com");
  g_assert_cmpstr (host->base_uri, ==, "wss://fal.run");
}

static void
test_an_empty_host_counts_as_none (void)
{
  g_autoptr (FalSettings) settings = NULL;

  g_setenv ("FAL_RUN_HOST", "", TRUE);
  settings = fal_settings_new ();
  clear_environment ();
  g_assert_cmpstr (settings->base_uri, ==, "wss://fal.run");
}

/* ---- inputs ---- */

static void
assert_inputs (const FalSettings *settings, const gchar *wanted)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GstStructure) inputs = fal_settings_get_parameters (settings, &error);
  g_autofree gchar *json = inputs ? fal_value_to_json (inputs, NULL) : NULL;

  g_assert_no_error (error);
  g_assert_cmpstr (json, ==, wanted);
}

static void
test_an_input_that_was_not_set_is_absent (void)
{
  g_autoptr (FalSettings) none = fal_settings_new ();
  g_autoptr (FalSettings) defaults = make_settings (
      "seed", "0", "num-inference-steps", "4", "strength", "0.5", "guidance-scale", "1", NULL);
  g_autoptr (FalSettings) empty = make_settings ("parameters-json", "\"\"", NULL);

  assert_inputs (none, "{}");
  assert_inputs (
      defaults, "{\"seed\":0,\"num_inference_steps\":4,\"strength\":0.5,\"guidance_scale\":1.0}");
  assert_inputs (empty, "{}");
}

/* All others stay, and the snapshot before it, too. */
static void
test_an_input_that_is_unset_is_absent_again (void)
{
  g_autoptr (FalSettings) set =
      make_settings ("seed", "0", "prompt", "a boat", "strength", "0.5", "quality", "50", NULL);
  g_autoptr (FalSettings) seedless = fal_settings_without (set, get_property_id ("seed"));
  g_autoptr (FalSettings) less = fal_settings_without (seedless, get_property_id ("prompt"));

  assert_inputs (set, "{\"prompt\":\"a boat\",\"seed\":0,\"strength\":0.5}");
  assert_inputs (seedless, "{\"prompt\":\"a boat\",\"strength\":0.5}");
  assert_inputs (less, "{\"strength\":0.5}");
  g_assert_cmpint (less->quality, ==, 50);
  g_assert_cmpuint (seedless->version, ==, set->version + 1);
  g_assert_cmpuint (less->version, ==, set->version + 2);
}

#define JSON(text) "\"{\\\"" text "}\""

static void
test_named_properties_go_over_parameters_over_json_over_the_profile (void)
{
  g_autoptr (FalSettings) profile = make_settings ("app", "fal-ai/lcm", NULL);
  g_autoptr (FalSettings) json = make_settings (
      "app", "fal-ai/lcm", "parameters-json", JSON ("sync_mode\\\":false,\\\"seed\\\":1"), NULL);
  g_autoptr (FalSettings) flat = make_settings ("app", "fal-ai/lcm", "parameters-json",
      JSON ("sync_mode\\\":false,\\\"seed\\\":1"), "parameters", "p,seed=2", NULL);
  g_autoptr (FalSettings) named = make_settings ("app", "fal-ai/lcm", "parameters-json",
      JSON ("sync_mode\\\":false,\\\"seed\\\":1"), "parameters", "p,seed=2", "seed", "3", NULL);

  assert_inputs (profile, "{\"sync_mode\":true}");
  assert_inputs (json, "{\"sync_mode\":false,\"seed\":1}");
  assert_inputs (flat, "{\"sync_mode\":false,\"seed\":2}");
  assert_inputs (named, "{\"sync_mode\":false,\"seed\":3}");
}

static void
test_json_that_cannot_be_read_is_an_error_that_names_the_property (void)
{
  static const gchar *const rows[] = { "[1]", "{", "nonsense" };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (FalSettings) settings = make_settings ("parameters-json", rows[i], NULL);
    g_autoptr (GError) error = NULL;

    g_assert_null (fal_settings_get_parameters (settings, &error));
    g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
    g_assert_nonnull (strstr (error->message, "parameters-json"));
  }
}

/* ---- the app's profile ---- */

static void
assert_encoder (const FalSettings *settings, guint width, guint height, guint quality)
{
  FalEncoderConfig config = fal_settings_get_encoder_config (settings);

  g_assert_cmpuint (config.width, ==, width);
  g_assert_cmpuint (config.height, ==, height);
  g_assert_cmpuint (config.quality, ==, quality);
}

static void
test_size_and_quality_are_the_profiles_until_they_are_set (void)
{
  g_autoptr (FalSettings) unknown = make_settings ("app", "me/my-app", NULL);
  g_autoptr (FalSettings) klein = make_settings ("app", "fal-ai/flux-2/klein", NULL);
  g_autoptr (FalSettings) wide = settings_with (klein, "width", "320");
  g_autoptr (FalSettings) as_it_comes = settings_with (klein, "height", "0");
  g_autoptr (FalSettings) fine = settings_with (klein, "quality", "85");
  g_autoptr (FalSettings) plain = settings_with (klein, "app-defaults", "false");

  assert_encoder (unknown, 0, 0, 85);
  assert_encoder (klein, 704, 704, 50);
  assert_encoder (wide, 320, 0, 50);
  assert_encoder (as_it_comes, 0, 0, 50);
  assert_encoder (fine, 704, 704, 85);
  assert_encoder (plain, 0, 0, 85);
}

static void
test_the_path_is_the_profiles_until_it_is_set (void)
{
  g_autoptr (FalSettings) unknown = make_settings ("app", "me/my-app", NULL);
  g_autoptr (FalSettings) krea = make_settings ("app", "fal-ai/krea-wan-14b", NULL);
  g_autoptr (FalSettings) set = settings_with (krea, "path", "/realtime");
  g_autoptr (FalSettings) plain = settings_with (krea, "app-defaults", "false");

  g_assert_null (fal_settings_get_path (unknown));
  g_assert_cmpstr (fal_settings_get_path (krea), ==, "/ws");
  g_assert_cmpstr (fal_settings_get_path (set), ==, "/realtime");
  g_assert_null (fal_settings_get_path (plain));
}

static void
test_the_picture_stands_where_the_app_wants_it_until_it_is_set (void)
{
  g_autoptr (FalSettings) app = make_settings ("app", "fal-ai/birefnet", NULL);
  g_autoptr (FalSettings) field = settings_with (app, "image-field", "input.picture");
  g_autoptr (FalSettings) text = settings_with (app, "image-encoding", "base64");
  g_autoptr (FalSettings) empty = settings_with (app, "image-field", "\"\"");
  FalRequest request = fal_settings_get_request (app);

  g_assert_cmpstr (request.image_field, ==, "image_bytes");
  g_assert_cmpint (request.image_encoding, ==, FAL_IMAGE_ENCODING_BYTES);
  request = fal_settings_get_request (field);
  g_assert_cmpstr (request.image_field, ==, "input.picture");
  g_assert_cmpint (request.image_encoding, ==, FAL_IMAGE_ENCODING_BYTES);
  request = fal_settings_get_request (text);
  g_assert_cmpint (request.image_encoding, ==, FAL_IMAGE_ENCODING_BASE64);
  request = fal_settings_get_request (empty);
  g_assert_cmpstr (request.image_field, ==, "image_bytes");
}

static void
test_ways_of_an_app_are_kept_until_they_are_set (void)
{
  g_autoptr (FalSettings) krea = make_settings ("app", "fal-ai/krea-wan-14b", NULL);
  g_autoptr (FalSettings) portrait = make_settings ("app", "fal-ai/live-portrait", NULL);
  g_autoptr (FalSettings) other = make_settings ("app", "fal-ai/krea-wan-14b", "start-fields",
      "first", "feedback-fields", "state", "wait-for-ready", "false", "server-streaming", "true",
      "result-field", "picture", NULL);

  g_assert_cmpstr (fal_settings_get_start_fields (krea), ==, "start_frame");
  g_assert_true (fal_settings_waits_for_ready (krea));
  g_assert_false (fal_settings_is_streaming (krea));
  g_assert_null (fal_settings_get_result_field (krea));
  g_assert_cmpstr (fal_settings_get_feedback_fields (portrait), ==, "x_d_0_info,r_d_0");
  g_assert_cmpstr (fal_settings_get_start_fields (other), ==, "first");
  g_assert_cmpstr (fal_settings_get_feedback_fields (other), ==, "state");
  g_assert_false (fal_settings_waits_for_ready (other));
  g_assert_true (fal_settings_is_streaming (other));
  g_assert_cmpstr (fal_settings_get_result_field (other), ==, "picture");
}

/* The rate and the blocks of an app, until they are set. Another app that takes blocks may begin
 * with a message of its own, too. */
static void
test_frames_go_as_the_app_takes_them_until_that_is_set (void)
{
  g_autoptr (FalSettings) unknown = make_settings ("app", "me/my-app", NULL);
  g_autoptr (FalSettings) krea = make_settings ("app", "fal-ai/krea-wan-14b", NULL);
  g_autoptr (FalSettings) other = make_settings (
      "app", "fal-ai/krea-wan-14b", "throttle-interval", "128", "block-size", "6", NULL);
  g_autoptr (FalSettings) each = settings_with (krea, "block-size", "0");
  g_autoptr (FalSettings) own =
      make_settings ("app", "me/my-app", "block-size", "4", "start-fields", "first", NULL);

  g_assert_cmpuint (fal_settings_get_throttle_interval (unknown), ==, 128);
  g_assert_cmpuint (fal_settings_get_block_size (unknown), ==, 0);
  g_assert_false (fal_settings_opens_first (unknown));
  g_assert_cmpuint (fal_settings_get_throttle_interval (krea), ==, 83);
  g_assert_cmpuint (fal_settings_get_block_size (krea), ==, 12);
  g_assert_cmpuint (fal_settings_get_first_block (krea), ==, 9);
  g_assert_true (fal_settings_opens_first (krea));
  g_assert_cmpuint (fal_settings_get_throttle_interval (other), ==, 128);
  g_assert_cmpuint (fal_settings_get_block_size (other), ==, 6);
  g_assert_cmpuint (fal_settings_get_first_block (other), ==, 6);
  g_assert_cmpuint (fal_settings_get_block_size (each), ==, 0);
  g_assert_false (fal_settings_opens_first (each));
  g_assert_cmpuint (fal_settings_get_first_block (own), ==, 4);
  g_assert_true (fal_settings_opens_first (own));
}

static void
test_a_request_id_is_sent_unless_the_app_is_known_not_to_echo_it (void)
{
  static const struct {
    const gchar *app, *request_id;
    gboolean sends;
  } rows[] = {
    { "fal-ai/lcm", "auto", TRUE },
    { "me/my-app", "auto", TRUE },
    { "fal-ai/birefnet", "auto", FALSE },
    { "fal-ai/birefnet", "always", TRUE },
    { "fal-ai/lcm", "never", FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (FalSettings) settings =
        make_settings ("app", rows[i].app, "request-id", rows[i].request_id, NULL);

    g_test_message ("%s %s", rows[i].app, rows[i].request_id);
    g_assert_cmpint (fal_settings_sends_request_id (settings), ==, rows[i].sends);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (&argc, &argv);
  clear_environment ();
  install_properties ();
#define ADD(name, test) g_test_add_func ("/settings/" name, test)
  ADD ("a-snapshot-does-not-change", test_a_snapshot_does_not_change);
  ADD ("versions-rise", test_versions_rise);
  ADD ("threads-may-share-a-snapshot", test_threads_may_share_a_snapshot);
  ADD ("a-key-comes-from-the-environment", test_a_key_comes_from_the_environment);
  ADD ("a-property-goes-over-the-environment", test_a_property_goes_over_the_environment);
  ADD ("an-empty-host-counts-as-none", test_an_empty_host_counts_as_none);
  ADD ("an-input-that-was-not-set-is-absent", test_an_input_that_was_not_set_is_absent);
  ADD ("an-input-that-is-unset-is-absent-again", test_an_input_that_is_unset_is_absent_again);
  ADD ("named-properties-go-over-parameters-over-json-over-the-profile",
      test_named_properties_go_over_parameters_over_json_over_the_profile);
  ADD ("json-that-cannot-be-read-is-an-error-that-names-the-property",
      test_json_that_cannot_be_read_is_an_error_that_names_the_property);
  ADD ("size-and-quality-are-the-profiles-until-they-are-set",
      test_size_and_quality_are_the_profiles_until_they_are_set);
  ADD ("the-path-is-the-profiles-until-it-is-set", test_the_path_is_the_profiles_until_it_is_set);
  ADD ("the-picture-stands-where-the-app-wants-it-until-it-is-set",
      test_the_picture_stands_where_the_app_wants_it_until_it_is_set);
  ADD ("ways-of-an-app-are-kept-until-they-are-set",
      test_ways_of_an_app_are_kept_until_they_are_set);
  ADD ("frames-go-as-the-app-takes-them-until-that-is-set",
      test_frames_go_as_the_app_takes_them_until_that_is_set);
  ADD ("a-request-id-is-sent-unless-the-app-is-known-not-to-echo-it",
      test_a_request_id_is_sent_unless_the_app_is_known_not_to_echo_it);
  return g_test_run ();
}
