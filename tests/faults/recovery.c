/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A server that goes and comes back, freezes, loads its model: what is told, and how soon results
 * come again. */
#include "camera.h"
#include "fault-table.h"
#include "server-process.h"

#include <string.h>

#define IN_A_HURRY "retry-delay=1 max-retry-delay=20 "

/* ---- an element before a server of its own process ---- */

typedef struct {
  Camera camera;
  ServerProcess *process;
} Scene;

static Fixture *
make_fixture (guint port, const gchar *properties)
{
  g_autofree gchar *description = g_strdup_printf (
      "falrealtimefilter base-uri=ws://127.0.0.1:%u app=test/app/image image-field=image_bytes "
      "image-encoding=bytes throttle-interval=0 timestamp-mode=input token=t %s",
      port, properties);

  return fixture_new_from (description, TRUE);
}

static Scene *
scene_new (const gchar *properties)
{
  Scene *scene = g_new0 (Scene, 1);

  scene->camera.invariants = invariants_new ();
  scene->process = server_process_new ();
  scene->camera.f = make_fixture (server_process_get_port (scene->process), properties);
  invariants_begin (scene->camera.invariants, scene->camera.f, 1, FAL_WINDOW_MAX_UNANSWERED);
  fixture_set_size (scene->camera.f, FRAME_SIZE, FRAME_SIZE);
  return scene;
}

static void
scene_free (Scene *scene)
{
  invariants_stop (scene->camera.invariants);
  fixture_free (scene->camera.f);
  server_process_free (scene->process);
  invariants_free (scene->camera.invariants);
  g_free (scene);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Scene, scene_free)

/* ---- gone and back ---- */

/* With the default delays; the newest frame goes first. */
static void
test_a_killed_server_is_found_within_a_second_of_its_return (void)
{
  g_autoptr (Scene) scene = scene_new ("");
  gint64 back;
  guint returned;

  camera_push_until_results (&scene->camera, 3);
  server_process_kill (scene->process);
  camera_push_until_warning (&scene->camera, "the connection ");
  camera_push_for (&scene->camera, 2000);
  server_process_start (scene->process);
  back = g_get_monotonic_time ();
  returned = scene->camera.pushed;
  camera_push_until_results (&scene->camera, 1);
  g_assert_cmpint (g_get_monotonic_time () - back, <, PATIENCE * G_USEC_PER_SEC);
  g_assert_cmpuint (invariants_get_newest (scene->camera.invariants), >=, returned - 1);
  camera_push_until_results (&scene->camera, 3);
  fixture_expect_no_message (scene->camera.f);
}

/* Each outage is told once, and ends with a result. */
static void
test_a_server_that_goes_up_and_down (void)
{
  g_autoptr (Scene) scene = scene_new (IN_A_HURRY);

  for (guint i = 0; i < 5; i++) {
    camera_push_until_results (&scene->camera, 3);
    fixture_expect_no_message (scene->camera.f);
    server_process_kill (scene->process);
    camera_push_until_warning (&scene->camera, "the connection ");
    camera_push_for (&scene->camera, 20 * i);
    server_process_start (scene->process);
  }
  camera_push_until_results (&scene->camera, 3);
  fixture_expect_no_message (scene->camera.f);
  g_assert_cmpuint (fixture_stat (scene->camera.f, "connections"), ==, 6);
}

/* Its kernel takes requests and new connections meanwhile. What it answers when it runs again is
 * for connections that are no more. */
static void
test_a_server_that_freezes_for_longer_than_requests_are_waited_for (void)
{
  g_autoptr (Scene) scene = scene_new (IN_A_HURRY "request-timeout=200 connect-timeout=200");

  for (guint i = 0; i < 2; i++) {
    camera_push_until_results (&scene->camera, 3);
    fixture_expect_no_message (scene->camera.f);
    server_process_freeze (scene->process);
    camera_push_until_warning (&scene->camera, "requests got no answer");
    camera_push_for (&scene->camera, 600);
    g_assert_cmpuint (fixture_stat (scene->camera.f, "frames-waiting"), <=, 1);
    server_process_thaw (scene->process);
  }
  camera_push_until_results (&scene->camera, 3);
  fixture_expect_no_message (scene->camera.f);
}

static void
test_a_server_that_freezes_for_a_moment_keeps_its_connection (void)
{
  g_autoptr (Scene) scene = scene_new ("");

  camera_push_until_results (&scene->camera, 3);
  server_process_freeze (scene->process);
  camera_push_for (&scene->camera, 300);
  server_process_thaw (scene->process);
  camera_push_until_results (&scene->camera, 3);
  g_assert_cmpuint (fixture_stat (scene->camera.f, "connections"), ==, 1);
  fixture_expect_no_message (scene->camera.f);
}

/* ---- with default timeouts: the one test that takes long ---- */

/* The text of the only message so far; NULL: none. */
static gchar *
pop_warning (Fixture *f)
{
  g_autoptr (GstMessage) message =
      gst_bus_pop_filtered (f->bus, GST_MESSAGE_WARNING | GST_MESSAGE_ERROR);
  g_autoptr (GError) error = NULL;

  if (message == NULL)
    return NULL;
  gst_message_parse_warning (message, &error, NULL);
  fixture_expect_no_message (f);
  return g_strdup (error->message);
}

/* A frame each, and what it leads to. */
static void
push_to_all (Scene *scene, Fixture **others, gchar **texts)
{
  camera_push (&scene->camera);
  for (guint i = 0; i < 2; i++) {
    fixture_push (others[i], invariants_make_frame (scene->camera.pushed));
    if (texts[i] == NULL)
      texts[i] = pop_warning (others[i]);
  }
  if (texts[2] == NULL)
    texts[2] = pop_warning (scene->camera.f);
}

static void
free_texts (gchar **texts)
{
  for (guint i = 0; i < 3; i++) {
    g_test_message ("%s", texts[i]);
    g_free (texts[i]);
  }
}

/* A peer that is gone without a word is found within 15 s, whether requests expire or are waited
 * for without end; a model that loads meanwhile, behind a server that answers pings, is told apart.
 */
static void
test_gone_or_loading_is_known_within_fifteen_seconds (void)
{
  g_autoptr (Scene) scene = scene_new ("");
  Fixture *loading = fixture_new_live (NULL, "timestamp-mode=input");
  Fixture *others[] = {
    make_fixture (server_process_get_port (scene->process), "request-timeout=0"), loading
  };
  gchar *texts[3] = { NULL };
  gint64 began;

  fixture_set_size (others[0], FRAME_SIZE, FRAME_SIZE);
  fixture_push (others[0], invariants_make_frame (0));
  gst_buffer_unref (fixture_pull (others[0]));
  fal_server_set_mute (loading->server, TRUE);
  fixture_set_size (loading, FRAME_SIZE, FRAME_SIZE);
  camera_push_until_results (&scene->camera, 3);
  server_process_freeze (scene->process);
  began = g_get_monotonic_time ();
  REPEAT_UNTIL (scene->camera.f->element, texts[0] && texts[1] && texts[2],
      push_to_all (scene, others, texts));
  g_assert_cmpint (g_get_monotonic_time () - began, <, PATIENCE * 15 * G_USEC_PER_SEC);
  g_assert_nonnull (strstr (texts[0], "the server is gone"));
  g_assert_nonnull (strstr (texts[1], "the model may still be loading"));
  g_assert_nonnull (strstr (texts[2], "the server is gone"));
  server_process_thaw (scene->process);
  camera_push_until_results (&scene->camera, 3);
  free_texts (texts);
  fixture_free (others[0]);
  fixture_free (loading);
}

/* ---- loading or dead ---- */

#define PINGS                                                                                      \
  {                                                                                                \
    PEER_FRAME, 9, .bytes = "?", .times = 1000, .pause = 10000                                     \
  }

static const FaultRow silences[] = {
  { "dead-from-the-beginning", SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT }, { PEER_STALL }),
      .properties = "request-timeout=200", .outage = RESOURCE (READ, "requests got no answer"),
      .connections = 2 },
  { "loading", SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT }, PINGS),
      .properties = "request-timeout=200",
      .outage = RESOURCE (READ, "the model may still be loading"), .connections = 2 },
  { "loading-for-long",
      SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT }, PINGS, { PEER_NEXT }, { PEER_UPGRADE },
          { PEER_AWAIT }, PINGS, { PEER_NEXT }, { PEER_UPGRADE }, { PEER_AWAIT }, PINGS),
      .properties = "request-timeout=100",
      .outage = RESOURCE (READ, "the model may still be loading"), .connections = 4 },
  /* It begins anew with each connection. */
  { "loading-for-longer-than-an-answer-may-take",
      SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT },
          { PEER_FRAME, 9, .bytes = "?", .times = 40, .pause = 10000 }, { PEER_ANSWER },
          { PEER_SERVE }),
      .for_ever = TRUE, .properties = "request-timeout=100",
      .outage = RESOURCE (READ, "the model may still be loading") },
  { "results-that-stop-while-pings-go-on",
      SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT }, { PEER_ANSWER }, { PEER_AWAIT }, PINGS),
      .properties = "request-timeout=200", .outage = RESOURCE (READ, "requests got no answer"),
      .connections = 2 },
};

/* A frame, and a word of the server's. */
static void
push_and_say (Fixture *f, guint n)
{
  static const gchar text[] = "{\"type\":\"x-fal-news\"}";
  g_autoptr (GBytes) message = g_bytes_new_static (text, strlen (text));

  fixture_push (f, invariants_make_frame (n));
  fal_server_send (f->server, message, TRUE);
}

/* The same until there are @wanted of the statistic. */
static void
say_until (Fixture *f, const gchar *stat, guint wanted)
{
  guint n = 0;

  REPEAT_UNTIL (f->element, fixture_stat (f, stat) >= wanted, push_and_say (f, n++));
}

/* A late reply of an app known to echo ids cannot meet another frame: its queue is not given up. */
static void
test_a_known_app_keeps_its_connection_while_it_loads (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL,
      "timestamp-mode=input request-timeout=500 max-in-flight=2 app=fal-ai/fast-lcm-diffusion");
  g_autofree gchar *text = NULL;

  fal_server_set_mute (f->server, TRUE);
  fixture_set_size (f, FRAME_SIZE, FRAME_SIZE);
  say_until (f, "expired", 4);
  text = pop_warning (f);
  g_assert_nonnull (text);
  g_assert_nonnull (strstr (text, "the model may still be loading"));
  g_assert_cmpstr (fixture_get_state (f), ==, "warming-up");
  fal_server_set_mute (f->server, FALSE);
  say_until (f, "results", 3);
  gst_buffer_unref (fixture_pull (f));
  g_assert_cmpstr (fixture_get_state (f), ==, "connected");
  g_assert_cmpuint (fal_server_get_connections (f->server), ==, 1);
  fixture_expect_no_message (f);
}

int
main (int argc, char **argv)
{
  invariants_init (&argc, &argv);
  FAULT_TABLE_ADD ("recovery/silence", silences);
#define ADD(name) g_test_add_func ("/recovery/" #name, test_##name)
  ADD (a_killed_server_is_found_within_a_second_of_its_return);
  ADD (a_server_that_goes_up_and_down);
  ADD (a_server_that_freezes_for_longer_than_requests_are_waited_for);
  ADD (a_server_that_freezes_for_a_moment_keeps_its_connection);
  ADD (a_known_app_keeps_its_connection_while_it_loads);
  ADD (gone_or_loading_is_known_within_fifteen_seconds);
  return g_test_run ();
}
