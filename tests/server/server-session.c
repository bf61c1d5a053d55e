/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The session: one connection from its upgrade to its close, by the rules of fal's open framework.
 * Server's thread. */
#include "server-session.h"
#include "fal/wire/value-json.h"
#include "precise-timer.h"
#include "message-limit.h"

#define MAX_MESSAGE_SIZE (16 * 1024 * 1024) /* bytes; more is closed with 1009 */
/* libsoup's own limit cuts a client off in the middle of its sending, so that it may never read
 * the close code: the message is taken whole, up to this, and then refused. */
#define MAX_PAYLOAD_SIZE (4 * MAX_MESSAGE_SIZE)

#define JITTER_SEED 1 /* with the connection's number: the same times in each run */

typedef struct {
  GstStructure *request;
  gint64 arrival; /* µs */
} Waiting;

struct _FalServerSession {
  SoupWebsocketConnection *socket;
  GSocket *tcp_socket;
  const FalServerSessionConfig *config;
  guint number;
  FalServerState *state;
  FalServerSessionClosedFunc closed;
  gpointer user;

  FalModel *model;
  GQueue waiting;  /* Waiting, oldest first */
  GQueue made;     /* GBytes, results that wait until their block is whole */
  guint blocks;    /* that ran, or run */
  guint due;       /* results of the request that runs, one at a time; 0: none runs */
  gint64 started;  /* the begin of the one that is made now, µs */
  gint64 duration; /* that it takes, µs */
  gint64 free_at;  /* when the model got or gets free, µs */
  GRand *random;
  GBytes *reply;    /* the result, held back until the model's time is over */
  gchar *failure;   /* or why there is none */
  gboolean ready;   /* has said so, or need not */
  gboolean expired; /* no input for the session's timeout */
  GSource *work_timer, *session_timer, *ready_timer, *notice_timer;

  /* What the model's thread does for the request that runs; NULL: nothing. */
  GCancellable *working;
};

static void
waiting_free (Waiting *waiting)
{
  g_clear_pointer (&waiting->request, gst_structure_free);
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
set_timer (FalServerSession *session, GSource **timer, gint64 time, GSourceFunc func)
{
  stop_timer (timer);
  *timer = fal_precise_timer_new (time);
  g_source_set_callback (*timer, func, session, NULL);
  g_source_attach (*timer, g_main_context_get_thread_default ());
}

static void
start_timer (FalServerSession *session, GSource **timer, guint delay_ms, GSourceFunc func)
{
  set_timer (session, timer, g_get_monotonic_time () + delay_ms * G_TIME_SPAN_MILLISECOND, func);
}

static gboolean
is_open (FalServerSession *session)
{
  return soup_websocket_connection_get_state (session->socket) == SOUP_WEBSOCKET_STATE_OPEN;
}

guint
fal_server_session_get_number (FalServerSession *session)
{
  return session->number;
}

void
fal_server_session_send (FalServerSession *session, GBytes *message, gboolean text)
{
  if (is_open (session))
    soup_websocket_connection_send_message (
        session->socket, text ? SOUP_WEBSOCKET_DATA_TEXT : SOUP_WEBSOCKET_DATA_BINARY, message);
}

/* No inference, no queue and no timer from here on. */
static void
stop_work (FalServerSession *session)
{
  stop_timer (&session->work_timer);
  stop_timer (&session->session_timer);
  stop_timer (&session->ready_timer);
  stop_timer (&session->notice_timer);
  g_queue_clear_full (&session->waiting, (GDestroyNotify) waiting_free);
  g_queue_clear_full (&session->made, (GDestroyNotify) g_bytes_unref);
  g_clear_pointer (&session->reply, g_bytes_unref);
  g_clear_pointer (&session->failure, g_free);
  if (session->working != NULL)
    g_cancellable_cancel (session->working);
  g_clear_object (&session->working);
  session->due = 0;
}

void
fal_server_session_close (FalServerSession *session, gushort code, const gchar *reason)
{
  stop_work (session);
  if (is_open (session))
    soup_websocket_connection_close (session->socket, code, reason);
}

static void
send_map (FalServerSession *session, const GstStructure *map)
{
  g_autofree gchar *text = fal_value_to_json (map, NULL);
  g_autoptr (GBytes) message = g_bytes_new (text, strlen (text));

  fal_server_session_send (session, message, TRUE);
}

/* Both errors end the session with a normal close; what was queued is lost. */
static void
end_session (FalServerSession *session, const gchar *error, const gchar *reason)
{
  g_autoptr (GstStructure) map = gst_structure_new ("map", "type", G_TYPE_STRING, "x-fal-error",
      "error", G_TYPE_STRING, error, "reason", G_TYPE_STRING, reason, NULL);

  send_map (session, map);
  fal_server_session_close (session, SOUP_WEBSOCKET_CLOSE_NORMAL, NULL);
}

static void
fail (FalServerSession *session, const gchar *reason)
{
  end_session (session, "INTERNAL_ERROR", reason);
}

static void
time_out (FalServerSession *session)
{
  end_session (session, "TIMEOUT", "no inputs, reconnect when needed!");
}

static void
check_timeout (FalServerSession *session)
{
  if (session->expired && session->due == 0 && is_open (session))
    time_out (session);
}

static gboolean
on_session_timer (gpointer user)
{
  FalServerSession *session = user;

  stop_timer (&session->session_timer);
  session->expired = TRUE;
  check_timeout (session);
  return G_SOURCE_REMOVE;
}

static void
restart_session_timer (FalServerSession *session)
{
  guint timeout_ms = fal_server_state_get_session_timeout (session->state);

  session->expired = FALSE;
  if (timeout_ms > 0)
    start_timer (session, &session->session_timer, timeout_ms, on_session_timer);
}

static void
send_timings (FalServerSession *session)
{
  gdouble seconds = (g_get_monotonic_time () - session->started) / (gdouble) G_USEC_PER_SEC;
  g_autoptr (GstStructure) map = gst_structure_new ("map", "type", G_TYPE_STRING, "x-fal-message",
      "action", G_TYPE_STRING, "timings", "timing", G_TYPE_DOUBLE, seconds, NULL);

  send_map (session, map);
}

/* Sends one result, or what stands in its place. */
static void
end_inference (FalServerSession *session)
{
  gboolean text, last = --session->due == 0;
  g_autoptr (GBytes) answer = fal_server_state_get_answer (session->state, &text);

  if (fal_server_state_get_mute (session->state))
    return;
  if (answer != NULL) {
    fal_server_session_send (session, answer, text);
  } else if (session->failure != NULL) {
    g_autofree gchar *reason = g_steal_pointer (&session->failure);

    fail (session, reason);
    return;
  } else {
    fal_server_session_send (session, session->reply, FALSE);
    if (session->config->timings)
      send_timings (session);
  }
  if (last && session->config->end_after_results)
    time_out (session);
}

/* The time of the next result, µs: even over the model's time ± jitter. */
static gint64
choose_duration (FalServerSession *session)
{
  gdouble duration =
      fal_server_state_get_delay (session->state) * (gdouble) G_TIME_SPAN_MILLISECOND;
  gdouble jitter = session->config->jitter_percent / 100.0;

  if (session->number == 1)
    duration *= session->config->slowness;
  return duration * (1 + jitter * g_rand_double_range (session->random, -1, 1));
}

/* A model that has work waiting goes on where it ended, however late this thread learns of it.
 * @since: when the work was there. */
static void
begin_result (FalServerSession *session, gint64 since)
{
  session->started = MAX (since, session->free_at);
  session->duration = choose_duration (session);
  session->free_at = session->started + session->duration;
  fal_server_state_add (session->state, FAL_COUNT_INFERENCES, 1);
  fal_server_state_add (session->state, FAL_COUNT_MODEL_TIME, session->duration);
}

/* An inference that takes more than twice the session's timeout is given up; 0: none is. */
static gint64
get_limit (FalServerSession *session)
{
  return 2 * fal_server_state_get_session_timeout (session->state) * G_TIME_SPAN_MILLISECOND;
}

/* What became of the request, once it is known. Takes @reply. */
static void
take_result (FalServerSession *session, GBytes *reply, const GError *error)
{
  gint64 limit = get_limit (session);

  session->reply = reply;
  if (reply == NULL)
    session->failure = g_strdup (error->message);
  if (limit > 0 && session->duration > limit) {
    session->free_at = session->started + limit;
    g_free (session->failure);
    session->failure = g_strdup ("");
  }
}

static gboolean on_work_timer (gpointer user);

/* Waits for the rest of the time that the result takes; FALSE where it is over. */
static gboolean
wait_for_result (FalServerSession *session)
{
  if (g_get_monotonic_time () >= session->free_at)
    return FALSE;
  set_timer (session, &session->work_timer, session->free_at, on_work_timer);
  return TRUE;
}

static gboolean
on_limit_timer (gpointer user)
{
  stop_timer (&((FalServerSession *) user)->work_timer);
  fail (user, "");
  return G_SOURCE_REMOVE;
}

/* A model that took longer than was chosen was busy until now. */
static void
extend_duration (FalServerSession *session)
{
  gint64 longer = g_get_monotonic_time () - session->free_at;

  if (longer <= 0)
    return;
  session->duration += longer;
  session->free_at += longer;
  fal_server_state_add (session->state, FAL_COUNT_MODEL_TIME, longer);
}

static void end_results (FalServerSession *session);
static void run_waiting (FalServerSession *session);

/* A session that was cancelled need not exist any more. */
static void
on_worked (GObject *unused, GAsyncResult *result, gpointer user)
{
  FalServerSession *session = user;
  g_autoptr (GError) error = NULL;
  FalInference *inference;
  GBytes *reply = NULL;

  if (g_cancellable_is_cancelled (g_task_get_cancellable (G_TASK (result))))
    return;
  stop_timer (&session->work_timer);
  g_clear_object (&session->working);
  extend_duration (session);
  inference = fal_model_thread_finish (result, &error);
  if (inference != NULL)
    reply = fal_model_end (
        session->model, inference, session->duration / (gdouble) G_USEC_PER_SEC, &error);
  take_result (session, reply, error);
  if (wait_for_result (session))
    return;
  end_results (session);
  run_waiting (session);
}

/* Takes @inference, which another thread works on. */
static void
hand_over (FalServerSession *session, FalInference *inference)
{
  gint64 limit = get_limit (session);

  session->working = g_cancellable_new ();
  if (limit > 0)
    set_timer (session, &session->work_timer, session->started + limit, on_limit_timer);
  fal_model_thread_run (session->config->thread, inference, session->working, on_worked, session);
}

/* The picture is worked on at once, here or in the model's thread; what is left of the model's time
 * passes on a timer. */
static void
begin_inference (FalServerSession *session, Waiting *work)
{
  const FalEffect *effect = fal_server_state_get_effect (session->state);
  FalInference *inference;
  g_autoptr (GError) error = NULL;
  GBytes *reply;
  gdouble seconds;

  g_clear_pointer (&session->reply, g_bytes_unref);
  g_clear_pointer (&session->failure, g_free);
  session->due = session->config->results;
  begin_result (session, work->arrival);
  seconds = session->duration / (gdouble) G_USEC_PER_SEC;
  if (session->config->thread == NULL) {
    reply =
        fal_model_run (session->model, effect, seconds, g_steal_pointer (&work->request), &error);
    take_result (session, reply, error);
    return;
  }
  inference = fal_model_begin (session->model, g_steal_pointer (&work->request), &error);
  if (inference != NULL)
    hand_over (session, inference);
  else
    take_result (session, NULL, error);
}

/* The next result of the same request takes as long again; FALSE where there is none, or its time
 * is over, too. */
static gboolean
begin_next_result (FalServerSession *session)
{
  if (session->due == 0)
    return FALSE;
  begin_result (session, session->free_at);
  return wait_for_result (session);
}

static void
end_results (FalServerSession *session)
{
  do
    end_inference (session);
  while (session->due > 0 && !begin_next_result (session));
}

static void
run_waiting (FalServerSession *session)
{
  while (session->due == 0 && !g_queue_is_empty (&session->waiting)) {
    g_autoptr (Waiting) work = g_queue_pop_head (&session->waiting);

    begin_inference (session, work);
    if (session->working == NULL && !wait_for_result (session))
      end_results (session);
  }
  check_timeout (session);
}

static gboolean
on_work_timer (gpointer user)
{
  FalServerSession *session = user;

  stop_timer (&session->work_timer);
  end_results (session);
  run_waiting (session);
  return G_SOURCE_REMOVE;
}

/* ---- an app that takes frames in blocks ---- */

static void begin_block (FalServerSession *session);

static gboolean
on_block_timer (gpointer user)
{
  FalServerSession *session = user;

  stop_timer (&session->work_timer);
  for (; session->due > 0; session->due--) {
    g_autoptr (GBytes) result = g_queue_pop_head (&session->made);

    if (!fal_server_state_get_mute (session->state))
      fal_server_session_send (session, result, FALSE);
  }
  begin_block (session);
  check_timeout (session);
  return G_SOURCE_REMOVE;
}

/* The model works on a whole block, for its time; its results go at once. */
static void
begin_block (FalServerSession *session)
{
  const FalSchema *schema = session->config->model.schema;
  guint size = session->blocks == 0 ? schema->first_block : schema->block;

  if (session->due > 0 || session->made.length < size)
    return;
  session->due = size;
  session->blocks++;
  begin_result (session, g_get_monotonic_time ());
  set_timer (session, &session->work_timer, session->free_at, on_block_timer);
}

/* Each frame is looked at when it comes, so that what is wrong with it is said then. */
static void
add_to_block (FalServerSession *session, GstStructure *request)
{
  gboolean opens = gst_structure_has_field (request, "start_frame");
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) result = fal_model_run (
      session->model, fal_server_state_get_effect (session->state), 0, request, &error);

  if (result == NULL) {
    fail (session, error->message);
    return;
  }
  if (!opens)
    g_queue_push_tail (&session->made, g_steal_pointer (&result));
  begin_block (session);
}

/* ---- requests ---- */

static gboolean
on_notice_timer (gpointer user)
{
  FalServerSession *session = user;

  stop_timer (&session->notice_timer);
  run_waiting (session);
  return G_SOURCE_REMOVE;
}

/* A model that works looks for more when it is done; an idle one may take its time. */
static void
call_model (FalServerSession *session)
{
  guint delay_ms = session->config->notice_ms;

  if (delay_ms == 0)
    run_waiting (session);
  else if (session->due == 0 && session->notice_timer == NULL)
    start_timer (session, &session->notice_timer, delay_ms, on_notice_timer);
}

/* Keeps the newest where the app is declared with buffering, and says nothing of the rest. */
static void
enqueue (FalServerSession *session, GstStructure *request)
{
  guint limit = session->config->buffering;
  Waiting *work = g_new (Waiting, 1);

  *work = (Waiting){ request, g_get_monotonic_time () };
  g_queue_push_tail (&session->waiting, work);
  if ((session->due > 0 || session->notice_timer) && limit > 0 &&
      g_queue_get_length (&session->waiting) > limit) {
    waiting_free (g_queue_pop_head (&session->waiting));
    fal_server_state_add (session->state, FAL_COUNT_DROPPED, 1);
  }
  call_model (session);
}

/* NULL: the session has ended over it. */
static GstStructure *
read_request (FalServerSession *session, gint type, GBytes *message)
{
  g_autoptr (GError) error = NULL;
  GstStructure *request;

  if (!session->ready && session->config->model.schema->waits) {
    fail (session, "not ready, wait for {\"status\":\"ready\"}");
    return NULL;
  }
  if (type == SOUP_WEBSOCKET_DATA_TEXT) {
    fail (session, "'bytes'"); /* the framework looks for bytes, and names what it did not find */
    return NULL;
  }
  request = fal_schema_decode (session->config->model.schema, message, &error);
  if (request == NULL)
    fail (session, error->message);
  return request;
}

static void
on_message (SoupWebsocketConnection *socket, gint type, GBytes *message, gpointer user)
{
  FalServerSession *session = user;
  g_autoptr (GstStructure) request = NULL;
  gboolean mute;

  if (!is_open (session))
    return;
  if (g_bytes_get_size (message) > MAX_MESSAGE_SIZE) {
    fal_server_session_close (session, SOUP_WEBSOCKET_CLOSE_TOO_BIG, NULL);
    return;
  }
  request = read_request (session, type, message);
  if (request == NULL)
    return;
  mute =
      fal_server_state_get_mute (session->state); /* as it was before the request could be seen */
  restart_session_timer (session);
  fal_server_state_push (session->state, request, message, session->number);
  if (mute)
    return;
  if (session->config->model.schema->block > 0)
    add_to_block (session, g_steal_pointer (&request));
  else
    enqueue (session, g_steal_pointer (&request));
}

static void
on_closed (SoupWebsocketConnection *socket, gpointer user)
{
  FalServerSession *session = user;

  session->closed (session, session->user);
}

static gboolean
say_ready (gpointer user)
{
  FalServerSession *session = user;
  g_autoptr (GstStructure) map = gst_structure_new ("map", "status", G_TYPE_STRING, "ready", NULL);

  stop_timer (&session->ready_timer);
  session->ready = TRUE;
  send_map (session, map);
  return G_SOURCE_REMOVE;
}

static void
get_ready (FalServerSession *session)
{
  if (!session->config->model.schema->ready)
    session->ready = TRUE;
  else if (session->config->ready_delay_ms > 0)
    start_timer (session, &session->ready_timer, session->config->ready_delay_ms, say_ready);
  else
    say_ready (session);
}

FalServerSession *
fal_server_session_new (SoupWebsocketConnection *socket, GSocket *tcp_socket,
    const FalServerSessionConfig *config, guint number, FalServerState *state,
    FalServerSessionClosedFunc closed, gpointer user)
{
  FalServerSession *session = g_new0 (FalServerSession, 1);

  *session = (FalServerSession){ .socket = g_object_ref (socket),
    .tcp_socket = g_object_ref (tcp_socket),
    .config = config,
    .number = number,
    .model = fal_model_new (&config->model),
    .random = g_rand_new_with_seed (JITTER_SEED + number),
    .state = state,
    .closed = closed,
    .user = user };
  g_queue_init (&session->waiting);
  g_queue_init (&session->made);
  fal_message_limit_set (socket, config->max_message ? config->max_message : MAX_PAYLOAD_SIZE);
  g_signal_connect (socket, "message", G_CALLBACK (on_message), session);
  g_signal_connect (socket, "closed", G_CALLBACK (on_closed), session);
  get_ready (session);
  restart_session_timer (session);
  return session;
}

void
fal_server_session_free (FalServerSession *session)
{
  stop_work (session);
  g_signal_handlers_disconnect_by_data (session->socket, session);
  if (soup_websocket_connection_get_state (session->socket) != SOUP_WEBSOCKET_STATE_CLOSED) {
    /* Closing a TLS connection sends a last message, and would wait for a client that does not
     * read. */
    g_socket_shutdown (session->tcp_socket, TRUE, TRUE, NULL);
    g_io_stream_close (soup_websocket_connection_get_io_stream (session->socket), NULL, NULL);
  }
  g_object_unref (session->socket);
  g_object_unref (session->tcp_socket);
  fal_model_free (session->model);
  g_rand_free (session->random);
  g_free (session);
}
