/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "far-server.h"

#include <string.h>

#define FOUND (15 * G_USEC_PER_SEC) /* a peer that is gone, at the latest */

static void
start_server (gpointer data)
{
  static const FalServerOptions options = { .address = THEIR_ADDRESS, .effect = "echo" };
  FalServer **server = data;

  *server = fixture_start_server (&options);
}

/* Credentials go unencrypted to another machine only where that is allowed. */
static Fixture *
make_fixture (FarServer *far, const gchar *host, const gchar *properties, gboolean live)
{
  const gchar *port = strrchr (fal_server_get_uri (far->server), ':');
  g_autofree gchar *description =
      g_strdup_printf ("falrealtimefilter base-uri=ws://%s%s app=test/app/image "
                       "image-field=image_bytes image-encoding=bytes throttle-interval=0 "
                       "timestamp-mode=input token=t allow-insecure=true %s",
          host ? host : THEIR_ADDRESS, port, properties ? properties : "");

  return fixture_new_from (description, live);
}

FarServer *
far_server_new (const gchar *host, const gchar *properties, gboolean live)
{
  FarServer *far = g_new0 (FarServer, 1);
  Camera *camera = &far->camera;

  networks_connect (OUR_ADDRESS);
  camera->invariants = invariants_new ();
  networks_call_there (start_server, &far->server);
  camera->f = make_fixture (far, host, properties, live);
  invariants_begin (camera->invariants, camera->f, live ? 1 : 0, FAL_WINDOW_MAX_UNANSWERED);
  fixture_set_size (camera->f, FRAME_SIZE, FRAME_SIZE);
  return far;
}

void
far_server_free (FarServer *far)
{
  invariants_stop (far->camera.invariants);
  fixture_free (far->camera.f);
  fal_server_free (far->server);
  invariants_free (far->camera.invariants);
  networks_disconnect ();
  g_free (far);
}

static void
tell_time (const gchar *what, gint64 began)
{
  gint64 took = g_get_monotonic_time () - began;

  g_test_message ("%s after %d ms", what, (gint) (took / G_TIME_SPAN_MILLISECOND));
}

void
far_server_expect_gone (FarServer *far)
{
  gint64 began = g_get_monotonic_time ();

  EXPECT_WITHIN (FOUND, camera_push_until_warning (&far->camera, "the server is gone"));
  tell_time ("found", began);
}

/* Pushes until frame @n, or a later one, has its result. */
static void
push_until_result_of (Camera *camera, guint n)
{
  REPEAT_UNTIL (
      camera->f->element, invariants_get_newest (camera->invariants) >= n, camera_push (camera));
}

void
far_server_expect_results (FarServer *far, gint64 limit)
{
  gint64 began = g_get_monotonic_time ();
  guint next = far->camera.pushed;

  EXPECT_WITHIN (limit, push_until_result_of (&far->camera, next));
  tell_time ("a result", began);
  camera_push_until_results (&far->camera, 3);
  fixture_expect_no_message (far->camera.f);
}

void
far_server_check_all_was_answered (FarServer *far)
{
  Fixture *f = far->camera.f;

  g_assert_cmpuint (fixture_stat (f, "answered"), ==, fixture_stat (f, "frames-sent"));
  g_assert_cmpuint (fixture_stat (f, "requests-repeated"), ==, 0);
  g_assert_cmpuint (fal_server_get_connections (far->server), ==, 1);
  fixture_expect_no_message (f);
}
