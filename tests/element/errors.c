/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What cannot work ends in an ERROR that says what to do, and no secret in it. */
#include "fixture.h"
#include <gio/gio.h>
#include <string.h>

static void
check_refused (const gchar *properties, const gchar *hint)
{
  g_autofree gchar *description = g_strconcat ("falrealtimefilter ", properties, NULL);
  g_autofree gchar *text = take_refusal (description);

  assert_says (text, hint);
}

static void
test_settings_that_cannot_work_are_refused (void)
{
  static const gchar *const rows[][2] = {
    { "", "Set app" },
    { "app=\"\"", "Set app" },
    { "app=nonsense", "\"nonsense\" is not the id of an app. Set app to" },
    { "app=fast-lcm-difusion",
        "\"fast-lcm-difusion\" is not the id of an app. Did you mean fal-ai/fast-lcm-diffusion?" },
    { "app=\"non\x1bsense\"", "\"non\\x1bsense\" is not the id of an app" },
    { "app=a/b base-uri=ftp://x", "base-uri" },
    { "app=a/b base-uri=\"not an address\"", "base-uri" },
    { "app=a/b parameters-json=\"{\"", "parameters-json" },
    { "app=a/b parameters-json=\"[1,2]\"", "parameters-json" },
    { "app=a/b auth=token", "Set token" },
    { "app=a/b auth=key-header", "or api-key" },
    { "app=a/b token=t base-uri=ws://192.0.2.1", "allow-insecure" },
    { "app=a/b auth=none base-uri=ws://192.0.2.1 extra-headers=\"h,Authorization=x\"",
        "allow-insecure" },
    { "app=a/b token=t base-uri=ws://127.0.0.1:1 proxy=http:x", "allow-insecure" },
    { "app=a/b api-key=k:s base-uri=wss://127.0.0.1:1 token-uri=HTTP://127.0.0.1:1 "
      "proxy=http://192.0.2.1:1",
        "allow-insecure" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    check_refused (rows[i][0], rows[i][1]);
}

static void
test_buffering_out_of_range_is_refused_by_the_property (void)
{
  g_autoptr (GstElement) element = gst_element_factory_make ("falrealtimefilter", NULL);
  GParamSpec *spec = g_object_class_find_property (G_OBJECT_GET_CLASS (element), "max-buffering");
  g_auto (GValue) value = G_VALUE_INIT;

  gst_object_ref_sink (element);
  g_value_init (&value, G_TYPE_UINT);
  g_value_set_uint (&value, 61);
  g_assert_true (g_param_value_validate (spec, &value));
  g_assert_cmpuint (g_value_get_uint (&value), ==, 60);
}

/* A fixture whose one frame meets an error; its text. */
static gchar *
push_into_error (Fixture *f, GQuark domain, gint code)
{
  fixture_set_size (f, 32, 32);
  gst_harness_push (f->harness, fixture_frame (32, 32, 0, 0));
  return take_error (f->bus, domain, code);
}

/* Upstream learns of the end right after the application. */
static void
push_until_error (Fixture *f)
{
  GstFlowReturn flow = GST_FLOW_OK;

  REPEAT_UNTIL (f->element, flow != GST_FLOW_OK,
      flow = gst_harness_push (f->harness, fixture_frame (32, 32, 0, 1)));
  g_assert_cmpint (flow, ==, GST_FLOW_ERROR);
}

static void
test_an_unknown_app_is_an_error (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "app=missing/app");
  g_autofree gchar *text = push_into_error (f, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND);

  g_assert_nonnull (strstr (text, "404"));
  g_assert_nonnull (strstr (text, "Check app and path"));
  push_until_error (f);
}

static void
test_an_app_that_was_mistyped_is_named (void)
{
  static const struct {
    guint status;
    gint code;
    const gchar *text;
  } rows[] = {
    { 404, GST_RESOURCE_ERROR_NOT_FOUND,
        ": there is no app fal-ai/fast-lcm-difusion, or it has no path /realtime (HTTP status "
        "404). "
        "Did you mean fal-ai/fast-lcm-diffusion?" },
    { 403, GST_RESOURCE_ERROR_NOT_AUTHORIZED, " Did you mean fal-ai/fast-lcm-diffusion?" },
  };

  for (guint i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (Fixture) f = fixture_new (NULL, "app=fal-ai/fast-lcm-difusion");
    g_autofree gchar *text = NULL;

    fal_server_set_refusal (f->server, rows[i].status);
    text = push_into_error (f, GST_RESOURCE_ERROR, rows[i].code);
    assert_says (text, rows[i].text);
  }
}

/* What upstream is told while the application is. */
static GstBusSyncReply
push_meanwhile (GstBus *bus, GstMessage *message, gpointer data)
{
  Fixture *f = data;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    g_assert_cmpint (gst_harness_push (f->harness, fixture_frame (32, 32, 0, 1)), ==, GST_FLOW_OK);
  return GST_BUS_PASS;
}

/* Else a source answers the end of the flow with an error of its own, which says less and may come
 * first. */
static void
test_the_application_is_told_before_upstream (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "app=missing/app");
  g_autofree gchar *text = NULL;

  gst_bus_set_sync_handler (f->bus, push_meanwhile, f, NULL);
  text = push_into_error (f, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND);
  gst_bus_set_sync_handler (f->bus, NULL, NULL, NULL);
  push_until_error (f);
}

static void
test_a_refused_token_is_an_error_and_stays_secret (void)
{
  static const guint statuses[] = { 401, 403 };

  for (guint i = 0; i < G_N_ELEMENTS (statuses); i++) {
    g_autoptr (Fixture) f = fixture_new (NULL, "token=SECRETTOKEN");
    g_autofree gchar *text = NULL;

    fal_server_set_refusal (f->server, statuses[i]);
    text = push_into_error (f, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_AUTHORIZED);
    g_assert_nonnull (strstr (text, "Set token"));
    g_assert_null (strstr (text, "SECRETTOKEN"));
  }
}

static void
test_an_unreachable_host_is_an_error (void)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  guint port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);
  g_autofree gchar *uri = g_strdup_printf ("ws://127.0.0.1:%u", port);
  g_autoptr (Fixture) f = fixture_new (NULL, "retry-delay=1 max-retry-delay=1");
  g_autofree gchar *text = NULL;

  g_socket_listener_close (listener); /* nobody listens there any more */
  gst_harness_set (f->harness, "falrealtimefilter", "base-uri", uri, NULL);
  gst_element_set_state (f->harness->element, GST_STATE_READY);
  gst_element_set_state (f->harness->element, GST_STATE_PLAYING);
  gst_harness_push_event (f->harness, gst_event_new_stream_start ("again"));
  text = push_into_error (f, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ_WRITE);
  g_assert_nonnull (strstr (text, uri));
  g_assert_nonnull (strstr (text, "Check base-uri"));
}

/* A server that takes the connection and never says a word. */
static void
test_a_silent_host_is_given_up_after_the_connect_timeout (void)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  guint port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);
  g_autofree gchar *uri = g_strdup_printf ("ws://127.0.0.1:%u", port);
  g_autoptr (Fixture) f = fixture_new (NULL, "connect-timeout=50 retries=1 retry-delay=1");
  g_autofree gchar *text = NULL;

  gst_harness_set (f->harness, "falrealtimefilter", "base-uri", uri, NULL);
  gst_element_set_state (f->harness->element, GST_STATE_READY);
  gst_element_set_state (f->harness->element, GST_STATE_PLAYING);
  gst_harness_push_event (f->harness, gst_event_new_stream_start ("again"));
  text = push_into_error (f, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_OPEN_READ_WRITE);
  g_assert_nonnull (strstr (text, "connect-timeout"));
}

/* Down to NULL just as an attempt is given up. */
static void
test_null_may_come_at_the_deadline (void)
{
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  guint port = g_socket_listener_add_any_inet_port (listener, NULL, NULL);
  g_autofree gchar *uri = g_strdup_printf ("ws://127.0.0.1:%u", port);

  for (guint i = 0; i < 40; i++) {
    g_autoptr (Fixture) f = fixture_new (NULL, "connect-timeout=4");

    gst_harness_set (f->harness, "falrealtimefilter", "base-uri", uri, NULL);
    gst_element_set_state (f->harness->element, GST_STATE_READY);
    gst_element_set_state (f->harness->element, GST_STATE_PLAYING);
    gst_harness_push_event (f->harness, gst_event_new_stream_start ("again"));
    fixture_set_size (f, 32, 32);
    gst_harness_push (f->harness, fixture_frame (32, 32, 0, 0));
    pace_for (3000 + i * 50);
    gst_element_set_state (f->harness->element, GST_STATE_NULL);
  }
}

static void
test_inputs_that_the_model_refuses_end_after_a_number_in_a_row (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "prompt=boom retry-delay=1 max-retry-delay=1");
  g_autofree gchar *text = NULL;
  g_autoptr (GstMessage) message = NULL;
  GstFlowReturn flow = GST_FLOW_OK;
  guint n = 0;

  fixture_set_size (f, 32, 32);
  REPEAT_UNTIL (f->element, flow != GST_FLOW_OK,
      flow = gst_harness_push (f->harness, fixture_frame (32, 32, 0, n++)));
  g_assert_cmpint (flow, ==, GST_FLOW_ERROR);
  message = fixture_wait_for_message (f, GST_MESSAGE_WARNING);
  text = take_error (f->bus, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_FAILED);
  g_assert_nonnull (strstr (text, "CUDA out of memory"));
}

/* A server of libsoup's that leaves its limit as it is. What is advised helps. */
static void
test_a_request_too_big_for_its_server_names_what_makes_it_small (void)
{
  const FalServerOptions options = { .max_message = 128 * 1024 };
  g_autoptr (Fixture) f =
      fixture_new_live (&options, "quality=100 retry-delay=1 max-retry-delay=20");
  g_autofree gchar *text = NULL;
  guint n = 1;

  fixture_set_size (f, 640, 480);
  fixture_push (f, fixture_noise (640, 480, 0));
  text = fixture_take_trouble (f, GST_MESSAGE_WARNING);
  assert_says (text, "lower width, height or quality");
  g_assert_cmpuint (fixture_stat (f, "results"), ==, 0);
  g_object_set (f->element, "width", 64, "height", 48, NULL);
  REPEAT_UNTIL (
      f->element, fixture_stat (f, "results") > 0, fixture_push (f, fixture_noise (640, 480, n++)));
}

static void
test_a_bad_parameters_json_while_playing_is_a_warning (void)
{
  g_autoptr (Fixture) f = fixture_new (NULL, "parameters-json={\"seed\":3}");
  g_autoptr (GstMessage) warning = NULL;
  g_autoptr (GstStructure) request = NULL;
  gint64 seed;

  fixture_set_size (f, 32, 32);
  gst_harness_set (f->harness, "falrealtimefilter", "parameters-json", "{", NULL);
  fixture_push (f, fixture_frame (32, 32, 0, 0));
  warning = fixture_wait_for_message (f, GST_MESSAGE_WARNING);
  gst_harness_set (f->harness, "falrealtimefilter", "parameters-json", "{\"seed\":4}", NULL);
  gst_buffer_unref (fixture_pull (f));
  gst_structure_free (fal_server_pop_request (f->server, WATCHDOG_SECONDS * 1000));
  fixture_push (f, fixture_frame (32, 32, 0, 1));
  request = fal_server_pop_request (f->server, WATCHDOG_SECONDS * 1000);
  g_assert_true (gst_structure_get_int64 (request, "seed", &seed) && seed == 4);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
#define ADD(name) g_test_add_func ("/errors/" #name, test_##name)
  ADD (settings_that_cannot_work_are_refused);
  ADD (buffering_out_of_range_is_refused_by_the_property);
  ADD (an_unknown_app_is_an_error);
  ADD (an_app_that_was_mistyped_is_named);
  ADD (the_application_is_told_before_upstream);
  ADD (a_refused_token_is_an_error_and_stays_secret);
  ADD (an_unreachable_host_is_an_error);
  ADD (a_silent_host_is_given_up_after_the_connect_timeout);
  ADD (null_may_come_at_the_deadline);
  ADD (inputs_that_the_model_refuses_end_after_a_number_in_a_row);
  ADD (a_request_too_big_for_its_server_names_what_makes_it_small);
  ADD (a_bad_parameters_json_while_playing_is_a_warning);
  return fixture_run ();
}
