/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Elements with one connection-key share one connection: each gets what it asked for. */
#include "fixture.h"
#include <string.h>

/* Several elements before one server. */
typedef struct {
  FalServer *server;
  Fixture *members[4];
  guint n;
} Group;

static Fixture *
join (Group *group, const gchar *properties)
{
  g_autofree gchar *all = g_strdup_printf ("connection-key=both %s", properties);

  group->members[group->n] = fixture_join (group->server, all);
  return group->members[group->n++];
}

static Group *
group_new (const FalServerOptions *options, guint members)
{
  Group *group = g_new0 (Group, 1);

  group->server = fixture_start_server (options);
  while (group->n < members)
    join (group, "");
  return group;
}

static void
group_free (Group *group)
{
  for (guint i = 0; i < group->n; i++)
    g_clear_pointer (&group->members[i], fixture_free);
  fal_server_free (group->server);
  g_free (group);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Group, group_free)

/* The next result, whose colour must be @colour's and whose time that of frame @n. */
static void
expect (Fixture *member, guint colour, guint n)
{
  g_autoptr (GstBuffer) buffer = fixture_pull (member);

  g_assert_cmpuint (GST_BUFFER_PTS (buffer), ==, gst_util_uint64_scale (n, GST_SECOND, 30));
  assert_colour (fixture_colour (member, buffer), colour, 8);
}

static const guint colours[] = { 0xc02020, 0x20c020, 0x2020c0 };

static void
check_each_gets_its_own (const FalServerOptions *options)
{
  g_autoptr (Group) group = group_new (options, 3);

  for (guint n = 0; n < 20; n++)
    for (guint i = 0; i < group->n; i++)
      fixture_push_colour (group->members[i], colours[i], n);
  for (guint n = 0; n < 20; n++)
    for (guint i = 0; i < group->n; i++)
      expect (group->members[i], colours[i], n);
  g_assert_cmpuint (fal_server_get_connections (group->server), ==, 1);
  g_assert_cmpuint (fal_server_get_requests (group->server), ==, 60);
}

static void
test_one_connection (void)
{
  const FalServerOptions options = { .effect = "echo" };

  check_each_gets_its_own (&options);
}

static gboolean
is_shared (Fixture *f)
{
  g_autoptr (GstStructure) stats = NULL;
  gboolean shared;

  g_object_get (f->element, "stats", &stats, NULL);
  g_assert_true (gst_structure_get_boolean (stats, "connection-shared", &shared));
  return shared;
}

/* Each of several elements counts the same one. */
static void
test_a_connection_of_several_can_be_told_from_a_private_one (void)
{
  const FalServerOptions options = { .effect = "echo" };
  g_autoptr (Group) group = group_new (&options, 2);
  g_autoptr (Fixture) alone = fixture_join (group->server, "");
  guint64 bytes;

  fixture_push_and_pull (alone, 0);
  g_assert_false (is_shared (alone));
  bytes = fixture_stat (alone, "bytes-sent");
  for (guint n = 0; n < 2; n++)
    for (guint i = 0; i < group->n; i++) {
      fixture_push_colour (group->members[i], colours[i], n);
      expect (group->members[i], colours[i], n);
    }
  for (guint i = 0; i < group->n; i++) {
    g_assert_true (is_shared (group->members[i]));
    g_assert_cmpuint (fixture_stat (group->members[i], "connections"), ==, 1);
    g_assert_cmpuint (fixture_stat (group->members[i], "bytes-sent"), >, 2 * bytes);
  }
  g_signal_emit_by_name (group->members[0]->element, "reset-stats");
  g_assert_true (is_shared (group->members[0]));
}

static void
test_one_connection_without_ids (void)
{
  const FalServerOptions options = { .effect = "echo", .no_echo_request_id = TRUE };

  check_each_gets_its_own (&options);
}

/* What the server says while requests of both are under way takes neither's place. */
static void
check_noise (const FalServerOptions *options, const gchar *noise, const gchar *stat)
{
  g_autoptr (Group) group = group_new (options, 2);
  g_autoptr (GBytes) message = g_bytes_new (noise, strlen (noise));

  for (guint i = 0; i < group->n; i++)
    fixture_push_colour (group->members[i], colours[i], 0);
  for (guint i = 0; i < group->n; i++)
    expect (group->members[i], colours[i], 0);
  fal_server_set_delay (group->server, 100);
  for (guint i = 0; i < group->n; i++)
    fixture_push_colour (group->members[i], colours[i], 1);
  WAIT_UNTIL (group->members[0]->element, fal_server_get_requests (group->server) > 2);
  for (guint i = 0; i < 3; i++)
    fal_server_send (group->server, message, TRUE);
  for (guint i = 0; i < group->n; i++)
    expect (group->members[i], colours[i], 1);
  g_assert_cmpuint (
      fixture_stat (group->members[0], stat) + fixture_stat (group->members[1], stat), ==, 3);
  for (guint i = 0; i < group->n; i++)
    fixture_expect_no_message (group->members[i]);
}

static void
test_messages_are_nobodys_answer (void)
{
  const FalServerOptions options = { .effect = "echo" };

  check_noise (&options, "{\"progress\":0.5}", "messages-ignored");
}

static void
test_messages_are_nobodys_answer_without_ids (void)
{
  const FalServerOptions options = { .effect = "echo", .no_echo_request_id = TRUE };

  check_noise (&options, "{\"progress\":0.5}", "messages-ignored");
}

static void
test_foreign_ids_are_nobodys (void)
{
  const FalServerOptions options = { .effect = "echo" };

  check_noise (&options, "{\"images\":[\"YWJj\"],\"request_id\":\"x\"}", "results-foreign");
}

/* ---- fair shares ---- */

/* How many turns are looked at. */
#define TURNS 40

/* Whose the next request at the server is: members[0] asks for "0", members[1] for "1". */
static guint
pop_asker (Group *group)
{
  g_autoptr (GstStructure) request =
      fal_server_pop_request (group->server, WATCHDOG_SECONDS * 1000);

  g_assert_nonnull (request);
  return g_str_equal (gst_structure_get_string (request, "prompt"), "1");
}

/* The assertion of fairness: of the turns in which both had a frame to send, neither got less than
 * a third. No clock has a part in it, nor who got the processor. */
static void
assert_fair (const guint turns[2])
{
  g_test_message ("%u and %u turns", turns[0], turns[1]);
  g_assert_cmpuint (turns[0], >=, (turns[0] + turns[1]) / 3);
  g_assert_cmpuint (turns[1], >=, (turns[0] + turns[1]) / 3);
}

/* Both have all their frames waiting before the server lets them in, so that each turn counts. */
static void
check_fair_queues (const FalServerOptions *options)
{
  g_autoptr (Group) group = group_new (options, 0);
  guint turns[2] = { 0 };

  fal_server_set_refusal (group->server, 503);
  join (group, "prompt=0 max-buffering=60 retry-delay=1 max-retry-delay=10 retries=-1");
  join (group, "prompt=1 max-buffering=60 retry-delay=1 max-retry-delay=10 retries=-1");
  for (guint n = 0; n < TURNS; n++)
    for (guint i = 0; i < group->n; i++)
      fixture_push_colour (group->members[i], colours[i], n);
  fal_server_set_refusal (group->server, 0);
  while (turns[0] + turns[1] < TURNS)
    turns[pop_asker (group)]++;
  assert_fair (turns);
  for (guint n = 0; n < TURNS; n++)
    for (guint i = 0; i < group->n; i++)
      expect (group->members[i], colours[i], n);
}

/* Gives both a new frame; whether both have one that waits while the server has got no more than
 * @requests. */
static gboolean
give_both_one (Group *group, guint n, guint requests)
{
  gboolean all = TRUE;

  for (guint i = 0; i < group->n; i++)
    fixture_push_colour (group->members[i], colours[i], n);
  for (guint i = 0; i < group->n; i++)
    all = all && fixture_stat (group->members[i], "frames-waiting") > 0;
  return all && fal_server_get_requests (group->server) == requests;
}

/* Each has its newest frame waiting. A turn counts where that was so before it came. */
static void
check_fair_newest_frames (const FalServerOptions *options)
{
  g_autoptr (Group) group = group_new (options, 0);
  guint turns[2] = { 0 }, n = 0;

  join (group, "prompt=0 leaky=downstream");
  join (group, "prompt=1 leaky=downstream");
  while (turns[0] + turns[1] < TURNS) {
    gboolean both = give_both_one (group, n, n);
    guint asker = pop_asker (group);

    turns[asker] += both;
    g_assert_cmpuint (++n, <, 100 * TURNS);
  }
  assert_fair (turns);
}

/* A model that is always busy. */
static const FalServerOptions busy = { .effect = "echo", .delay_ms = 5 };
static const FalServerOptions busy_without_ids = {
  .effect = "echo", .delay_ms = 5, .no_echo_request_id = TRUE
};

static void
test_fair_shares_of_queues (void)
{
  check_fair_queues (&busy);
}

static void
test_fair_shares_of_queues_without_ids (void)
{
  check_fair_queues (&busy_without_ids);
}

static void
test_fair_shares_of_newest_frames (void)
{
  check_fair_newest_frames (&busy);
}

static void
test_fair_shares_of_newest_frames_without_ids (void)
{
  check_fair_newest_frames (&busy_without_ids);
}

/* The connection outlives the member that opened it, and ends with the last one. */
static void
test_the_last_one_closes (void)
{
  const FalServerOptions options = { .effect = "echo" };
  g_autoptr (Group) group = group_new (&options, 2);

  fixture_push_colour (group->members[0], colours[0], 0);
  expect (group->members[0], colours[0], 0);
  g_clear_pointer (&group->members[0], fixture_free);
  for (guint n = 0; n < 3; n++) {
    fixture_push_colour (group->members[1], colours[1], n);
    expect (group->members[1], colours[1], n);
  }
  g_assert_cmpuint (fal_server_get_connections (group->server), ==, 1);
  g_assert_cmpuint (fal_server_get_open (group->server), ==, 1);
  g_clear_pointer (&group->members[1], fixture_free);
  WAIT_UNTIL (NULL, fal_server_get_open (group->server) == 0);
}

/* What a member asked for that has left is answered to nobody. */
static void
test_a_leaver_takes_its_answers_along (void)
{
  const FalServerOptions options = { .effect = "echo", .no_echo_request_id = TRUE };
  g_autoptr (Group) group = group_new (&options, 2);

  fal_server_set_delay (group->server, 100);
  fixture_push_colour (group->members[0], colours[0], 0);
  WAIT_UNTIL (group->members[0]->element, fal_server_get_requests (group->server) > 0);
  fixture_push_colour (group->members[1], colours[1], 0);
  g_clear_pointer (&group->members[0], fixture_free);
  expect (group->members[1], colours[1], 0);
}

/* ---- handing over ---- */

#define HANDOVERS 30

/* The moment in which a member is told that the connection is open: the net thread stays in it. */
typedef struct {
  Fixture *member;
  gint reached, over; /* atomic */
} Moment;

static void
stay (GObject *element, GParamSpec *spec, gpointer data)
{
  Moment *moment = data;

  if (!g_str_equal (fixture_get_state (moment->member), "warming-up"))
    return;
  g_atomic_int_set (&moment->reached, TRUE);
  WAIT_UNTIL (NULL, g_atomic_int_get (&moment->over));
}

static gpointer
stop_member (gpointer data)
{
  Fixture *member = data;

  gst_element_set_state (member->harness->element, GST_STATE_NULL);
  return NULL;
}

/* The second is done once the server's loop has written the first. */
static void
send_two_messages (FalServer *server)
{
  static const gchar text[] =
      "{\"type\":\"x-fal-message\",\"action\":\"timings\",\"timings\":{\"inference\":0.01}}";
  g_autoptr (GBytes) message = g_bytes_new_static (text, strlen (text));

  for (guint i = 0; i < 2; i++)
    fal_server_send (server, message, TRUE);
}

/* @group's only member opens the connection anew, and leaves it to another in one breath of the net
 * thread: then the newcomer is the one who reads, and there are messages to be read. */
static void
hand_over (Group *group)
{
  Moment moment = { group->members[0] };
  guint connections = fal_server_get_connections (group->server);
  GThread *stopping;

  g_signal_connect (moment.member->element, "notify::connection-state", G_CALLBACK (stay), &moment);
  g_signal_emit_by_name (moment.member->element, "reconnect");
  WAIT_UNTIL (moment.member->element, g_atomic_int_get (&moment.reached));
  WAIT_UNTIL (NULL, fal_server_get_connections (group->server) > connections);
  join (group, "");
  stopping = g_thread_new ("stopping", stop_member, moment.member);
  send_two_messages (group->server);
  pace_for (2000);
  g_atomic_int_set (&moment.over, TRUE);
  g_thread_join (stopping);
  fixture_free (moment.member);
  group->members[0] = group->members[1];
  group->n = 1;
}

static void
test_a_member_that_takes_over_is_ready (void)
{
  const FalServerOptions options = { .effect = "echo" };
  g_autoptr (Group) group = group_new (&options, 1);

  for (guint i = 0; i < HANDOVERS; i++) {
    fixture_push_colour (group->members[0], colours[i % 3], 0);
    expect (group->members[0], colours[i % 3], 0);
    hand_over (group);
  }
  fixture_push_colour (group->members[0], colours[0], 0);
  expect (group->members[0], colours[0], 0);
}

/* ---- outages and settings ---- */

/* Both learn of an outage, and one new connection serves both. */
static void
test_an_outage_is_everybodys (void)
{
  const FalServerOptions options = { .effect = "echo" };
  g_autoptr (Group) group = group_new (&options, 2);

  for (guint i = 0; i < group->n; i++) {
    fixture_push_colour (group->members[i], colours[i], 0);
    expect (group->members[i], colours[i], 0);
  }
  fal_server_close (group->server, 0, NULL);
  for (guint i = 0; i < group->n; i++) {
    fixture_push_colour (group->members[i], colours[i], 1);
    expect (group->members[i], colours[i], 1);
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
  g_autofree gchar *text = take_refusal (description);

  assert_says (text, "\"both\"");
  assert_says (text, name);
  fixture_push_colour (group->members[0], colours[0], 0);
  expect (group->members[0], colours[0], 0);
}

static void
test_other_settings_are_refused (void)
{
  check_refused ("app=test/another", "another value of app");
  check_refused ("token=abc", "another value of token");
  check_refused ("max-message-size=4096", "another value of max-message-size");
  check_refused ("extra-headers=\"h,X-A=b\"", "another value of extra-headers");
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
#define ADD(name, function) g_test_add_func ("/shared-connection/" name, function)
  ADD ("one-connection", test_one_connection);
  ADD ("one-connection-without-ids", test_one_connection_without_ids);
  ADD ("a-connection-of-several-can-be-told-from-a-private-one",
      test_a_connection_of_several_can_be_told_from_a_private_one);
  ADD ("messages-are-nobodys-answer", test_messages_are_nobodys_answer);
  ADD ("messages-are-nobodys-answer-without-ids", test_messages_are_nobodys_answer_without_ids);
  ADD ("foreign-ids-are-nobodys", test_foreign_ids_are_nobodys);
  ADD ("fair-shares-of-queues", test_fair_shares_of_queues);
  ADD ("fair-shares-of-queues-without-ids", test_fair_shares_of_queues_without_ids);
  ADD ("fair-shares-of-newest-frames", test_fair_shares_of_newest_frames);
  ADD ("fair-shares-of-newest-frames-without-ids", test_fair_shares_of_newest_frames_without_ids);
  ADD ("the-last-one-closes", test_the_last_one_closes);
  ADD ("a-leaver-takes-its-answers-along", test_a_leaver_takes_its_answers_along);
  ADD ("a-member-that-takes-over-is-ready", test_a_member_that_takes_over_is_ready);
  ADD ("an-outage-is-everybodys", test_an_outage_is_everybodys);
  ADD ("other-settings-are-refused", test_other_settings_are_refused);
  return fixture_run ();
}
