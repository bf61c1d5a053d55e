/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The peer: the life of one connection as fal's open framework leads it. Server's thread. */
#include "peer.h"
#include "fal/value.h"

#define MAX_MESSAGE_SIZE (16 * 1024 * 1024) /* bytes; more is closed with 1009 */
/* libsoup's own limit cuts a client off in the middle of its sending, so that it may never read
 * the close code: the message is taken whole, up to this, and then refused. */
#define MAX_PAYLOAD_SIZE (4 * MAX_MESSAGE_SIZE)

struct _FalPeer {
  SoupWebsocketConnection *socket;
  GSocket *link;
  const FalPeerRules *rules;
  FalLedger *ledger;
  FalPeerGone gone;
  gpointer user;

  GQueue waiting;   /* GstStructure, oldest first */
  gboolean running; /* an inference: one at a time */
  gint64 started;   /* its begin, µs */
  GBytes *reply;    /* its outcome, held back until its time is over */
  gchar *failure;   /* or why it has none */
  gboolean expired; /* no input for the session's timeout */
  GSource *work_timer, *session_timer;
};

static void
stop_timer (GSource **timer)
{
  if (*timer == NULL)
    return;
  g_source_destroy (*timer);
  g_clear_pointer (timer, g_source_unref);
}

static void
start_timer (FalPeer *peer, GSource **timer, guint delay_ms, GSourceFunc func)
{
  stop_timer (timer);
  *timer = g_timeout_source_new (delay_ms);
  g_source_set_callback (*timer, func, peer, NULL);
  g_source_attach (*timer, g_main_context_get_thread_default ());
}

static gboolean
is_open (FalPeer *peer)
{
  return soup_websocket_connection_get_state (peer->socket) == SOUP_WEBSOCKET_STATE_OPEN;
}

void
fal_peer_send (FalPeer *peer, GBytes *message, gboolean text)
{
  if (is_open (peer))
    soup_websocket_connection_send_message (
        peer->socket, text ? SOUP_WEBSOCKET_DATA_TEXT : SOUP_WEBSOCKET_DATA_BINARY, message);
}

/* No inference, no queue and no timer from here on. */
static void
stop_work (FalPeer *peer)
{
  stop_timer (&peer->work_timer);
  stop_timer (&peer->session_timer);
  g_queue_clear_full (&peer->waiting, (GDestroyNotify) gst_structure_free);
  g_clear_pointer (&peer->reply, g_bytes_unref);
  g_clear_pointer (&peer->failure, g_free);
  peer->running = FALSE;
}

void
fal_peer_close (FalPeer *peer, gushort code, const gchar *reason)
{
  stop_work (peer);
  if (is_open (peer))
    soup_websocket_connection_close (peer->socket, code, reason);
}

static void
send_map (FalPeer *peer, const GstStructure *map)
{
  g_autofree gchar *text = fal_value_to_json (map, NULL);
  g_autoptr (GBytes) message = g_bytes_new (text, strlen (text));

  fal_peer_send (peer, message, TRUE);
}

/* Both errors end the session with a normal close; what was queued is lost. */
static void
end_session (FalPeer *peer, const gchar *error, const gchar *reason)
{
  g_autoptr (GstStructure) map = gst_structure_new ("map", "type", G_TYPE_STRING, "x-fal-error",
      "error", G_TYPE_STRING, error, "reason", G_TYPE_STRING, reason, NULL);

  send_map (peer, map);
  fal_peer_close (peer, SOUP_WEBSOCKET_CLOSE_NORMAL, NULL);
}

static void
fail (FalPeer *peer, const gchar *reason)
{
  end_session (peer, "INTERNAL_ERROR", reason);
}

static void
check_session (FalPeer *peer)
{
  if (peer->expired && !peer->running && is_open (peer))
    end_session (peer, "TIMEOUT", "no inputs, reconnect when needed!");
}

static gboolean
on_session_timer (gpointer user)
{
  FalPeer *peer = user;

  stop_timer (&peer->session_timer);
  peer->expired = TRUE;
  check_session (peer);
  return G_SOURCE_REMOVE;
}

static void
restart_session (FalPeer *peer)
{
  peer->expired = FALSE;
  if (peer->rules->session_timeout_ms > 0)
    start_timer (peer, &peer->session_timer, peer->rules->session_timeout_ms, on_session_timer);
}

static void
send_timings (FalPeer *peer)
{
  gdouble seconds = (g_get_monotonic_time () - peer->started) / (gdouble) G_USEC_PER_SEC;
  g_autoptr (GstStructure) map = gst_structure_new ("map", "type", G_TYPE_STRING, "x-fal-message",
      "action", G_TYPE_STRING, "timings", "timing", G_TYPE_DOUBLE, seconds, NULL);

  send_map (peer, map);
}

static void
end_inference (FalPeer *peer)
{
  g_autoptr (GBytes) reply = g_steal_pointer (&peer->reply);
  g_autofree gchar *failure = g_steal_pointer (&peer->failure);
  gboolean text;
  g_autoptr (GBytes) answer = fal_ledger_get_answer (peer->ledger, &text);

  peer->running = FALSE;
  if (fal_ledger_get_mute (peer->ledger))
    return;
  if (answer != NULL) {
    fal_peer_send (peer, answer, text);
  } else if (failure != NULL) {
    fail (peer, failure);
  } else {
    fal_peer_send (peer, reply, FALSE);
    if (peer->rules->timings)
      send_timings (peer);
  }
}

/* The picture is worked on at once; what is left of the model's time passes on a timer. Returns
 * how much that is, in ms. An inference that takes more than twice the session's timeout is
 * given up. */
static guint
begin_inference (FalPeer *peer, const GstStructure *request)
{
  guint delay = fal_ledger_get_delay (peer->ledger), limit = 2 * peer->rules->session_timeout_ms;
  FalModelOptions options = { .effect = fal_ledger_get_effect (peer->ledger),
    .echo_request_id = peer->rules->echo_request_id,
    .least_seconds = delay / 1e3 };
  g_autoptr (GError) error = NULL;
  gint64 spent;

  peer->running = TRUE;
  peer->started = g_get_monotonic_time ();
  peer->reply = fal_model_run (peer->rules->schema, &options, request, &error);
  if (error != NULL)
    peer->failure = g_strdup (error->message);
  if (limit > 0 && delay > limit) {
    delay = limit;
    g_free (peer->failure);
    peer->failure = g_strdup ("");
  }
  spent = (g_get_monotonic_time () - peer->started) / G_TIME_SPAN_MILLISECOND;
  return delay - MIN (spent, delay);
}

static gboolean on_work_timer (gpointer user);

static void
run_waiting (FalPeer *peer)
{
  while (!peer->running && !g_queue_is_empty (&peer->waiting)) {
    g_autoptr (GstStructure) request = g_queue_pop_head (&peer->waiting);
    guint left = begin_inference (peer, request);

    if (left > 0)
      start_timer (peer, &peer->work_timer, left, on_work_timer);
    else
      end_inference (peer);
  }
  check_session (peer);
}

static gboolean
on_work_timer (gpointer user)
{
  FalPeer *peer = user;

  stop_timer (&peer->work_timer);
  end_inference (peer);
  run_waiting (peer);
  return G_SOURCE_REMOVE;
}

/* Keeps the newest where the app is declared with buffering, and says nothing of the rest. */
static void
enqueue (FalPeer *peer, GstStructure *request)
{
  guint limit = peer->rules->buffering;

  g_queue_push_tail (&peer->waiting, request);
  if (peer->running && limit > 0 && g_queue_get_length (&peer->waiting) > limit) {
    gst_structure_free (g_queue_pop_head (&peer->waiting));
    fal_ledger_add (peer->ledger, FAL_COUNT_DROPPED, 1);
  }
  run_waiting (peer);
}

static void
on_message (SoupWebsocketConnection *socket, gint type, GBytes *message, gpointer user)
{
  FalPeer *peer = user;
  g_autoptr (GstStructure) request = NULL;
  g_autoptr (GError) error = NULL;
  gboolean mute;

  if (!is_open (peer))
    return;
  if (g_bytes_get_size (message) > MAX_MESSAGE_SIZE) {
    fal_peer_close (peer, SOUP_WEBSOCKET_CLOSE_TOO_BIG, NULL);
    return;
  }
  if (type == SOUP_WEBSOCKET_DATA_TEXT) {
    fail (peer, "'bytes'"); /* the framework looks for bytes, and names what it did not find */
    return;
  }
  request = fal_schema_decode (peer->rules->schema, message, &error);
  if (request == NULL) {
    fail (peer, error->message);
    return;
  }
  mute = fal_ledger_get_mute (peer->ledger); /* as it was before the request could be seen */
  restart_session (peer);
  fal_ledger_push_request (peer->ledger, request);
  if (!mute)
    enqueue (peer, g_steal_pointer (&request));
}

static void
on_closed (SoupWebsocketConnection *socket, gpointer user)
{
  FalPeer *peer = user;

  peer->gone (peer, peer->user);
}

FalPeer *
fal_peer_new (SoupWebsocketConnection *socket, GSocket *link, const FalPeerRules *rules,
    FalLedger *ledger, FalPeerGone gone, gpointer user)
{
  FalPeer *peer = g_new0 (FalPeer, 1);

  *peer = (FalPeer){ .socket = g_object_ref (socket),
    .link = g_object_ref (link),
    .rules = rules,
    .ledger = ledger,
    .gone = gone,
    .user = user };
  g_queue_init (&peer->waiting);
  soup_websocket_connection_set_max_incoming_payload_size (socket, MAX_PAYLOAD_SIZE);
  g_signal_connect (socket, "message", G_CALLBACK (on_message), peer);
  g_signal_connect (socket, "closed", G_CALLBACK (on_closed), peer);
  if (fal_schema_says_ready (rules->schema)) {
    g_autoptr (GstStructure) ready =
        gst_structure_new ("map", "status", G_TYPE_STRING, "ready", NULL);

    send_map (peer, ready);
  }
  restart_session (peer);
  return peer;
}

void
fal_peer_free (FalPeer *peer)
{
  stop_work (peer);
  g_signal_handlers_disconnect_by_data (peer->socket, peer);
  if (soup_websocket_connection_get_state (peer->socket) != SOUP_WEBSOCKET_STATE_CLOSED) {
    /* TLS says good-bye when it is closed, and would wait for a client that does not read. */
    g_socket_shutdown (peer->link, TRUE, TRUE, NULL);
    g_io_stream_close (soup_websocket_connection_get_io_stream (peer->socket), NULL, NULL);
  }
  g_object_unref (peer->socket);
  g_object_unref (peer->link);
  g_free (peer);
}
