/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The shared state: one mutex, and the decisions of policy put together under it.
 *
 * Every function that changes something ends with unlock(), which works out who has something to do
 * now: a thread that waits is woken only then, and once the mutex is free. To wake one for nothing
 * costs more than all else that is done for a frame but its picture. */
#include "shared-state.h"
#include "fal/policy/fallback.h"
#include "fal/policy/flow.h"
#include "fal/policy/output-queue.h"
#include "fal/policy/request-id.h"
#include "fal/policy/timeline.h"
#include "fal/policy/watchdog.h"
#include "fal/policy/window.h"
#include "request-builder.h"
#include "stats.h"

#include <string.h>

/* Of a file, whose frames do not age: enough that the model need not wait for the next one. */
#define FILE_IN_FLIGHT 2
#define MAX_PICTURES FAL_SHARED_STATE_MAX_PICTURES

/* A thread that waits. It is awake where @waits is not set. */
typedef struct {
  GCond cond;
  gboolean waits;
  gint64 until; /* it looks again by itself then; G_MAXINT64: only when it is woken */
} Sleeper;

struct _FalSharedState {
  GMutex mutex;
  /* Everything below: mutex. */
  Sleeper upstream;      /* waits for room */
  Sleeper sender;        /* waits for work */
  Sleeper output;        /* waits for something to go out */
  GSource *wakeup;       /* of the net thread; NULL: there is none yet */
  GMainContext *context; /* of it: a thread may wake it a moment after the net thread has ended */
  gboolean called;       /* the net thread was woken, and did not look yet */
  gboolean running;      /* between start and stop */

  FalSettings *settings;
  gboolean live;
  FalPacer *pacer;
  FalFlow flow;
  FalOutputQueue *queue;
  FalFallback fallback;
  FalWatchdog watchdog;
  FalStats stats;

  GQueue orders;         /* FalOrder */
  FalSocketGuard *guard; /* for the send thread to look at; NULL: no connection stands */
  guint generation;      /* of the connection: what was made for an older one is not sent */
  FalDialerState dialer;
  gboolean look;         /* the send thread is to look at the socket anew */
  gboolean told_warming; /* of a model that seems to be loading, since the last result */
  gboolean fresh;        /* nothing was sent on the connection yet */
  gboolean ids_refused;  /* the app takes no request ids, though they were to be sent */
  gboolean holds;        /* results wait until the state was told */

  FalFrame *newest;         /* that came from upstream and waits for a result; NULL: none */
  GstSample *newest_sample; /* of it */
  guint64 next_serial;      /* of the next frame */
  guint64 newest_serial;    /* of the newest one that waits for a result */
  guint64 last_download;    /* number of the last download */
  GstStructure *feedback;   /* what the next request takes from the last result; or NULL */
  gint64 drain_deadline;    /* G_MAXINT64: not draining */

  /* Atomic: the source pad's task takes no mutex for it. */
  guint pushed[3]; /* buffers that went downstream, by FalResultKind, not counted yet */
  gint has_drops;  /* atomic: there are frames to tell of */
};

/* ---- who waits for what ---- */

static gboolean
is_busy_locked (const FalSharedState *state)
{
  return fal_pacer_get_waiting (state->pacer) + fal_pacer_get_in_flight (state->pacer) > 0;
}

/* Whether nothing is to be sent for the time being. */
static gboolean
is_held_locked (const FalSharedState *state)
{
  return !fal_flow_goes_out (&state->flow) || fal_watchdog_is_closing (&state->watchdog) ||
         fal_output_queue_is_full (state->queue);
}

/* Whether upstream's next frame can be taken. Where no frame is lost, one that passes does not
 * overtake those that are under way. */
static gboolean
has_room_locked (const FalSharedState *state)
{
  if (state->settings->enabled)
    return fal_pacer_has_room (state->pacer);
  if (fal_pacer_is_leaky (state->pacer))
    return TRUE;
  return !fal_output_queue_is_full (state->queue) && !is_busy_locked (state);
}

static gint64
get_limit_time_locked (const FalSharedState *state)
{
  return fal_flow_is_spent (&state->flow) ? G_MAXINT64
                                          : fal_watchdog_get_limit_time (&state->watchdog);
}

static gint64
get_idle_time_locked (const FalSharedState *state)
{
  return fal_watchdog_get_idle_time (
      &state->watchdog, is_busy_locked (state), fal_flow_is_spent (&state->flow));
}

/* When a request can go or comes to its end unanswered, or the connection does. */
static gint64
get_work_time_locked (const FalSharedState *state, gint64 now)
{
  gint64 next = is_held_locked (state) ? G_MAXINT64 : fal_pacer_next_time (state->pacer, now);

  next = MIN (next, fal_pacer_next_expiry (state->pacer));
  next = MIN (next, fal_watchdog_get_cut_time (&state->watchdog));
  next = MIN (next, get_idle_time_locked (state));
  return MIN (next, get_limit_time_locked (state));
}

static FalOutputView
get_view_locked (const FalSharedState *state, gint64 now)
{
  const FalFallback *fallback = &state->fallback;

  return (FalOutputView){
    .oldest = fal_pacer_get_oldest (state->pacer),
    .newest = state->newest_serial,
    .replaced = fal_fallback_is_bridging (fallback) ||
                fal_fallback_get_shown (fallback, now) != FAL_FALLBACK_NONE,
    .fill_due = fal_fallback_is_due (fallback, now),
  };
}

static FalOutputKind
peek_output_locked (const FalSharedState *state, gint64 now)
{
  FalOutputView view = get_view_locked (state, now);
  FalOutputKind kind = fal_output_queue_peek (state->queue, &view);

  return kind == FAL_OUTPUT_RESULT && state->holds ? FAL_OUTPUT_NOTHING : kind;
}

static gboolean
upstream_may_go_locked (const FalSharedState *state)
{
  return !fal_flow_takes_frames (&state->flow) || has_room_locked (state);
}

static gboolean
sender_has_work_locked (const FalSharedState *state, gint64 now)
{
  return !state->running || state->look || get_work_time_locked (state, now) < state->sender.until;
}

static gboolean
output_has_work_locked (const FalSharedState *state, gint64 now)
{
  return !fal_flow_goes_out (&state->flow) || state->drain_deadline < state->output.until ||
         peek_output_locked (state, now) != FAL_OUTPUT_NOTHING;
}

/* ---- orders ---- */

static void
push_order_locked (FalSharedState *state, const FalOrder *order)
{
  g_queue_push_tail (&state->orders, g_memdup2 (order, sizeof *order));
}

static void
order_locked (FalSharedState *state, FalOrderKind kind)
{
  if (state->running)
    push_order_locked (state, &(FalOrder){ .kind = kind });
}

/* Frames that can go nowhere ask for a connection, once. */
static void
want_connection_locked (FalSharedState *state)
{
  if (!state->running || is_held_locked (state) || fal_flow_is_spent (&state->flow) ||
      !is_busy_locked (state))
    return;
  if (fal_watchdog_want (&state->watchdog))
    order_locked (state, FAL_ORDER_CONNECT);
}

static void
close_connection_locked (FalSharedState *state, FalOrderKind kind)
{
  if (!state->running)
    return;
  fal_watchdog_close (&state->watchdog);
  order_locked (state, kind);
}

/* The connection is closed, unless a frame comes before that, or other members need it. */
static void
release_connection_locked (FalSharedState *state)
{
  if (state->running && fal_watchdog_release (&state->watchdog, g_get_monotonic_time ()))
    order_locked (state, FAL_ORDER_RELEASE);
}

/* Nothing of this connection counts any more. FAL_FAULT_ASKED: it is made anew without a warning.
 */
static void
give_up_connection_locked (FalSharedState *state, FalFaultKind kind)
{
  if (!fal_watchdog_give_up (&state->watchdog, kind, g_get_monotonic_time ()))
    return;
  state->generation++;
  fal_pacer_set_online (state->pacer, FALSE);
  if (kind == FAL_FAULT_ASKED)
    close_connection_locked (state, FAL_ORDER_CLOSE);
  else if (state->running)
    push_order_locked (state, &(FalOrder){ .kind = FAL_ORDER_FAIL, .fault = kind });
}

/* ---- the mutex ---- */

static void
lock (FalSharedState *state)
{
  g_mutex_lock (&state->mutex);
}

typedef struct {
  gboolean upstream, sender, output, net;
} Calls;

static gboolean
has_drops_locked (const FalSharedState *state)
{
  return fal_pacer_has_dropped (state->pacer) || fal_output_queue_has_dropped (state->queue);
}

/* Each sleeper is called once. */
static gboolean
call (Sleeper *sleeper, gboolean has_work)
{
  if (!has_work)
    return FALSE;
  sleeper->waits = FALSE;
  return TRUE;
}

/* Who has something to do now. */
static Calls
find_calls_locked (FalSharedState *state)
{
  gint64 now = state->sender.waits || state->output.waits ? g_get_monotonic_time () : 0;
  Calls calls = { 0 };

  g_atomic_int_set (&state->has_drops, has_drops_locked (state));
  want_connection_locked (state);
  if (state->upstream.waits)
    calls.upstream = call (&state->upstream, upstream_may_go_locked (state));
  if (state->sender.waits)
    calls.sender = call (&state->sender, sender_has_work_locked (state, now));
  if (state->output.waits)
    calls.output = call (&state->output, output_has_work_locked (state, now));
  calls.net = state->orders.length > 0 && !state->called && state->wakeup != NULL;
  state->called |= calls.net;
  return calls;
}

/* Lets go of the mutex, and then wakes whom @calls name. */
static void
unlock_and_call (FalSharedState *state, const Calls *calls)
{
  g_autoptr (GMainContext) context G_GNUC_UNUSED =
      calls->net ? g_main_context_ref (state->context) : NULL;
  g_autoptr (GSource) wakeup = calls->net ? g_source_ref (state->wakeup) : NULL;

  g_mutex_unlock (&state->mutex);
  if (calls->upstream)
    g_cond_signal (&state->upstream.cond);
  if (calls->sender)
    g_cond_signal (&state->sender.cond);
  if (calls->output)
    g_cond_signal (&state->output.cond);
  if (wakeup)
    g_source_set_ready_time (wakeup, 0);
}

/* The end of a section that changed something. */
static void
unlock (FalSharedState *state)
{
  Calls calls = find_calls_locked (state);

  unlock_and_call (state, &calls);
}

/* The end of a section that changed nothing others wait for. */
static void
unlock_quietly (FalSharedState *state)
{
  g_mutex_unlock (&state->mutex);
}

/* Waits until it is called, or until @until; before that others are told what changed. The caller
 * looks again in either case. */
static void
sleep_locked (FalSharedState *state, Sleeper *sleeper, gint64 until)
{
  Calls calls = find_calls_locked (state);

  if (calls.upstream || calls.sender || calls.output || calls.net) {
    unlock_and_call (state, &calls);
    lock (state);
    return;
  }
  sleeper->waits = TRUE;
  sleeper->until = until;
  if (until == G_MAXINT64)
    g_cond_wait (&sleeper->cond, &state->mutex);
  else
    g_cond_wait_until (&sleeper->cond, &state->mutex, until);
  sleeper->waits = FALSE;
}

/* ---- what is forgotten ---- */

static void
forget_newest_locked (FalSharedState *state)
{
  g_clear_pointer (&state->newest, fal_frame_unref);
  g_clear_pointer (&state->newest_sample, gst_sample_unref);
  fal_fallback_forget_frame (&state->fallback);
}

/* Nothing that came so far brings a result any more. */
static void
forget_frames_locked (FalSharedState *state)
{
  fal_pacer_flush (state->pacer);
  fal_output_queue_clear_results (state->queue);
  forget_newest_locked (state);
}

static void
clear_locked (FalSharedState *state)
{
  forget_frames_locked (state);
  fal_fallback_clear (&state->fallback);
  fal_output_queue_forget_overtaking (state->queue);
}

/* ---- settings ---- */

static gboolean
sends_ids_locked (const FalSharedState *state)
{
  return fal_settings_sends_request_id (state->settings) && !state->ids_refused;
}

static gboolean
is_leaky_locked (const FalSharedState *state)
{
  FalLeaky leaky = state->settings->leaky;

  return leaky == FAL_LEAKY_AUTO ? state->live : leaky == FAL_LEAKY_DOWNSTREAM;
}

static void
configure_pacer_locked (FalSharedState *state)
{
  const FalSettings *settings = state->settings;
  gboolean leaky = is_leaky_locked (state);
  FalPacerConfig config = {
    .throttle_interval = settings->throttle_interval * G_TIME_SPAN_MILLISECOND,
    .max_waiting = MAX (settings->max_buffering, 1),
    .max_in_flight = settings->max_in_flight ? settings->max_in_flight
                     : leaky                 ? FAL_WINDOW_MAX_UNANSWERED
                                             : FILE_IN_FLIGHT,
    .adaptive = settings->max_in_flight == 0 && leaky,
    .leaky = leaky,
    .identified = sends_ids_locked (state),
    .echo_known = fal_settings_get_app_profile (settings)->echoes_request_id == 1,
    .request_timeout = settings->request_timeout * G_TIME_SPAN_MILLISECOND,
  };

  fal_pacer_configure (state->pacer, &config);
}

static void
configure_locked (FalSharedState *state)
{
  const FalSettings *settings = state->settings;
  FalFallbackConfig fallback = {
    .mode = settings->fallback,
    .timeout = settings->fallback_timeout * G_TIME_SPAN_MILLISECOND,
    .latency = settings->latency < 0 ? -1 : settings->latency * G_TIME_SPAN_MILLISECOND,
    .drops_frames = is_leaky_locked (state),
  };
  FalWatchdogConfig watchdog = {
    .idle_timeout = settings->idle_timeout * G_TIME_SPAN_MILLISECOND,
    .session_limit = settings->session_limit * G_TIME_SPAN_SECOND,
    .request_timeout = settings->request_timeout * G_TIME_SPAN_MILLISECOND,
  };

  configure_pacer_locked (state);
  fal_fallback_configure (&state->fallback, &fallback);
  fal_watchdog_configure (&state->watchdog, &watchdog);
}

static GstClockTime
get_latency_locked (const FalSharedState *state)
{
  return fal_timeline_get_latency (
      state->settings->timestamp_mode, state->live, state->settings->latency);
}

static FalTimestampMode
get_mode_locked (const FalSharedState *state)
{
  return fal_timeline_resolve (
      state->settings->timestamp_mode, state->live, state->settings->latency);
}

/* Lets go of a connection that nothing is under way on. */
static void
release_when_idle_locked (FalSharedState *state)
{
  if (!is_busy_locked (state))
    release_connection_locked (state);
}

/* Frames pass from now on. What is under way comes to an end first where no frame may be lost. */
static void
disable_locked (FalSharedState *state)
{
  if (fal_pacer_is_leaky (state->pacer)) {
    fal_pacer_flush (state->pacer);
    fal_output_queue_forget_answered (state->queue);
    release_connection_locked (state);
  }
  release_when_idle_locked (state);
  forget_newest_locked (state);
}

/* @old gave way to the settings of now. */
static void
apply_locked (FalSharedState *state, const FalSettings *old, FalConcerns concerns)
{
  configure_locked (state);
  if (concerns & FAL_CONCERN_ENABLED) {
    if (old->enabled)
      disable_locked (state);
    fal_fallback_set_enabled (&state->fallback, state->settings->enabled);
  }
  if (concerns & FAL_CONCERN_CONNECTION)
    order_locked (state, FAL_ORDER_CONFIGURE);
}

FalConcerns
fal_shared_state_update (FalSharedState *state, FalSettings *settings, gboolean *latency_changed)
{
  g_autoptr (FalSettings) old = NULL;
  FalConcerns concerns = 0;
  GstClockTime latency;

  lock (state);
  latency = get_latency_locked (state);
  /* Threads that set properties at once may come here in another order. */
  if (settings->version > state->settings->version) {
    old = state->settings;
    state->settings = fal_settings_ref (settings);
    concerns = fal_properties_compare (old, settings);
  }
  *latency_changed = get_latency_locked (state) != latency;
  if (concerns & ~FAL_CONCERN_REQUEST) {
    apply_locked (state, old, concerns);
    unlock (state);
  } else {
    unlock_quietly (state);
  }
  return concerns;
}

FalSettings *
fal_shared_state_dup_settings (FalSharedState *state)
{
  FalSettings *settings;

  lock (state);
  settings = fal_settings_ref (state->settings);
  unlock_quietly (state);
  return settings;
}

void
fal_shared_state_set_live (FalSharedState *state, gboolean live)
{
  lock (state);
  state->live = live;
  configure_locked (state);
  unlock (state);
}

void
fal_shared_state_set_earliest (FalSharedState *state, GstClockTime earliest)
{
  lock (state);
  if (get_mode_locked (state) == FAL_TIMESTAMP_MODE_INPUT)
    fal_pacer_set_earliest (state->pacer, earliest);
  unlock (state);
}

/* Before anybody reads the counts, or begins them anew. */
static void
count_pushed_locked (FalSharedState *state)
{
  guint n[G_N_ELEMENTS (state->pushed)];

  for (guint i = 0; i < G_N_ELEMENTS (n); i++) {
    n[i] = g_atomic_int_and (&state->pushed[i], 0);
    state->stats.out += n[i];
  }
  state->stats.passed += n[FAL_RESULT_PASS];
  state->stats.filled += n[FAL_RESULT_FALLBACK];
}

/* ---- life ---- */

static void
sleeper_init (Sleeper *sleeper)
{
  g_cond_init (&sleeper->cond);
  sleeper->until = G_MAXINT64;
}

FalSharedState *
fal_shared_state_new (FalSettings *settings)
{
  FalSharedState *state = g_new0 (FalSharedState, 1);

  g_mutex_init (&state->mutex);
  sleeper_init (&state->upstream);
  sleeper_init (&state->sender);
  sleeper_init (&state->output);
  g_queue_init (&state->orders);
  state->settings = fal_settings_ref (settings);
  state->pacer = fal_pacer_new ((GDestroyNotify) fal_frame_unref);
  state->queue = fal_output_queue_new ();
  fal_flow_reset (&state->flow);
  fal_fallback_reset (&state->fallback);
  state->drain_deadline = G_MAXINT64;
  state->next_serial = 1;
  return state;
}

void
fal_shared_state_free (FalSharedState *state)
{
  fal_pacer_free (state->pacer);
  fal_output_queue_free (state->queue);
  fal_settings_unref (state->settings);
  g_mutex_clear (&state->mutex);
  g_cond_clear (&state->upstream.cond);
  g_cond_clear (&state->sender.cond);
  g_cond_clear (&state->output.cond);
  g_free (state);
}

void
fal_shared_state_start (FalSharedState *state)
{
  lock (state);
  fal_pacer_free (state->pacer);
  state->pacer = fal_pacer_new ((GDestroyNotify) fal_frame_unref);
  state->stats = (FalStats){ .started = g_get_monotonic_time () };
  fal_flow_reset (&state->flow);
  fal_output_queue_free (state->queue);
  state->queue = fal_output_queue_new ();
  fal_fallback_reset (&state->fallback);
  fal_watchdog_reset (&state->watchdog);
  state->dialer = FAL_DIALER_IDLE;
  state->live = state->ids_refused = state->told_warming = state->holds = FALSE;
  state->next_serial = 1;
  state->newest_serial = 0;
  state->drain_deadline = G_MAXINT64;
  state->running = TRUE;
  configure_locked (state);
  order_locked (state, FAL_ORDER_CONFIGURE);
  unlock (state);
}

void
fal_shared_state_set_wakeup (FalSharedState *state, GSource *wakeup)
{
  lock (state);
  state->wakeup = g_source_ref (wakeup);
  state->context = g_main_context_ref (g_source_get_context (wakeup));
  unlock (state);
}

void
fal_shared_state_stop (FalSharedState *state)
{
  lock (state);
  state->running = FALSE;
  fal_flow_set_flushing (&state->flow, TRUE);
  unlock (state);
}

/* The times of a session that is over stand still. */
static void
end_times_locked (FalSharedState *state, gint64 now)
{
  FalConnectionCounts *connection = &state->stats.connection;

  state->stats.run_time = now - state->stats.started;
  state->stats.started = 0;
  if (connection->connected_since != 0)
    connection->connected_time += now - connection->connected_since;
  connection->connected_since = 0;
}

gboolean
fal_shared_state_give_up (FalSharedState *state)
{
  gboolean was_busy;

  lock (state);
  was_busy = state->dialer != FAL_DIALER_IDLE;
  count_pushed_locked (state);
  state->dialer = FAL_DIALER_IDLE;
  end_times_locked (state, g_get_monotonic_time ());
  fal_pacer_set_online (state->pacer, FALSE);
  fal_pacer_abandon (state->pacer, FALSE);
  fal_output_queue_free (state->queue);
  state->queue = fal_output_queue_new ();
  fal_watchdog_reset (&state->watchdog);
  forget_newest_locked (state);
  g_clear_pointer (&state->feedback, gst_structure_free);
  g_clear_pointer (&state->wakeup, g_source_unref);
  g_clear_pointer (&state->context, g_main_context_unref);
  g_clear_pointer (&state->guard, fal_socket_guard_unref);
  g_queue_clear_full (&state->orders, (GDestroyNotify) fal_order_free);
  state->called = FALSE;
  unlock_quietly (state);
  return was_busy;
}

void
fal_shared_state_close (FalSharedState *state, gboolean again)
{
  lock (state);
  if (!again)
    clear_locked (state);
  if (!(again && fal_flow_is_spent (&state->flow)))
    close_connection_locked (state, again ? FAL_ORDER_RECONNECT : FAL_ORDER_CLOSE);
  unlock (state);
}

void
fal_shared_state_clear (FalSharedState *state)
{
  lock (state);
  clear_locked (state);
  unlock (state);
}

void
fal_shared_state_reset_stats (FalSharedState *state)
{
  FalStats *stats = &state->stats;
  gint64 now = g_get_monotonic_time ();

  lock (state);
  count_pushed_locked (state);
  fal_pacer_reset_counts (state->pacer);
  *stats = (FalStats){
    .started = stats->started ? now : 0,
    .connection = stats->connection,
    .connection_base = stats->connection,
  };
  if (stats->connection.connected_since)
    stats->connection_base.connected_time += now - stats->connection.connected_since;
  unlock_quietly (state);
}

/* ---- questions ---- */

gboolean
fal_shared_state_is_live (FalSharedState *state)
{
  gboolean live;

  lock (state);
  live = state->live;
  unlock_quietly (state);
  return live;
}

GstClockTime
fal_shared_state_get_latency (FalSharedState *state)
{
  GstClockTime latency;

  lock (state);
  latency = get_latency_locked (state);
  unlock_quietly (state);
  return latency;
}

FalDialerState
fal_shared_state_get_state (FalSharedState *state)
{
  FalDialerState dialer;

  lock (state);
  dialer = state->dialer;
  unlock_quietly (state);
  return dialer;
}

static FalSessionCounts
get_counts_locked (FalSharedState *state)
{
  count_pushed_locked (state);
  return (FalSessionCounts){
    .in = fal_pacer_get_counts (state->pacer)->in,
    .out = state->stats.out,
    .dropped = fal_stats_count_dropped (state->pacer),
    .in_flight = fal_pacer_get_in_flight (state->pacer),
  };
}

void
fal_shared_state_get_counts (FalSharedState *state, FalSessionCounts *counts)
{
  lock (state);
  *counts = get_counts_locked (state);
  unlock_quietly (state);
}

GstStructure *
fal_shared_state_get_stats (FalSharedState *state)
{
  GstStructure *structure;

  lock (state);
  count_pushed_locked (state);
  structure = fal_stats_to_structure (&state->stats, state->pacer, g_get_monotonic_time ());
  unlock_quietly (state);
  return structure;
}

/* ---- dropped frames ---- */

static void
drop_free (gpointer data)
{
  FalDrop *drop = data;

  fal_frame_unref (drop->frame);
  g_free (drop);
}

/* @frame is taken. */
static void
add_drop_locked (FalSharedState *state, GPtrArray *drops, FalFrame *frame)
{
  FalDrop *drop = g_new (FalDrop, 1);

  *drop = (FalDrop){ frame, get_counts_locked (state) };
  drop->counts.dropped = ++state->stats.told;
  g_ptr_array_add (drops, drop);
}

static FalFrame *
pop_dropped_locked (FalSharedState *state)
{
  FalFrame *frame = fal_pacer_pop_dropped (state->pacer);

  return frame ? frame : fal_output_queue_pop_dropped (state->queue);
}

GPtrArray *
fal_shared_state_take_drops (FalSharedState *state)
{
  GPtrArray *drops;
  FalFrame *frame;

  if (!g_atomic_int_get (&state->has_drops))
    return NULL;
  drops = g_ptr_array_new_with_free_func (drop_free);
  lock (state);
  g_atomic_int_set (&state->has_drops, FALSE);
  while ((frame = pop_dropped_locked (state))) {
    /* The picture is let go of before anything else is done with it. */
    g_clear_pointer (&frame->sample, gst_sample_unref);
    add_drop_locked (state, drops, frame);
  }
  unlock_quietly (state);
  return drops;
}

GPtrArray *
fal_shared_state_make_drop (FalSharedState *state, FalFrame *frame)
{
  GPtrArray *drops = g_ptr_array_new_with_free_func (drop_free);

  lock (state);
  add_drop_locked (state, drops, fal_frame_ref (frame));
  unlock_quietly (state);
  return drops;
}

/* ---- upstream's thread ---- */

/* @frame is taken. */
static void
offer_locked (FalSharedState *state, FalFrame *frame, gint64 now)
{
  state->newest_serial = state->next_serial++;
  fal_fallback_note_frame (&state->fallback, state->newest_serial, now);
  fal_pacer_offer (state->pacer, frame, state->newest_serial, frame->running, now);
}

/* @frame (taken), number @serial, goes by; the oldest that waits gives way where there are too
 * many. */
static void
pass_locked (FalSharedState *state, FalFrame *frame, guint64 serial)
{
  FalResult *result = g_new0 (FalResult, 1);

  if (fal_output_queue_is_full (state->queue))
    state->stats.late += fal_output_queue_drop_oldest (state->queue);
  *result = (FalResult){ .kind = FAL_RESULT_PASS, .frame = frame, .serial = serial };
  fal_output_queue_push_result (state->queue, result);
}

/* The model was just switched on, and its first result takes a while: until then the frames that it
 * gets go by, too. */
static void
bridge_locked (FalSharedState *state, const FalFrame *frame)
{
  if (!fal_output_queue_is_full (state->queue))
    pass_locked (state, fal_frame_new (gst_sample_ref (frame->sample), frame->arrival),
        state->next_serial); /* that the frame is about to get */
}

/* @frame is taken. */
static void
take_frame_locked (FalSharedState *state, FalFrame *frame, gint64 now)
{
  if (!state->settings->enabled) {
    fal_fallback_note_passing (&state->fallback);
    release_when_idle_locked (state);
    pass_locked (state, frame, state->next_serial++);
    return;
  }
  forget_newest_locked (state);
  state->newest = fal_frame_ref (frame);
  state->newest_sample = gst_sample_ref (frame->sample);
  if (fal_fallback_is_bridging (&state->fallback))
    bridge_locked (state, frame);
  offer_locked (state, frame, now);
}

GstFlowReturn
fal_shared_state_push (FalSharedState *state, FalFrame *frame)
{
  gint64 arrival = frame->arrival;
  GstFlowReturn returned;

  lock (state);
  while (!upstream_may_go_locked (state))
    sleep_locked (state, &state->upstream, G_MAXINT64);
  returned = fal_flow_get_return (&state->flow);
  if (returned == GST_FLOW_OK)
    take_frame_locked (state, g_steal_pointer (&frame), arrival);
  unlock (state);
  if (frame)
    fal_frame_unref (frame);
  return returned;
}

/* Sees to it that the newest frame waits, again where it went already. FALSE: there is none. */
static gboolean
offer_newest_locked (FalSharedState *state)
{
  gint64 now = g_get_monotonic_time ();

  if (state->newest == NULL)
    return FALSE;
  if (fal_pacer_get_waiting (state->pacer) > 0) /* it is the last of them */
    return TRUE;
  fal_frame_unref (state->newest);
  state->newest = fal_frame_new (gst_sample_ref (state->newest_sample), now);
  offer_locked (state, fal_frame_ref (state->newest), now);
  return TRUE;
}

gboolean
fal_shared_state_send_now (FalSharedState *state, const GstStructure *inputs)
{
  gboolean sends;

  lock (state);
  sends = fal_flow_takes_frames (&state->flow) && !fal_flow_has_ended (&state->flow) &&
          offer_newest_locked (state);
  if (sends) {
    g_clear_pointer (&state->newest->inputs, gst_structure_free);
    state->newest->inputs = inputs ? gst_structure_copy (inputs) : NULL;
    fal_pacer_urge (state->pacer);
  }
  unlock (state);
  return sends;
}

/* The drain timeout begins, or begins anew since something came. */
static void
renew_deadline_locked (FalSharedState *state)
{
  guint timeout = state->settings->drain_timeout;

  state->drain_deadline =
      timeout > 0 ? g_get_monotonic_time () + timeout * G_TIME_SPAN_MILLISECOND : G_MAXINT64;
}

/* @event (taken) comes out in its place among the frames. */
static void
queue_event_locked (FalSharedState *state, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) == GST_EVENT_EOS) {
    fal_pacer_drain (state->pacer);
    renew_deadline_locked (state);
  }
  fal_output_queue_push_event (state->queue, event, state->next_serial);
}

/* Whether the flow ended with an error that upstream, which has sent EOS, will not learn of, and
 * that the application does not know of. */
static gboolean
is_unheard_locked (const FalSharedState *state)
{
  return fal_flow_is_unreported (&state->flow) && fal_output_queue_ends (state->queue);
}

gboolean
fal_shared_state_push_event (FalSharedState *state, GstEvent *event)
{
  gboolean unheard;

  lock (state);
  /* A stream that the session ended itself does not end again. */
  if (fal_flow_is_spent (&state->flow) && GST_EVENT_TYPE (event) == GST_EVENT_EOS) {
    gst_event_unref (event);
  } else {
    fal_flow_note_event (&state->flow, event);
    queue_event_locked (state, event);
  }
  unheard = is_unheard_locked (state);
  unlock (state);
  return !unheard;
}

/* The session is over before upstream ends it: EOS goes out, and upstream gets it with its next
 * frame. */
static void
spend_locked (FalSharedState *state)
{
  fal_flow_spend (&state->flow);
  forget_frames_locked (state);
  if (!fal_flow_has_ended (&state->flow))
    queue_event_locked (state, fal_flow_make_eos (&state->flow));
}

void
fal_shared_state_set_flushing (FalSharedState *state, gboolean flushing)
{
  lock (state);
  state->drain_deadline = G_MAXINT64;
  fal_flow_set_flushing (&state->flow, flushing);
  if (flushing) {
    clear_locked (state);
    fal_output_queue_flush_events (state->queue, state->next_serial);
  } else if (fal_flow_is_spent (&state->flow)) {
    spend_locked (state);
  }
  unlock (state);
}

/* ---- the send thread ---- */

void
fal_work_clear (FalWork *work)
{
  g_clear_pointer (&work->guard, fal_socket_guard_unref);
  g_clear_pointer (&work->sample, gst_sample_unref);
  g_clear_pointer (&work->frame, fal_frame_unref);
  g_clear_pointer (&work->feedback, gst_structure_free);
  g_clear_pointer (&work->inputs, gst_structure_free);
}

static GstStructure *
copy_structure (const GstStructure *structure)
{
  return structure ? gst_structure_copy (structure) : NULL;
}

/* Gives up what waited too long. Where a late reply could then be taken for another frame's, or the
 * connection brought nothing at all meanwhile, it is made anew, and the end of the connection tells
 * of it. */
static gboolean
find_expired_locked (FalSharedState *state, gint64 now, FalWork *work)
{
  gboolean warming = state->dialer == FAL_DIALER_WARMING_UP;
  gint64 sent = fal_pacer_get_oldest_sent (state->pacer);
  guint n = fal_pacer_expire (state->pacer, now);
  FalFaultKind kind;

  if (n == 0)
    return FALSE;
  kind = fal_watchdog_judge_silence (&state->watchdog, warming, sent, now);
  if (fal_watchdog_is_useless (&state->watchdog, kind, fal_pacer_echoes (state->pacer),
          fal_pacer_tells_apart (state->pacer), now)) {
    give_up_connection_locked (state, kind);
    state->look = TRUE; /* so that the frames are told of */
    return FALSE;
  }
  work->kind = FAL_WORK_EXPIRED;
  work->expired = n;
  work->loading = warming;
  work->told = state->told_warming;
  state->told_warming |= warming;
  return TRUE;
}

static gboolean
find_request_locked (FalSharedState *state, gint64 now, FalWork *work)
{
  FalFrame *frame = is_held_locked (state) ? NULL : fal_pacer_take (state->pacer, now, &work->id);

  if (frame == NULL)
    return FALSE;
  work->kind = FAL_WORK_REQUEST;
  work->frame = fal_frame_ref (frame);
  work->sample = gst_sample_ref (frame->sample);
  if (fal_pacer_is_leaky (state->pacer))
    work->pause = state->settings->throttle_interval * G_TIME_SPAN_MILLISECOND;
  work->generation = state->generation;
  work->first = state->fresh;
  work->feedback = copy_structure (state->feedback);
  work->inputs = copy_structure (frame->inputs);
  state->fresh = FALSE;
  fal_watchdog_note_request (&state->watchdog, now);
  return TRUE;
}

static gboolean
find_cut_locked (FalSharedState *state, gint64 now, FalWork *work)
{
  if (fal_watchdog_get_cut_time (&state->watchdog) > now)
    return FALSE;
  fal_watchdog_note_cut (&state->watchdog);
  work->kind = FAL_WORK_CUT;
  work->fault = fal_watchdog_get_fault (&state->watchdog);
  return TRUE;
}

static gboolean
find_limit_locked (FalSharedState *state, gint64 now, FalWork *work)
{
  if (get_limit_time_locked (state) > now)
    return FALSE;
  work->kind = FAL_WORK_LIMIT;
  work->limit = state->settings->session_limit;
  return TRUE;
}

/* Ends what the peer has left without a word, and what nobody needs. */
static void
watch_connection_locked (FalSharedState *state, gint64 now)
{
  if (fal_watchdog_is_dead (&state->watchdog, fal_pacer_get_oldest_sent (state->pacer), now))
    give_up_connection_locked (state, FAL_FAULT_DEAD);
  if (get_idle_time_locked (state) <= now)
    release_connection_locked (state);
}

static gboolean
find_work_locked (FalSharedState *state, gint64 now, FalWork *work)
{
  watch_connection_locked (state, now);
  return find_cut_locked (state, now, work) || find_limit_locked (state, now, work) ||
         find_expired_locked (state, now, work) || find_request_locked (state, now, work);
}

gboolean
fal_shared_state_wait_for_work (
    FalSharedState *state, gint64 look_time, gint64 heard, FalWork *work)
{
  gboolean runs;
  gint64 now;

  *work = (FalWork){ .kind = FAL_WORK_NOTHING };
  lock (state);
  if (heard != 0)
    fal_watchdog_note_heard (&state->watchdog, heard);
  while (state->running && !find_work_locked (state, now = g_get_monotonic_time (), work) &&
         now < look_time && !state->look)
    sleep_locked (state, &state->sender, MIN (look_time, get_work_time_locked (state, now)));
  state->look = FALSE;
  work->guard = state->guard ? fal_socket_guard_ref (state->guard) : NULL;
  runs = state->running;
  unlock (state);
  return runs;
}

FalSettings *
fal_shared_state_begin_request (FalSharedState *state, gboolean *sends_ids)
{
  FalSettings *settings;

  lock (state);
  settings = fal_settings_ref (state->settings);
  *sends_ids = sends_ids_locked (state);
  unlock_quietly (state);
  return settings;
}

static void
fail_request_locked (FalSharedState *state, const FalWork *work)
{
  fal_pacer_fail (state->pacer, work->id);
  if (work->generation == state->generation)
    state->fresh |= work->first;
}

void
fal_shared_state_finish_request (
    FalSharedState *state, const FalWork *work, GBytes *message, gint64 duration)
{
  FalOrder order = { FAL_ORDER_SEND, message, work->generation };

  lock (state);
  if (message == NULL)
    fail_request_locked (state, work);
  else
    fal_percentiles_add (&state->stats.encode, duration);
  if (!fal_pacer_keeps (state->pacer, work->id))
    g_clear_pointer (&work->frame->sample, gst_sample_unref);
  if (message != NULL)
    push_order_locked (state, &order);
  unlock (state);
}

void
fal_shared_state_spend (FalSharedState *state)
{
  lock (state);
  spend_locked (state);
  release_connection_locked (state);
  unlock (state);
}

/* ---- the net thread ---- */

void
fal_order_free (FalOrder *order)
{
  g_clear_pointer (&order->message, g_bytes_unref);
  g_free (order);
}

/* Where the connection went meanwhile, the pacer knows already that the request is lost. */
static gboolean
still_counts_locked (const FalSharedState *state, const FalOrder *order)
{
  if (order->kind == FAL_ORDER_SEND)
    return fal_watchdog_is_online (&state->watchdog) && order->generation == state->generation;
  return order->kind != FAL_ORDER_FAIL || fal_watchdog_is_given_up (&state->watchdog);
}

FalOrder *
fal_shared_state_take_order (FalSharedState *state)
{
  FalOrder *order;

  lock (state);
  state->called = FALSE;
  while ((order = g_queue_pop_head (&state->orders)) && !still_counts_locked (state, order))
    fal_order_free (order);
  unlock (state);
  return order;
}

static void
note_counts_locked (FalSharedState *state, const FalConnectionCounts *counts)
{
  state->stats.connection = *counts;
  fal_watchdog_note_connected_time (
      &state->watchdog, counts->connected_since, counts->connected_time);
}

void
fal_shared_state_note_counts (FalSharedState *state, const FalConnectionCounts *counts)
{
  lock (state);
  note_counts_locked (state, counts);
  unlock_quietly (state);
}

void
fal_shared_state_note_state (FalSharedState *state, FalDialerState dialer)
{
  lock (state);
  state->dialer = dialer;
  if (dialer != FAL_DIALER_FAILED)
    fal_flow_allow_connections (&state->flow);
  unlock_quietly (state);
}

/* Requests may go. */
static void
go_online_locked (FalSharedState *state)
{
  fal_watchdog_note_online (&state->watchdog);
  state->fresh = TRUE;
  fal_pacer_set_online (state->pacer, TRUE);
}

static void
set_guard_locked (FalSharedState *state, FalSocketGuard *guard)
{
  g_clear_pointer (&state->guard, fal_socket_guard_unref);
  state->guard = guard ? fal_socket_guard_ref (guard) : NULL;
  state->look = TRUE;
}

void
fal_shared_state_note_opened (
    FalSharedState *state, const FalConnectionCounts *counts, FalSocketGuard *guard, gboolean ready)
{
  lock (state);
  fal_watchdog_note_opened (&state->watchdog, g_get_monotonic_time ());
  state->generation++;
  set_guard_locked (state, guard);
  note_counts_locked (state, counts);
  if (ready)
    go_online_locked (state);
  unlock (state);
}

void
fal_shared_state_note_ready (FalSharedState *state)
{
  lock (state);
  if (state->running && fal_watchdog_awaits_ready (&state->watchdog))
    go_online_locked (state);
  unlock (state);
}

gboolean
fal_shared_state_note_ended (
    FalSharedState *state, const FalConnectionCounts *counts, gboolean fatal)
{
  gboolean running;

  lock (state);
  running = state->running;
  fal_watchdog_note_ended (&state->watchdog);
  set_guard_locked (state, NULL);
  state->holds = FALSE;
  fal_pacer_set_online (state->pacer, FALSE);
  fal_pacer_lose (state->pacer);
  fal_output_queue_close_answered (state->queue);
  note_counts_locked (state, counts);
  if (fatal) {
    state->dialer = FAL_DIALER_FAILED;
    fal_flow_give_up (&state->flow);
  }
  unlock (state);
  return running;
}

void
fal_shared_state_note_message (FalSharedState *state, const FalConnectionCounts *counts)
{
  lock (state);
  fal_watchdog_note_message (&state->watchdog, g_get_monotonic_time ());
  note_counts_locked (state, counts);
  unlock_quietly (state);
}

gboolean
fal_shared_state_needs_connection (FalSharedState *state)
{
  gboolean needs, active;

  lock (state);
  active = state->settings->enabled && !fal_flow_is_spent (&state->flow);
  needs = fal_watchdog_needs (
      &state->watchdog, active, is_busy_locked (state), g_get_monotonic_time ());
  unlock_quietly (state);
  return needs;
}

void
fal_shared_state_keep_connection (FalSharedState *state)
{
  lock (state);
  fal_watchdog_keep (&state->watchdog);
  unlock (state);
}

static gboolean
counts_replies_locked (const FalSharedState *state)
{
  return state->running && !fal_watchdog_is_given_up (&state->watchdog);
}

/* The result of the reply's picture number @i, with the reply's @fields (taken; or NULL). */
static FalResult *
make_result_locked (FalSharedState *state, const FalReply *reply, guint i, GstStructure *fields,
    const FalResult *base)
{
  const FalImage *image = reply->images->pdata[i];
  FalResult *result = g_memdup2 (base, sizeof *base);

  fal_frame_ref (result->frame);
  result->picture = image->bytes ? g_bytes_ref (image->bytes) : NULL;
  result->download = image->link ? ++state->last_download : 0;
  result->index = base->index + i;
  result->inference = reply->inference;
  result->request_id = g_strdup (reply->request_id);
  result->fields = fields;
  return result;
}

/* What the next request takes from the reply. */
static void
take_feedback_locked (FalSharedState *state, const FalReply *reply)
{
  const gchar *names = fal_settings_get_feedback_fields (state->settings);

  if (names == NULL || reply->fields == NULL)
    return;
  g_clear_pointer (&state->feedback, gst_structure_free);
  state->feedback = fal_request_builder_pick (reply->fields, names);
}

static void
queue_results_locked (FalSharedState *state, FalReply *reply, const FalResult *base)
{
  guint n = MIN (reply->images->len, MAX_PICTURES);

  take_feedback_locked (state, reply);
  for (guint i = 0; i < n; i++) {
    /* The last one needs no copy, since nobody reads the reply's fields after it. */
    GstStructure *fields =
        i + 1 < n ? copy_structure (reply->fields) : g_steal_pointer (&reply->fields);

    fal_output_queue_push_result (state->queue, make_result_locked (state, reply, i, fields, base));
  }
  fal_output_queue_count_answered (state->queue, n);
  state->stats.results += n;
  state->stats.invalid += reply->images->len - n;
}

/* The first results of a request. */
static void
take_first_results_locked (FalSharedState *state, FalReply *reply, FalResult *base)
{
  gboolean streams = fal_settings_is_streaming (state->settings);

  base->count = streams ? 0 : MIN (reply->images->len, MAX_PICTURES);
  fal_output_queue_set_answered (state->queue, base, reply->request_id, streams);
  queue_results_locked (state, reply, base);
  fal_frame_unref (base->frame);
}

/* FALSE: the reply answers nothing. */
static gboolean
take_reply_locked (FalSharedState *state, FalReply *reply, gint64 now)
{
  guint in_flight = fal_pacer_get_in_flight (state->pacer);
  FalResult base = { .received = now };
  gboolean known;

  base.frame =
      fal_pacer_answer (state->pacer, reply->request_id, now, &base.sent, &base.serial, &known);
  if (known) {
    fal_percentiles_add (&state->stats.round_trip, now - base.sent);
    if (reply->inference >= 0)
      state->stats.inference_last = reply->inference;
    if (base.frame != NULL) /* else it was flushed away */
      take_first_results_locked (state, reply, &base);
    return TRUE;
  }
  if (!fal_output_queue_continue_answered (state->queue, reply->request_id, in_flight, now, &base))
    return FALSE;
  queue_results_locked (state, reply, &base);
  return TRUE;
}

static void
answer_locked (FalSharedState *state, FalReply *reply, FalAnswer *answer)
{
  guint n = reply->images->len;
  guint64 before = state->last_download;

  answer->known = take_reply_locked (state, reply, g_get_monotonic_time ());
  answer->first = answer->known && state->dialer == FAL_DIALER_WARMING_UP;
  answer->first_download = state->last_download > before ? before + 1 : 0;
  if (!answer->known)
    state->stats.late += MAX (n, 1);
  if (answer->known && n == 0)
    state->stats.invalid++;
  state->told_warming &= !answer->known;
  state->holds |= answer->first;
}

void
fal_shared_state_answer (FalSharedState *state, FalReply *reply, FalAnswer *answer)
{
  *answer = (FalAnswer){ 0 };
  lock (state);
  if (counts_replies_locked (state))
    answer_locked (state, reply, answer);
  unlock (state);
}

void
fal_shared_state_release_results (FalSharedState *state)
{
  lock (state);
  state->holds = FALSE;
  unlock (state);
}

gboolean
fal_shared_state_note_failed_reply (FalSharedState *state, gboolean unreadable)
{
  gboolean counts;

  lock (state);
  counts = counts_replies_locked (state);
  if (counts && !fal_pacer_echoes (state->pacer))
    fal_pacer_fail_oldest (state->pacer);
  state->stats.invalid += counts && unreadable;
  unlock (state);
  return counts;
}

gboolean
fal_shared_state_fail_oldest (FalSharedState *state)
{
  gboolean counts;

  lock (state);
  counts = counts_replies_locked (state);
  if (counts)
    fal_pacer_fail_oldest (state->pacer);
  unlock (state);
  return counts;
}

/* An app that answered before has nothing against ids. */
static gboolean
refuses_ids_locked (const FalSharedState *state, const FalReply *reply)
{
  return state->settings->request_id == FAL_REQUEST_ID_AUTO && sends_ids_locked (state) &&
         state->stats.results == 0 && reply->reason && strstr (reply->reason, "request_id");
}

gboolean
fal_shared_state_drop_ids (FalSharedState *state, const FalReply *reply)
{
  gboolean refused;

  lock (state);
  refused = counts_replies_locked (state) && refuses_ids_locked (state, reply);
  if (refused) {
    state->ids_refused = TRUE;
    configure_pacer_locked (state);
    /* By an order, since libsoup is still delivering the message. */
    close_connection_locked (state, FAL_ORDER_CLOSE);
  }
  unlock (state);
  return refused;
}

void
fal_shared_state_note_inference (FalSharedState *state, gdouble inference)
{
  FalResult *last;

  lock (state);
  state->stats.inference_last = inference;
  last = fal_output_queue_peek_newest (state->queue);
  if (last != NULL && last->inference < 0)
    last->inference = inference;
  unlock_quietly (state);
}

void
fal_shared_state_close_answered (FalSharedState *state)
{
  lock (state);
  fal_output_queue_close_answered (state->queue);
  unlock (state);
}

gboolean
fal_shared_state_take_picture (FalSharedState *state, guint64 number, GBytes *picture)
{
  gboolean awaited;

  lock (state);
  awaited = fal_output_queue_set_picture (state->queue, number, picture);
  state->stats.invalid += awaited && picture == NULL;
  unlock (state);
  return awaited;
}

/* ---- the source pad's task ---- */

/* What stands for the result that does not come, for the newest frame. */
static FalResult *
make_fallback_locked (FalSharedState *state, gint64 now)
{
  const FalFrame *oldest = fal_pacer_peek_oldest (state->pacer);
  GstClockTime trip = fal_percentiles_get_last (&state->stats.round_trip) * GST_MSECOND;
  FalResult *result = g_new0 (FalResult, 1);

  *result = (FalResult){
    .kind = FAL_RESULT_FALLBACK,
    .frame = fal_frame_new (gst_sample_ref (state->newest_sample), state->newest->arrival),
    .serial = state->newest_serial,
    .count = 1,
    .fallback = fal_fallback_get_shown (&state->fallback, now),
    .outlook = { oldest ? oldest->running : GST_CLOCK_TIME_NONE, state->newest->running,
        fal_fallback_get_patience (&state->fallback, trip, now) },
  };
  fal_fallback_note_filled (&state->fallback, now);
  return result;
}

static void
note_event_leaves_locked (FalSharedState *state, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) != GST_EVENT_EOS)
    return;
  state->drain_deadline = G_MAXINT64;
  forget_newest_locked (state); /* nothing is shown in its place after the end */
}

/* FALSE: nothing goes out yet. */
static gboolean
take_output_locked (FalSharedState *state, FalOutput *output)
{
  gint64 now = g_get_monotonic_time ();
  FalOutputView view = get_view_locked (state, now);

  state->stats.late += fal_output_queue_drop_overtaken (state->queue);
  if (peek_output_locked (state, now) == FAL_OUTPUT_NOTHING)
    return FALSE;
  switch (fal_output_queue_take (state->queue, &view, &output->event, &output->result)) {
  case FAL_OUTPUT_EVENT:
    note_event_leaves_locked (state, output->event);
    break;
  case FAL_OUTPUT_RESULT:
    if (output->result->kind == FAL_RESULT_ANSWER)
      fal_fallback_note_result (&state->fallback, now);
    break;
  case FAL_OUTPUT_FILL:
    output->result = make_fallback_locked (state, now);
    break;
  case FAL_OUTPUT_NOTHING:
    return FALSE;
  }
  return TRUE;
}

/* Asked before a wait and not after it: what is ready goes out first, and a flush may have ended
 * the drain in the moment in which its time was over. */
static gboolean
drain_is_over_locked (const FalSharedState *state)
{
  return state->drain_deadline != G_MAXINT64 && state->drain_deadline <= g_get_monotonic_time ();
}

/* The drain timeout is past: the stream ends without what is still missing. How many frames that
 * are. */
static guint
end_drain_locked (FalSharedState *state)
{
  guint in_flight = fal_pacer_get_in_flight (state->pacer);
  guint missing =
      fal_pacer_get_waiting (state->pacer) + in_flight + fal_output_queue_get_length (state->queue);

  state->drain_deadline = G_MAXINT64;
  /* A late reply without an id could be taken for another frame's. */
  if (in_flight > 0 && fal_watchdog_is_online (&state->watchdog) &&
      !fal_pacer_echoes (state->pacer))
    give_up_connection_locked (state, FAL_FAULT_ASKED);
  fal_pacer_abandon (state->pacer, TRUE);
  fal_output_queue_clear_results (state->queue);
  return missing;
}

void
fal_shared_state_wait_for_output (FalSharedState *state, FalOutput *output)
{
  *output = (FalOutput){ 0 };
  lock (state);
  /* While downstream was busy with the last result, none was waited for. */
  if (state->drain_deadline != G_MAXINT64)
    renew_deadline_locked (state);
  while (fal_flow_goes_out (&state->flow) && !take_output_locked (state, output)) {
    if (drain_is_over_locked (state))
      output->missing += end_drain_locked (state);
    else
      sleep_locked (state, &state->output, state->drain_deadline);
  }
  output->settings = fal_settings_ref (state->settings);
  output->mode = get_mode_locked (state);
  output->live = state->live;
  output->every_frame = !fal_pacer_is_leaky (state->pacer);
  unlock (state);
}

void
fal_shared_state_note_rendered (FalSharedState *state, FalResultKind kind, FalRendered rendered,
    gint64 arrival, gint64 duration)
{
  if (kind != FAL_RESULT_ANSWER)
    return;
  lock (state);
  switch (rendered) {
  case FAL_RENDERED:
    fal_percentiles_add (&state->stats.decode, duration);
    fal_percentiles_add (&state->stats.age, g_get_monotonic_time () - arrival);
    break;
  case FAL_RENDERED_TOO_LATE:
    state->stats.late++;
    break;
  case FAL_RENDERED_BROKEN:
    state->stats.invalid++;
    break;
  }
  unlock_quietly (state);
}

void
fal_shared_state_note_pushed (FalSharedState *state, FalResultKind kind)
{
  g_atomic_int_inc (&state->pushed[kind]);
}

gboolean
fal_shared_state_stop_flow (FalSharedState *state, GstFlowReturn returned, gboolean reported)
{
  gboolean unheard;

  lock (state);
  fal_flow_stop (&state->flow, returned, reported);
  if (returned == GST_FLOW_EOS)
    forget_frames_locked (state);
  unheard = is_unheard_locked (state);
  unlock (state);
  return !unheard;
}

gboolean
fal_shared_state_flows (FalSharedState *state)
{
  gboolean flows;

  lock (state);
  flows = fal_flow_goes_out (&state->flow);
  unlock_quietly (state);
  return flows;
}

gboolean
fal_shared_state_relink (FalSharedState *state)
{
  gboolean relinked;

  lock (state);
  relinked = fal_flow_relink (&state->flow);
  unlock (state);
  return relinked;
}
