/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What somebody hears who waits: PROGRESS and INFO messages. */
#include "fixture.h"

/* ---- PROGRESS ---- */

static void
expect_progress (Fixture *f, GstProgressType type, const gchar *code, const gchar *text)
{
  g_autoptr (GstMessage) message = fixture_wait_for_message (f, GST_MESSAGE_PROGRESS);
  g_autofree gchar *posted_code = NULL, *posted_text = NULL;
  GstProgressType posted;

  gst_message_parse_progress (message, &posted, &posted_code, &posted_text);
  g_assert_cmpint (posted, ==, type);
  g_assert_cmpstr (posted_code, ==, code);
  assert_says (posted_text, text);
}

static void
expect_connected (Fixture *f)
{
  expect_progress (f, GST_PROGRESS_TYPE_START, "fal-connect", "Connecting to ws://127.0.0.1:");
  expect_progress (f, GST_PROGRESS_TYPE_COMPLETE, "fal-connect", "waiting for the first result");
}

static void
expect_no_progress (Fixture *f)
{
  g_assert_null (gst_bus_pop_filtered (f->bus, GST_MESSAGE_PROGRESS));
}

/* Each time once, and with the result all of it has been told. */
static void
test_connecting_begins_and_ends (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, NULL);

  fixture_set_size (f, 32, 32);
  for (guint n = 0; n < 2; n++) {
    fixture_push_and_pull (f, n);
    expect_connected (f);
    expect_no_progress (f);
    g_signal_emit_by_name (f->element, "close");
    fixture_wait_until_closed (f);
    expect_no_progress (f);
  }
}

/* The model answers nothing for a while. */
static Fixture *
wait_for_model (void)
{
  const FalServerOptions options = { .session_timeout_ms = 60000 };
  Fixture *f = fixture_new (&options, "max-in-flight=2");

  fal_server_set_mute (f->server, TRUE);
  fixture_set_size (f, 32, 32);
  fixture_push_frame (f, 0);
  expect_connected (f);
  expect_progress (f, GST_PROGRESS_TYPE_START, "fal-model", "No result after ");
  return f;
}

static void
test_a_model_that_loads_is_told_of_until_it_answers (void)
{
  g_autoptr (Fixture) f = wait_for_model ();

  fal_server_set_mute (f->server, FALSE);
  fixture_push_frame (f, 1);
  expect_progress (f, GST_PROGRESS_TYPE_COMPLETE, "fal-model", "The first result is here");
}

/* Else gst-launch-1.0 would wait for it before it plays. */
static void
test_the_wait_for_a_model_ends_with_the_connection (void)
{
  g_autoptr (Fixture) f = wait_for_model ();

  g_signal_emit_by_name (f->element, "close");
  expect_progress (f, GST_PROGRESS_TYPE_CANCELED, "fal-model", "The connection ended");
}

/* No request has gone then. */
static void
test_an_app_that_is_not_ready_is_told_of (void)
{
  const FalServerOptions options = { .session_timeout_ms = 60000 };
  g_autoptr (Fixture) f = fixture_new (&options, "wait-for-ready=true");

  fixture_set_size (f, 32, 32);
  fixture_push_frame (f, 0);
  expect_connected (f);
  expect_progress (f, GST_PROGRESS_TYPE_START, "fal-model", "No result after ");
  g_assert_cmpuint (fixture_stat (f, "frames-sent"), ==, 0);
}

/* A server that takes the connection and says nothing. */
static void
test_a_slow_server_is_told_of (void)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  guint port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);
  g_autofree gchar *description =
      g_strdup_printf ("falrealtimefilter app=a/b base-uri=ws://127.0.0.1:%u", port);
  g_autoptr (Fixture) f = fixture_new_from (description, FALSE);

  fixture_set_size (f, 32, 32);
  fixture_push_frame (f, 0);
  expect_progress (f, GST_PROGRESS_TYPE_START, "fal-connect", "Connecting to ws://127.0.0.1:");
  expect_progress (f, GST_PROGRESS_TYPE_CONTINUE, "fal-connect", "Still connecting after ");
}

static void
test_a_slow_token_is_told_of (void)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  guint port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);
  g_autofree gchar *description =
      g_strdup_printf ("falrealtimefilter app=a/b base-uri=ws://127.0.0.1:%u api-key=a:b "
                       "token-uri=http://127.0.0.1:%u",
          port, port);
  g_autoptr (Fixture) f = fixture_new_from (description, FALSE);

  fixture_set_size (f, 32, 32);
  fixture_push_frame (f, 0);
  expect_progress (f, GST_PROGRESS_TYPE_START, "fal-connect", "Requesting a token for ws://");
  expect_progress (f, GST_PROGRESS_TYPE_CONTINUE, "fal-connect", "Still requesting a token after ");
}

/* ---- INFO ---- */

static void
expect_info (GstMessage *message, gint code, const gchar *part)
{
  g_autoptr (GError) info = NULL;
  g_autofree gchar *debug = NULL;

  g_assert_nonnull (message);
  gst_message_parse_info (message, &info, &debug);
  g_assert_error (info, GST_RESOURCE_ERROR, code);
  assert_says (info->message, part);
  assert_says (debug, info->message); /* which is all that gst-launch-1.0 prints */
  gst_message_unref (message);
}

static void
test_frames_that_do_not_come_are_told_of_once (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, NULL), other = NULL;

  expect_info (fixture_wait_for_message (f, GST_MESSAGE_INFO), GST_RESOURCE_ERROR_OPEN_READ_WRITE,
      "No frame came from upstream for ");
  other = fixture_new (NULL, NULL); /* its wait shows that as much time again has passed */
  gst_message_unref (fixture_wait_for_message (other, GST_MESSAGE_INFO));
  fixture_run_another_stream ();
  g_assert_null (gst_bus_pop_filtered (f->bus, GST_MESSAGE_INFO));
  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  g_assert_null (gst_bus_pop_filtered (f->bus, GST_MESSAGE_INFO));
}

/* Counts that begin anew are no sign that no frame came. The wait of another element, which began
 * later, shows that the time has passed. */
static void
test_frames_that_came_are_not_missed_after_a_reset (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, NULL), other = NULL;

  fixture_set_size (f, 32, 32);
  fixture_push_and_pull (f, 0);
  g_signal_emit_by_name (f->element, "close");
  fixture_wait_for_state (f, "idle");
  g_signal_emit_by_name (f->element, "reset-stats");
  other = fixture_new (NULL, NULL);
  gst_message_unref (fixture_wait_for_message (other, GST_MESSAGE_INFO));
  fixture_run_another_stream ();
  g_assert_null (gst_bus_pop_filtered (f->bus, GST_MESSAGE_INFO));
}

/* Starts an element, which connects only with a frame; its INFO, or NULL. */
static GstMessage *
start (const gchar *properties, GCallback provider)
{
  g_autofree gchar *description =
      g_strconcat ("falrealtimefilter app=fal-ai/fast-lcm-diffusion ", properties, NULL);
  g_autoptr (GstElement) element = gst_parse_launch (description, NULL);
  g_autoptr (GstBus) bus = gst_bus_new ();

  gst_element_set_bus (element, bus);
  if (provider)
    g_signal_connect (element, "request-token", provider, NULL);
  g_assert_cmpint (gst_element_set_state (element, GST_STATE_PAUSED), ==, GST_STATE_CHANGE_SUCCESS);
  gst_element_set_state (element, GST_STATE_NULL);
  gst_element_set_bus (element, NULL);
  return gst_bus_pop_filtered (bus, GST_MESSAGE_INFO);
}

static gchar *
give_token (GstElement *element, const gchar *endpoint, gpointer data)
{
  return g_strdup ("token");
}

static void
test_whoever_has_no_key_is_told_where_to_get_one (void)
{
  static const gchar *const without[] = { "", "token=", "base-uri=wss://fal.run:443",
    "extra-headers=\"h,X-Team=video\"" };
  static const gchar *const with[] = { "token=t", "api-key=a:b", "auth=none", "enabled=false",
    "token-proxy-uri=https://example.org", "base-uri=wss://example.org",
    "extra-headers=\"h,Authorization=x\"" };

  for (guint i = 0; i < G_N_ELEMENTS (without); i++)
    expect_info (start (without[i], NULL), GST_RESOURCE_ERROR_NOT_AUTHORIZED,
        "https://fal.ai/dashboard/keys");
  for (guint i = 0; i < G_N_ELEMENTS (with); i++)
    g_assert_null (start (with[i], NULL));
  g_assert_null (start ("", G_CALLBACK (give_token)));
  g_setenv ("FAL_KEY", "a:b", TRUE);
  g_assert_null (start ("", NULL));
  g_unsetenv ("FAL_KEY");
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);
#define ADD(name) g_test_add_func ("/progress/" #name, test_##name)
  ADD (connecting_begins_and_ends);
  ADD (a_model_that_loads_is_told_of_until_it_answers);
  ADD (the_wait_for_a_model_ends_with_the_connection);
  ADD (an_app_that_is_not_ready_is_told_of);
  ADD (a_slow_server_is_told_of);
  ADD (a_slow_token_is_told_of);
  ADD (frames_that_do_not_come_are_told_of_once);
  ADD (frames_that_came_are_not_missed_after_a_reset);
  ADD (whoever_has_no_key_is_told_where_to_get_one);
  return fixture_run ();
}
