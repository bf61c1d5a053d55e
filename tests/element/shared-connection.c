/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Elements with one connection-key share one connection: each gets what it asked for. */
#include "fixture.h"
#include <string.h>

#define SIZE 32

/* Several elements before one server. */
typedef struct {
  FalServer *server;
  GstHarness *harness[4];
  guint n;
} Group;

static GstHarness *
join (Group *group, const gchar *properties)
{
  g_autofree gchar *description =
      g_strdup_printf ("falrealtimefilter base-uri=%s app=test/app/image image-field=image_bytes "
                       "image-encoding=bytes throttle-interval=0 connection-key=both %s",
          fal_server_get_uri (group->server), properties ? properties : "");
  GstHarness *harness = gst_harness_new_parse (description);

  g_assert_nonnull (harness);
  gst_harness_set_live (harness, FALSE);
  gst_harness_set_src_caps_str (
      harness, "video/x-raw,format=RGB,width=32,height=32,framerate=30/1");
  group->harness[group->n++] = harness;
  return harness;
}

static Group *
group_new (const FalServerOptions *options, guint members)
{
  Group *group = g_new0 (Group, 1);

  group->server = fixture_start_server (options);
  while (group->n < members)
    join (group, NULL);
  return group;
}

static void
group_free (Group *group)
{
  for (guint i = 0; i < group->n; i++) {
    if (group->harness[i] != NULL)
      gst_harness_teardown (group->harness[i]);
  }
  fal_server_free (group->server);
  g_free (group);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Group, group_free)

static void
push (GstHarness *harness, guint colour, guint n)
{
  g_assert_cmpint (
      gst_harness_push (harness, fixture_frame (SIZE, SIZE, colour, n)), ==, GST_FLOW_OK);
}

static guint64
get_stat (GstHarness *harness, const gchar *name)
{
  g_autoptr (GstElement) element = gst_harness_find_element (harness, "falrealtimefilter");
  g_autoptr (GstStructure) stats = NULL;
  guint64 value = 0;

  g_object_get (element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_uint64 (stats, name, &value));
  return value;
}

/* The next result, whose colour must be @colour's and whose time that of frame @n. */
static void
expect (GstHarness *harness, guint colour, guint n)
{
  g_autoptr (GstBuffer) buffer = gst_harness_pull (harness);
  g_autoptr (GstCaps) caps = NULL;
  Fixture fixture = { NULL, harness };

  g_assert_nonnull (buffer);
  g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, gst_util_uint64_scale (n, GST_SECOND, 30));
  assert_colour (fixture_colour (&fixture, buffer), colour, 8);
}

static const guint colours[] = { 0xc02020, 0x20c020, 0x2020c0 };

static void
check_each_gets_its_own (const FalServerOptions *options)
{
  g_autoptr (Group) group = group_new (options, 3);

  for (guint n = 0; n < 20; n++)
    for (guint i = 0; i < group->n; i++)
      push (group->harness[i], colours[i], n);
  for (guint n = 0; n < 20; n++)
    for (guint i = 0; i < group->n; i++)
      expect (group->harness[i], colours[i], n);
  g_assert_cmpuint (fal_server_get_connections (group->server), ==, 1);
  g_assert_cmpuint (fal_server_get_requests (group->server), ==, 60);
}

static void
test_one_connection (void)
{
  const FalServerOptions options = { .effect = "echo" };

  check_each_gets_its_own (&options);
}

static void
test_one_connection_without_ids (void)
{
  const FalServerOptions options = { .effect = "echo", .no_echo_request_id = TRUE };

  check_each_gets_its_own (&options);
}

/* A model that is always busy serves each as often as the other. */
static void
check_fair (const FalServerOptions *options)
{
  g_autoptr (Group) group = group_new (options, 2);
  guint n = 0;

  for (guint i = 0; i < group->n; i++)
    gst_harness_set (group->harness[i], "falrealtimefilter", "leaky", 2, NULL);
  while (get_stat (group->harness[0], "results") + get_stat (group->harness[1], "results") < 60) {
    for (guint i = 0; i < group->n; i++)
      push (group->harness[i], colours[i], n);
    n++;
    g_usleep (1000);
  }
  for (guint i = 0; i < group->n; i++) {
    g_test_message (
        "member %u: %" G_GUINT64_FORMAT " results", i, get_stat (group->harness[i], "results"));
    g_assert_cmpuint (get_stat (group->harness[i], "results"), >=, 20);
  }
}

static void
test_fair_shares (void)
{
  const FalServerOptions options = { .effect = "echo", .delay_ms = 5 };

  check_fair (&options);
}

static void
test_fair_shares_without_ids (void)
{
  const FalServerOptions options = { .effect = "echo", .delay_ms = 5, .no_echo_request_id = TRUE };

  check_fair (&options);
}

/* The connection outlives the member that opened it, and ends with the last one. */
static void
test_the_last_one_closes (void)
{
  const FalServerOptions options = { .effect = "echo" };
  g_autoptr (Group) group = group_new (&options, 2);
  gint64 watchdog = g_get_monotonic_time () + WATCHDOG_SECONDS * G_USEC_PER_SEC;

  push (group->harness[0], colours[0], 0);
  expect (group->harness[0], colours[0], 0);
  g_clear_pointer (&group->harness[0], gst_harness_teardown);
  for (guint n = 0; n < 3; n++) {
    push (group->harness[1], colours[1], n);
    expect (group->harness[1], colours[1], n);
  }
  g_assert_cmpuint (fal_server_get_connections (group->server), ==, 1);
  g_assert_cmpuint (fal_server_get_open (group->server), ==, 1);
  g_clear_pointer (&group->harness[1], gst_harness_teardown);
  while (fal_server_get_open (group->server) > 0) {
    g_assert_cmpint (g_get_monotonic_time (), <, watchdog);
    g_usleep (1000);
  }
}

/* What a member asked for that has left is answered to nobody. */
static void
test_a_leaver_takes_its_answers_along (void)
{
  const FalServerOptions options = { .effect = "echo", .no_echo_request_id = TRUE };
  g_autoptr (Group) group = group_new (&options, 2);
  gint64 watchdog = g_get_monotonic_time () + WATCHDOG_SECONDS * G_USEC_PER_SEC;

  fal_server_set_delay (group->server, 100);
  push (group->harness[0], colours[0], 0);
  while (fal_server_get_requests (group->server) == 0) {
    g_assert_cmpint (g_get_monotonic_time (), <, watchdog);
    g_usleep (500);
  }
  push (group->harness[1], colours[1], 0);
  g_clear_pointer (&group->harness[0], gst_harness_teardown);
  expect (group->harness[1], colours[1], 0);
}

/* Both learn of an outage, and one new connection serves both. */
static void
test_an_outage_is_everybodys (void)
{
  const FalServerOptions options = { .effect = "echo" };
  g_autoptr (Group) group = group_new (&options, 2);

  for (guint i = 0; i < group->n; i++) {
    push (group->harness[i], colours[i], 0);
    expect (group->harness[i], colours[i], 0);
  }
  fal_server_close (group->server, 0, NULL);
  for (guint i = 0; i < group->n; i++) {
    push (group->harness[i], colours[i], 1);
    expect (group->harness[i], colours[i], 1);
  }
  g_assert_cmpuint (fal_server_get_connections (group->server), ==, 2);
}

static void
check_refused (const gchar *properties, const gchar *name)
{
  const FalServerOptions options = { .effect = "echo" };
  g_autoptr (Group) group = group_new (&options, 1);
  g_autofree gchar *description =
      g_strdup_printf ("falrealtimefilter base-uri=%s app=test/app/image connection-key=both %s",
          fal_server_get_uri (group->server), properties);
  g_autoptr (GstElement) other = gst_parse_launch (description, NULL);
  g_autoptr (GstBus) bus = gst_bus_new ();
  g_autoptr (GstMessage) message = NULL;
  g_autoptr (GError) error = NULL;

  gst_object_ref_sink (other);
  gst_element_set_bus (other, bus);
  g_assert_cmpint (gst_element_set_state (other, GST_STATE_PAUSED), ==, GST_STATE_CHANGE_FAILURE);
  message = gst_bus_pop_filtered (bus, GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  gst_message_parse_error (message, &error, NULL);
  g_test_message ("%s", error->message);
  g_assert_error (error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS);
  g_assert_nonnull (strstr (error->message, "\"both\""));
  g_assert_nonnull (strstr (error->message, name));
  gst_element_set_state (other, GST_STATE_NULL);
  gst_element_set_bus (other, NULL);
  push (group->harness[0], colours[0], 0);
  expect (group->harness[0], colours[0], 0);
}

static void
test_other_settings_are_refused (void)
{
  check_refused ("app=test/another", "another app");
  check_refused ("token=abc", "another token");
  check_refused ("max-message-size=4096", "another max-message-size");
  check_refused ("extra-headers=\"h,X-A=b\"", "another extra-headers");
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
#define ADD(name, function) g_test_add_func ("/shared-connection/" name, function)
  ADD ("one-connection", test_one_connection);
  ADD ("one-connection-without-ids", test_one_connection_without_ids);
  ADD ("fair-shares", test_fair_shares);
  ADD ("fair-shares-without-ids", test_fair_shares_without_ids);
  ADD ("the-last-one-closes", test_the_last_one_closes);
  ADD ("a-leaver-takes-its-answers-along", test_a_leaver_takes_its_answers_along);
  ADD ("an-outage-is-everybodys", test_an_outage_is_everybodys);
  ADD ("other-settings-are-refused", test_other_settings_are_refused);
  return fixture_run ();
}
