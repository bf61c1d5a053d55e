/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The peer: the life of one connection as fal's open framework leads it. Server's thread. */
#include "peer.h"
#include "alarm.h"
#include "fal/wire/value-json.h"

#define MAX_MESSAGE_SIZE (16 * 1024 * 1024) /* bytes; more is closed with 1009 */
/* libsoup's own limit cuts a client off in the middle of its sending, so that it may never read
 * the close code: the message is taken whole, up to this, and then refused. */
#define MAX_PAYLOAD_SIZE (4 * MAX_MESSAGE_SIZE)

#define JITTER_SEED 1 /* with the connection's number: the same times in each run */

typedef struct {
  GstStructure *request;
  gint64 arrival; /* µs */
} Waiting;

struct _FalPeer {
  SoupWebsocketConnection *socket;
  GSocket *link;
  const FalPeerRules *rules;
  guint number;
  FalLedger *ledger;
  FalPeerGone gone;
  gpointer user;

  FalModel *model;
  GQueue waiting; /* Waiting, oldest first */
  guint due;      /* results of the request that runs, one at a time; 0: none runs */
  gint64 started; /* the begin of the one that is made now, µs */
  gint64 span;    /* that it takes, µs */
  gint64 free_at; /* when the model got or gets free, µs */
  GRand *chance;
  GBytes *reply;    /* its outcome, held back until its time is over */
  gchar *failure;   /* or why it has none */
  gboolean ready;   /* has said so, or need not */
  gboolean expired; /* no input for the session's timeout */
  GSource *work_timer, *session_timer, *ready_timer;
};

static void
waiting_free (Waiting *waiting)
{
  gst_structure_free (waiting->request);
  g_free (waiting);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Waiting, waiting_free)

static void
stop_timer (GSource **timer)
{
  if (*timer == NULL)
    return;
  g_source_destroy (*timer);
  g_clear_pointer (timer, g_source_unref);
}

/* @time: monotonic µs. */
static void
set_timer (FalPeer *peer, GSource **timer, gint64 time, GSourceFunc func)
{
  stop_timer (timer);
  *timer = fal_alarm_new (time);
  g_source_set_callback (*timer, func, peer, NULL);
  g_source_attach (*timer, g_main_context_get_thread_default ());
}

static void
start_timer (FalPeer *peer, GSource **timer, guint delay_ms, GSourceFunc func)
{
  set_timer (peer, timer, g_get_monotonic_time () + delay_ms * G_TIME_SPAN_MILLISECOND, func);
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
  stop_timer (&peer->ready_timer);
  g_queue_clear_full (&peer->waiting, (GDestroyNotify) waiting_free);
  g_clear_pointer (&peer->reply, g_bytes_unref);
  g_clear_pointer (&peer->failure, g_free);
  peer->due = 0;
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
time_out (FalPeer *peer)
{
  end_session (peer, "TIMEOUT", "no inputs, reconnect when needed!");
}

static void
check_session (FalPeer *peer)
{
  if (peer->expired && peer->due == 0 && is_open (peer))
    time_out (peer);
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

/* Sends one result, or what stands in its place. */
static void
end_inference (FalPeer *peer)
{
  gboolean text, last = --peer->due == 0;
  g_autoptr (GBytes) answer = fal_ledger_get_answer (peer->ledger, &text);

  if (fal_ledger_get_mute (peer->ledger))
    return;
  if (answer != NULL) {
    fal_peer_send (peer, answer, text);
  } else if (peer->failure != NULL) {
    g_autofree gchar *reason = g_steal_pointer (&peer->failure);

    fail (peer, reason);
    return;
  } else {
    fal_peer_send (peer, peer->reply, FALSE);
    if (peer->rules->timings)
      send_timings (peer);
  }
  if (last && peer->rules->end_after_results)
    time_out (peer);
}

/* The time of the next result, µs: even over the model's time ± jitter. */
static gint64
choose_span (FalPeer *peer)
{
  gdouble span = fal_ledger_get_delay (peer->ledger) * (gdouble) G_TIME_SPAN_MILLISECOND;
  gdouble jitter = peer->rules->jitter_percent / 100.0;

  return span * (1 + jitter * g_rand_double_range (peer->chance, -1, 1));
}

/* A model that has work waiting goes on where it ended, however late this thread learns of it.
 * @since: when the work was there. */
static void
begin_result (FalPeer *peer, gint64 since)
{
  peer->started = MAX (since, peer->free_at);
  peer->span = choose_span (peer);
  peer->free_at = peer->started + peer->span;
  fal_ledger_add (peer->ledger, FAL_COUNT_INFERENCES, 1);
  fal_ledger_add (peer->ledger, FAL_COUNT_MODEL_TIME, peer->span);
}

/* The picture is worked on at once; what is left of the model's time passes on a timer. An
 * inference that takes more than twice the session's timeout is given up. */
static void
begin_inference (FalPeer *peer, const Waiting *work)
{
  gint64 limit = 2 * peer->rules->session_timeout_ms * G_TIME_SPAN_MILLISECOND;
  g_autoptr (GError) error = NULL;

  g_clear_pointer (&peer->reply, g_bytes_unref);
  g_clear_pointer (&peer->failure, g_free);
  peer->due = peer->rules->results;
  begin_result (peer, work->arrival);
  peer->reply = fal_model_run (peer->model, fal_ledger_get_effect (peer->ledger),
      peer->span / (gdouble) G_USEC_PER_SEC, work->request, &error);
  if (error != NULL)
    peer->failure = g_strdup (error->message);
  if (limit > 0 && peer->span > limit) {
    peer->free_at = peer->started + limit;
    g_free (peer->failure);
    peer->failure = g_strdup ("");
  }
}

static gboolean on_work_timer (gpointer user);

/* Waits for the rest of the time that the result takes; FALSE where it is over. */
static gboolean
wait_for_result (FalPeer *peer)
{
  if (g_get_monotonic_time () >= peer->free_at)
    return FALSE;
  set_timer (peer, &peer->work_timer, peer->free_at, on_work_timer);
  return TRUE;
}

/* The next result of the same request takes as long again; FALSE where there is none, or its time
 * is over, too. */
static gboolean
begin_next_result (FalPeer *peer)
{
  if (peer->due == 0)
    return FALSE;
  begin_result (peer, peer->free_at);
  return wait_for_result (peer);
}

static void
end_results (FalPeer *peer)
{
  do
    end_inference (peer);
  while (peer->due > 0 && !begin_next_result (peer));
}

static void
run_waiting (FalPeer *peer)
{
  while (peer->due == 0 && !g_queue_is_empty (&peer->waiting)) {
    g_autoptr (Waiting) work = g_queue_pop_head (&peer->waiting);

    begin_inference (peer, work);
    if (!wait_for_result (peer))
      end_results (peer);
  }
  check_session (peer);
}

static gboolean
on_work_timer (gpointer user)
{
  FalPeer *peer = user;

  stop_timer (&peer->work_timer);
  end_results (peer);
  run_waiting (peer);
  return G_SOURCE_REMOVE;
}

/* Keeps the newest where the app is declared with buffering, and says nothing of the rest. */
static void
enqueue (FalPeer *peer, GstStructure *request)
{
  guint limit = peer->rules->buffering;
  Waiting *work = g_new (Waiting, 1);

  *work = (Waiting){ request, g_get_monotonic_time () };
  g_queue_push_tail (&peer->waiting, work);
  if (peer->due > 0 && limit > 0 && g_queue_get_length (&peer->waiting) > limit) {
    waiting_free (g_queue_pop_head (&peer->waiting));
    fal_ledger_add (peer->ledger, FAL_COUNT_DROPPED, 1);
  }
  run_waiting (peer);
}

/* NULL: the session has ended over it. */
static GstStructure *
read_request (FalPeer *peer, gint type, GBytes *message)
{
  g_autoptr (GError) error = NULL;
  GstStructure *request;

  if (!peer->ready && peer->rules->model.schema->waits) {
    fail (peer, "not ready, wait for {\"status\":\"ready\"}");
    return NULL;
  }
  if (type == SOUP_WEBSOCKET_DATA_TEXT) {
    fail (peer, "'bytes'"); /* the framework looks for bytes, and names what it did not find */
    return NULL;
  }
  request = fal_schema_decode (peer->rules->model.schema, message, &error);
  if (request == NULL)
    fail (peer, error->message);
  return request;
}

static void
on_message (SoupWebsocketConnection *socket, gint type, GBytes *message, gpointer user)
{
  FalPeer *peer = user;
  g_autoptr (GstStructure) request = NULL;
  gboolean mute;

  if (!is_open (peer))
    return;
  if (g_bytes_get_size (message) > MAX_MESSAGE_SIZE) {
    fal_peer_close (peer, SOUP_WEBSOCKET_CLOSE_TOO_BIG, NULL);
    return;
  }
  request = read_request (peer, type, message);
  if (request == NULL)
    return;
  mute = fal_ledger_get_mute (peer->ledger); /* as it was before the request could be seen */
  restart_session (peer);
  fal_ledger_push (peer->ledger, request, message, peer->number);
  if (!mute)
    enqueue (peer, g_steal_pointer (&request));
}

static void
on_closed (SoupWebsocketConnection *socket, gpointer user)
{
  FalPeer *peer = user;

  peer->gone (peer, peer->user);
}

static gboolean
say_ready (gpointer user)
{
  FalPeer *peer = user;
  g_autoptr (GstStructure) map = gst_structure_new ("map", "status", G_TYPE_STRING, "ready", NULL);

  stop_timer (&peer->ready_timer);
  peer->ready = TRUE;
  send_map (peer, map);
  return G_SOURCE_REMOVE;
}

static void
get_ready (FalPeer *peer)
{
  if (!peer->rules->model.schema->ready)
    peer->ready = TRUE;
  else if (peer->rules->ready_delay_ms > 0)
    start_timer (peer, &peer->ready_timer, peer->rules->ready_delay_ms, say_ready);
  else
    say_ready (peer);
}

FalPeer *
fal_peer_new (SoupWebsocketConnection *socket, GSocket *link, const FalPeerRules *rules,
    guint number, FalLedger *ledger, FalPeerGone gone, gpointer user)
{
  FalPeer *peer = g_new0 (FalPeer, 1);

  *peer = (FalPeer){ .socket = g_object_ref (socket),
    .link = g_object_ref (link),
    .rules = rules,
    .number = number,
    .model = fal_model_new (&rules->model),
    .chance = g_rand_new_with_seed (JITTER_SEED + number),
    .ledger = ledger,
    .gone = gone,
    .user = user };
  g_queue_init (&peer->waiting);
  soup_websocket_connection_set_max_incoming_payload_size (socket, MAX_PAYLOAD_SIZE);
  g_signal_connect (socket, "message", G_CALLBACK (on_message), peer);
  g_signal_connect (socket, "closed", G_CALLBACK (on_closed), peer);
  get_ready (peer);
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
  fal_model_free (peer->model);
  g_rand_free (peer->chance);
  g_free (peer);
}
