/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Apps that are unlike the others: several results for a request, a word before the first one, no
 * place for a request id, a link in place of a picture. */
#include "../server/picture-host.h"
#include "fixture.h"
#include <string.h>

#define SIZE 32

/* ---- server streaming ---- */

/* Four results, in order, within the frame's span. */
static void
pull_four (Fixture *f)
{
  GstClockTime last = 0;

  for (guint i = 0; i < 4; i++) {
    g_autoptr (GstBuffer) buffer = fixture_pull (f);

    g_assert_cmpuint (GST_BUFFER_PTS (buffer), >=, last);
    g_assert_cmpuint (GST_BUFFER_PTS (buffer), <=, GST_SECOND / 30);
    last = GST_BUFFER_PTS (buffer);
  }
}

static void
test_every_result_of_a_stream_comes_out (void)
{
  FalServerOptions options = { .results = 4, .delay_ms = 2 };
  g_autoptr (Fixture) f = fixture_new (&options, NULL);

  fixture_set_size (f, SIZE, SIZE);
  fixture_push_colour (f, 0x204060, 0);
  pull_four (f);
  g_assert_cmpuint (fixture_stat (f, "answered"), ==, 1);
  g_assert_cmpuint (fixture_stat (f, "results"), ==, 4);
  fixture_expect_no_message (f);
}

/* The app closes after its last result: that is when the stream is at its end. */
static void
test_the_end_waits_for_the_last_result (void)
{
  FalServerOptions options = { .results = 4, .delay_ms = 30, .end_after_results = TRUE };
  g_autoptr (Fixture) f = fixture_new (&options, "server-streaming=true");

  fixture_set_size (f, SIZE, SIZE);
  fixture_push_colour (f, 0x204060, 0);
  fixture_push_end (f);
  fixture_wait_for_end (f);
  g_assert_cmpuint (gst_harness_buffers_received (f->harness), ==, 4);
  fixture_expect_no_message (f);
}

static GstPadProbeReturn
refuse_buffers (GstPad *pad, GstPadProbeInfo *info, gpointer refused)
{
  gst_buffer_unref (GST_PAD_PROBE_INFO_BUFFER (info));
  GST_PAD_PROBE_INFO_FLOW_RETURN (info) = GST_FLOW_EOS;
  g_atomic_int_inc ((gint *) refused);
  return GST_PAD_PROBE_HANDLED;
}

/* What downstream takes no more is not waited for. */
static void
test_the_end_waits_for_no_result_that_nobody_takes (void)
{
  FalServerOptions options = { .results = 4, .delay_ms = 50 };
  g_autoptr (Fixture) f = fixture_new (&options, "server-streaming=true");
  gint64 began = g_get_monotonic_time ();
  gint refused = 0;

  gst_pad_add_probe (
      f->harness->sinkpad, GST_PAD_PROBE_TYPE_BUFFER, refuse_buffers, &refused, NULL);
  fixture_set_size (f, SIZE, SIZE);
  fixture_push_colour (f, 0x204060, 0);
  WAIT_UNTIL (f->element, g_atomic_int_get (&refused) > 0);
  fixture_push_end (f);
  fixture_wait_for_end (f);
  g_assert_cmpint (g_get_monotonic_time () - began, <, PATIENCE * 5 * G_USEC_PER_SEC);
  g_assert_cmpint (g_atomic_int_get (&refused), ==, 1);
}

/* Raw pictures without an id are the results of what was sent last. */
static void
test_raw_frames_follow_each_other (void)
{
  FalServerOptions options = { .schema = "raw", .results = 4, .delay_ms = 2 };
  g_autoptr (Fixture) f = fixture_new (&options, "image-field=image request-id=never");

  fixture_set_size (f, SIZE, SIZE);
  fixture_push_colour (f, 0x204060, 0);
  pull_four (f);
  fixture_expect_no_message (f);
}

/* ---- a word before the first request ---- */

static void
test_nothing_is_sent_before_the_app_is_ready (void)
{
  FalServerOptions options = { .schema = "krea", .ready_delay_ms = 150 };
  g_autoptr (Fixture) f =
      fixture_new (&options, "app=fal-ai/krea-wan-14b image-field=auto image-encoding=auto");

  fixture_set_size (f, SIZE, SIZE);
  for (guint n = 0; n < 9; n++)
    fixture_push_colour (f, 0x204060, n);
  gst_buffer_unref (fixture_pull (f)); /* one sent too early would have ended the session */
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, 1);
  fixture_expect_no_message (f);
}

static void
test_an_app_that_never_gets_ready_is_given_up (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "wait-for-ready=true connect-timeout=100");
  g_autofree gchar *text = NULL;

  fixture_set_size (f, SIZE, SIZE);
  fixture_push_colour (f, 0x204060, 0);
  text = fixture_take_trouble (f, GST_MESSAGE_WARNING);
  g_assert_nonnull (strstr (text, "ready"));
  g_assert_cmpuint (fal_server_get_requests (f->server), ==, 0);
}

/* ---- request ids ---- */

static void
test_a_refused_request_id_is_left_out (void)
{
  FalServerOptions options = { .schema = "klein", .refuse_unknown = TRUE };
  g_autoptr (Fixture) f = fixture_new (&options, "image-field=auto image-encoding=auto");

  fixture_set_size (f, SIZE, SIZE);
  for (guint n = 0; n < 3; n++) {
    fixture_push_colour (f, 0x204060, n);
    gst_buffer_unref (fixture_pull (f));
  }
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, 2);
  g_assert_cmpuint (fixture_stat (f, "failed"), ==, 0);
  fixture_expect_no_message (f);
}

static void
test_an_id_that_was_asked_for_stays (void)
{
  FalServerOptions options = { .schema = "klein", .refuse_unknown = TRUE };
  g_autoptr (Fixture) f =
      fixture_new (&options, "image-field=auto image-encoding=auto request-id=always");
  g_autofree gchar *text = NULL;

  fixture_set_size (f, SIZE, SIZE);
  fixture_push_colour (f, 0x204060, 0);
  text = fixture_take_trouble (f, GST_MESSAGE_WARNING);
  g_assert_nonnull (strstr (text, "request_id"));
}

/* ---- links ---- */

static void
expect_refused_link (const gchar *uri, const gchar *properties, const gchar *hint)
{
  FalServerOptions options = { .schema = "lcm-sd15", .result_url = uri };
  g_autofree gchar *all =
      g_strdup_printf ("app=fal-ai/lcm-sd15-i2i image-field=auto "
                       "image-encoding=auto parameters=\"p,sync_mode=false\" %s",
          properties);
  g_autoptr (Fixture) f = fixture_new (&options, all);
  g_autofree gchar *text = NULL;

  fixture_set_size (f, SIZE, SIZE);
  fixture_push_colour (f, 0x204060, 0);
  text = fixture_take_trouble (f, GST_MESSAGE_WARNING);
  g_assert_nonnull (strstr (text, hint));
  g_assert_null (strstr (text, "signature"));
  fixture_wait_for_stat (f, "results-invalid", 1);
  fixture_push_colour (f, 0x204060, 1); /* and the stream goes on */
  fixture_wait_for_stat (f, "results-invalid", 2);
}

static FalPictureHost *
start_host (void)
{
  const gchar *data = g_getenv ("FAL_TEST_DATA");
  g_autofree gchar *certificate = g_build_filename (data, "tls", "server.pem", NULL);
  g_autofree gchar *key = g_build_filename (data, "tls", "server.key", NULL);
  const FalPictureHostOptions options = { certificate, key };
  g_autoptr (GError) error = NULL;
  FalPictureHost *host = fal_picture_host_new (&options, &error);

  g_assert_no_error (error);
  return host;
}

static void
test_links_lead_to_no_private_place (void)
{
  g_autoptr (FalPictureHost) host = start_host ();
  g_autofree gchar *uri =
      g_strdup_printf ("https://localhost:%u/ok.jpg?signature=x", fal_picture_host_get_port (host));
  g_autofree gchar *listed =
      g_strdup_printf ("result-hosts=localhost:%u", fal_picture_host_get_port (host));

  expect_refused_link ("https://169.254.169.254/latest?signature=x", "", "169.254.169.254");
  expect_refused_link (uri, "", "localhost");
  expect_refused_link (uri, listed, "localhost"); /* listed, but it leads to this machine */
  g_assert_cmpuint (fal_picture_host_get_requests (host), ==, 0);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
#define ADD(name, function) g_test_add_func ("/unusual-apps/" name, function)
  ADD ("every-result-of-a-stream-comes-out", test_every_result_of_a_stream_comes_out);
  ADD ("the-end-waits-for-no-result-that-nobody-takes",
      test_the_end_waits_for_no_result_that_nobody_takes);
  ADD ("the-end-waits-for-the-last-result", test_the_end_waits_for_the_last_result);
  ADD ("raw-frames-follow-each-other", test_raw_frames_follow_each_other);
  ADD ("nothing-is-sent-before-the-app-is-ready", test_nothing_is_sent_before_the_app_is_ready);
  ADD ("an-app-that-never-gets-ready-is-given-up", test_an_app_that_never_gets_ready_is_given_up);
  ADD ("a-refused-request-id-is-left-out", test_a_refused_request_id_is_left_out);
  ADD ("an-id-that-was-asked-for-stays", test_an_id_that_was_asked_for_stays);
  ADD ("links-lead-to-no-private-place", test_links_lead_to_no_private_place);
  return fixture_run ();
}
