/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is closed is closed: at every phase of connecting nothing stays open and nothing is sent,
 * and what an old connection still brings does not touch the new one. */
#include "fault-table.h"
#include "peer-fixture.h"

#include <gio/gio.h>
#include <string.h>

/* ---- phases and ways ---- */

typedef struct {
  const gchar *name, *scheme;
  gboolean fetches_token;
  PeerDoor door;
  const PeerStep *script;
  const gchar
      *request; /* that has come when the phase is reached; NULL: a connection has, or none can */
} Phase;

static const Phase phases[] = {
  { "the-token-request", "ws", TRUE, PEER_DOOR_OPEN, SCRIPT ({ PEER_HTTP }), "POST" },
  { "the-token-reply", "ws", TRUE, PEER_DOOR_OPEN,
      SCRIPT ({ PEER_HTTP },
          { PEER_SEND, .bytes = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n\"tok" }),
      "POST" },
  { "the-way-to-the-server", "ws", FALSE, PEER_DOOR_CLOGGED, NULL, NULL },
  { "the-tls-handshake", "wss", FALSE, PEER_DOOR_OPEN, SCRIPT ({ PEER_END }), NULL },
  { "the-upgrade", "ws", FALSE, PEER_DOOR_OPEN, SCRIPT ({ PEER_HTTP }), "GET" },
  { "half-of-the-upgrade", "ws", FALSE, PEER_DOOR_OPEN,
      SCRIPT ({ PEER_HTTP }, { PEER_SEND, .bytes = "HTTP/1.1 101 Swi" }), "GET" },
  { "a-connection-that-stands", "ws", FALSE, PEER_DOOR_OPEN,
      SCRIPT ({ PEER_UPGRADE }, { PEER_AWAIT }), "GET" },
};

typedef enum { TO_NULL, TO_READY, BY_CLOSE, BY_DISABLING, N_WAYS } Way;

static const gchar *const ways[N_WAYS] = { "null", "ready", "close", "enabled" };

/* One small file: the authorities of the system take a sanitized test seconds to read. */
static void
trust_few (Fixture *f)
{
  g_autofree gchar *path = g_build_filename (g_getenv ("FAL_TEST_DATA"), "tls", "ca.pem", NULL);
  g_autoptr (GError) error = NULL;
  g_autoptr (GTlsDatabase) database = g_tls_file_database_new (path, &error);

  g_assert_no_error (error);
  g_object_set (f->element, "tls-database", database, NULL);
}

/* In READY. */
static Fixture *
make_fixture (const Phase *phase, Peer *peer)
{
  guint port = peer_get_port (peer);
  g_autofree gchar *description = g_strdup_printf (
      "falrealtimefilter base-uri=%s://127.0.0.1:%u token-uri=http://127.0.0.1:%u/tokens/ "
      "app=test/app/image image-field=image_bytes image-encoding=bytes throttle-interval=0 "
      "timestamp-mode=input retry-delay=1 %s=k:s",
      phase->scheme, port, port, phase->fetches_token ? "api-key" : "token");
  Fixture *f = fixture_new_from (description, TRUE);

  gst_element_set_state (f->harness->element, GST_STATE_READY);
  trust_few (f);
  return f;
}

static gboolean
is_reached (const Phase *phase, Fixture *f, Peer *peer)
{
  g_autofree gchar *requests = peer_dup_requests (peer);

  if (phase->request)
    return strstr (requests, phase->request) != NULL;
  if (phase->door == PEER_DOOR_CLOGGED)
    return g_str_equal (fixture_get_state (f), "connecting");
  return peer_get_connections (peer) > 0;
}

static void
end_it (Fixture *f, Way way)
{
  switch (way) {
  case TO_NULL:
    gst_element_set_state (f->harness->element, GST_STATE_NULL);
    break;
  case TO_READY:
    gst_element_set_state (f->harness->element, GST_STATE_READY);
    break;
  case BY_CLOSE:
    g_signal_emit_by_name (f->element, "close");
    break;
  case BY_DISABLING:
    g_object_set (f->element, "enabled", FALSE, NULL);
    break;
  case N_WAYS:
    break;
  }
}

/* No socket at the peer, and the element at rest. */
static void
wait_until_peer_is_left (Fixture *f, Peer *peer)
{
  gint64 began = g_get_monotonic_time ();

  WAIT_UNTIL (f->element, peer_get_open (peer) == 0 && g_str_equal (fixture_get_state (f), "idle"));
  g_test_message ("closed in %d us", (gint) (g_get_monotonic_time () - began));
}

static void
run_phase (const Phase *phase, Way way)
{
  const PeerConfig config = { phase->door, phase->script, .for_ever = TRUE };
  g_autoptr (Invariants) invariants = invariants_new ();
  Peer *peer = peer_new (&config);
  Fixture *f = make_fixture (phase, peer);
  guint connections;

  invariants_begin (invariants, f, 1, FAL_WINDOW_MAX_UNANSWERED);
  fixture_play (f);
  fixture_push (f, invariants_make_frame (0));
  WAIT_UNTIL (f->element, is_reached (phase, f, peer));
  end_it (f, way);
  wait_until_peer_is_left (f, peer);
  connections = peer_get_connections (peer);
  fixture_run_another_stream (); /* in the time of which another connection would have come */
  g_assert_cmpuint (peer_get_connections (peer), ==, connections);
  g_assert_cmpuint (connections, <=, 1);
  fixture_expect_no_message (f);
  invariants_stop (invariants);
  fixture_free (f);
  peer_free (peer);
}

static void
test_phase (gconstpointer data)
{
  const Phase *phase = data;

  for (Way way = 0; way < N_WAYS; way++) {
    g_test_message ("%s", ways[way]);
    run_phase (phase, way);
  }
}

/* ---- at any moment ---- */

/* However far it was: what the server let in is closed again, and asked nothing after that. */
static void
test_an_end_at_any_moment_leaves_nothing_open (void)
{
  static const FalServerOptions options = { .api_key = "k:s" };
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  Fixture *f = fixture_new_live (&options, "timestamp-mode=input api-key=k:s");
  guint64 sent = 0; /* until the last time in READY, where the count begins anew */
  g_autofree gchar *token_uri =
      g_strdup_printf ("http%s/tokens/", fal_server_get_uri (f->server) + strlen ("ws"));

  gst_element_set_state (f->harness->element, GST_STATE_NULL);
  g_object_set (f->element, "token-uri", token_uri, NULL);
  fixture_play (f);
  for (guint n = 0; n < 200; n++) {
    fixture_push (f, invariants_make_frame (n));
    pace_for (g_rand_int_range (rand, 0, 4000));
    end_it (f, n % 2 ? BY_CLOSE : TO_READY);
    fixture_wait_until_closed (f);
    g_assert_cmpuint (
        fal_server_get_requests (f->server), <=, sent + fixture_stat (f, "frames-sent"));
    if (n % 2)
      continue;
    sent += fixture_stat (f, "frames-sent");
    fixture_play (f);
  }
  fixture_expect_no_message (f);
  fixture_free (f);
}

/* ---- nothing after the end ---- */

typedef struct {
  Fixture *f;
  GMutex lock; /* around a frame, and the beginning of a stream */
  gint stop;   /* atomic */
} Pusher;

static gpointer
push_on_and_on (gpointer data)
{
  Pusher *pusher = data;

  for (guint n = 0; !g_atomic_int_get (&pusher->stop); n++) {
    g_mutex_lock (&pusher->lock);
    gst_harness_push (pusher->f->harness, invariants_make_frame (n));
    g_mutex_unlock (&pusher->lock);
    pace_for (200);
  }
  return NULL;
}

/* Upstream does not know of it yet, and goes on. */
static void
test_nothing_is_sent_after_the_end (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "timestamp-mode=input");
  Pusher pusher = { f };
  guint64 sent = 0;
  GThread *thread;

  g_mutex_init (&pusher.lock);
  gst_harness_set_drop_buffers (f->harness, TRUE);
  fixture_set_size (f, FRAME_SIZE, FRAME_SIZE);
  thread = g_thread_new ("pusher", push_on_and_on, &pusher);
  for (guint i = 0; i < 20; i++) {
    GstElement *element = f->harness->element;

    WAIT_UNTIL (f->element, fixture_stat (f, "results") > i % 4);
    gst_element_set_state (element, i % 2 ? GST_STATE_NULL : GST_STATE_READY);
    WAIT_UNTIL (element, fal_server_get_open (f->server) == 0);
    sent += fixture_stat (f, "frames-sent");
    fixture_run_another_stream (); /* in the time of which another request would have come */
    g_assert_cmpuint (fal_server_get_requests (f->server), <=, sent);
    g_assert_cmpuint (fal_server_get_connections (f->server), ==, i + 1);
    g_mutex_lock (&pusher.lock);
    fixture_play (f);
    g_mutex_unlock (&pusher.lock);
  }
  g_atomic_int_set (&pusher.stop, TRUE);
  g_thread_join (thread);
  g_mutex_clear (&pusher.lock);
}

/* ---- late words ---- */

#define ERROR_TEXT(error)                                                                          \
  {                                                                                                \
    PEER_FRAME, 1, .bytes = "{\"type\":\"x-fal-error\",\"error\":\"" error "\",\"reason\":\"\"}"   \
  }

/* Each answers one request. When the client has said goodbye, it says all that it can: another
 * picture for that request, errors, a close that would end all. */
static const PeerStep late_words[] = {
  { PEER_UPGRADE },
  { PEER_AWAIT },
  { PEER_ANSWER, 0 },
  { PEER_LINGER },
  { PEER_ANSWER, 0 },
  ERROR_TEXT ("INTERNAL_ERROR"),
  { PEER_FRAME, 1, .bytes = "{\"status\":\"error\",\"error\":\"Unauthorized\"}" },
  { PEER_FRAME, 2, .bytes = "\xc1" },
  { PEER_CLOSE, 1008 },
  { PEER_END },
};

static void
test_late_words_of_an_old_connection_touch_nothing (void)
{
  const PeerConfig config = { PEER_DOOR_OPEN, late_words, .for_ever = TRUE };
  g_autoptr (PeerFixture) p = peer_fixture_new (&config, "request-timeout=0", TRUE);

  for (guint n = 0; n < 40; n++) {
    fixture_push (p->f, invariants_make_frame (n));
    peer_fixture_wait_for_results (p, n + 1);
    g_assert_cmpuint (peer_get_connections (p->peer), ==, n + 1);
    g_signal_emit_by_name (p->f->element, "reconnect");
  }
  fixture_push (p->f, invariants_make_frame (40));
  peer_fixture_wait_for_results (p, 41);
  g_assert_cmpuint (invariants_get_newest (p->invariants), ==, 40);
  g_assert_cmpuint (fixture_stat (p->f, "results"), ==, 41);
  g_assert_cmpuint (fixture_stat (p->f, "failed"), ==, 0);
  fixture_expect_no_message (p->f);
}

/* The server closes in the moment in which the application wants a new connection. */
static void
test_a_close_that_crosses_a_reconnection_ends_one_connection_only (void)
{
  g_autoptr (Fixture) f = fixture_new_live (NULL, "timestamp-mode=input");

  fixture_set_size (f, FRAME_SIZE, FRAME_SIZE);
  for (guint n = 0; n < 40; n++) {
    fixture_push_and_pull (f, n);
    fal_server_close (f->server, 1000, NULL);
    g_signal_emit_by_name (f->element, "reconnect");
  }
  fixture_push_and_pull (f, 40);
  g_assert_cmpuint (fixture_stat (f, "lost"), ==, 0);
  g_assert_cmpuint (fal_server_get_connections (f->server), <=, 81);
  fixture_expect_no_message (f);
}

int
main (int argc, char **argv)
{
  invariants_init (&argc, &argv);
  for (guint i = 0; i < G_N_ELEMENTS (phases); i++) {
    g_autofree gchar *path = g_strdup_printf ("/closing/during/%s", phases[i].name);

    g_test_add_data_func (path, &phases[i], test_phase);
  }
#define ADD(name) g_test_add_func ("/closing/" #name, test_##name)
  ADD (an_end_at_any_moment_leaves_nothing_open);
  ADD (nothing_is_sent_after_the_end);
  ADD (late_words_of_an_old_connection_touch_nothing);
  ADD (a_close_that_crosses_a_reconnection_ends_one_connection_only);
  return g_test_run ();
}
