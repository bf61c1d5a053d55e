/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The shared state: one mutex, and the decisions of policy put together under it.
 *
 * Every function that changes something ends with unlock(), which works out who has something to do
 * now: a thread that waits is woken only then, and once the mutex is free. To wake one for nothing
 * costs more than all else that is done for a frame but its picture. */
#include "shared-state.h"
#include "fal/policy/budget.h"
#include "fal/policy/fallback.h"
#include "fal/policy/flow.h"
#include "fal/policy/frame-queue.h"
#include "fal/policy/output-queue.h"
#include "fal/policy/playout.h"
#include "fal/policy/request-id.h"
#include "fal/policy/spread.h"
#include "fal/policy/stillness.h"
#include "fal/policy/timeline.h"
#include "fal/policy/watchdog.h"
#include "fal/policy/window.h"
#include "request-builder.h"
#include "stats.h"

#include <string.h>

/* Of a file, whose frames do not age: enough that the model need not wait for the next one. */
#define FILE_IN_FLIGHT 2
/* Of an app that takes frames in blocks: one that is filled, one that it works on, and one on the
 * way there and back. */
#define BLOCKS_IN_FLIGHT 3
#define MAX_PICTURES FAL_SHARED_STATE_MAX_PICTURES
/* What a result keeps in memory beside its message and picture, about. */
#define RESULT_SIZE 1024

/* So many more of upstream's buffers are kept for a composite; further frames are copied. */
#define MOST_RESERVED 12

#define FIRST_SERIAL 1

/* Of the delay that sinks keep, what decoding and the way to the sink may take, µs: results do not
 * wait for others then. */
#define RENDERING (20 * G_TIME_SPAN_MILLISECOND)

/* How long a DRAIN query waits for what is being encoded. */
#define MAX_ENCODING G_USEC_PER_SEC

/* Where upstream's serialized query is. */
typedef enum {
  QUERY_NONE,
  QUERY_WAITS, /* for what came before it to go out */
  QUERY_TAKEN, /* downstream is being asked */
  QUERY_ENDED,
} QueryState;

/* A thread that waits. It is awake where @waits is not set. */
typedef struct {
  GCond cond;
  gboolean waits;
  gint64 until; /* it looks again by itself then; G_MAXINT64: only when it is woken */
} Sleeper;

/* One of the session's connections; its watchdog stands apart, as they are asked together. */
typedef struct {
  FalSocketGuard *guard; /* for the send thread to look at; NULL: no connection stands */
  guint generation;      /* of the connection: what was made for an older one is not sent */
  FalDialerState dialer;
  gboolean told_warming; /* of a model that seems to be loading, since the last result */
  FalPaidTime paid;      /* what this member pays for of its time */
  FalLaneStats stats;
} Lane;

/* Frames that wait for their results gave way to newer ones: the application hears of it once. */
typedef enum { NOT_CROWDED, CROWDED, TOLD_CROWDED } Crowded;

struct _FalSharedState {
  GMutex mutex;
  /* Everything below: mutex. */
  Sleeper upstream;      /* waits for room, for its query, or for the encoder */
  FalRoute route;        /* of the frame that it waits with */
  Sleeper sender;        /* waits for work */
  Sleeper output;        /* waits for something to go out */
  GSource *wakeup;       /* of the net thread; NULL: there is none yet */
  GMainContext *context; /* of it: a thread may wake it a moment after the net thread has ended */
  gboolean called;       /* the net thread was woken, and did not look yet */
  gboolean running;      /* between start and stop */

  FalSettings *settings;
  gboolean live;
  GstClockTime upstream_latency; /* in which a frame comes here */
  GstClockTime pipeline_latency; /* as downstream told last; NONE: it never did */
  FalRegion *region;             /* by the last settings that had one which can be read */
  gboolean told_outside;         /* that it lies outside of the frame */
  FalPacer *pacer;
  FalFlow flow;
  FalOutputQueue *queue;
  FalFrameQueue *frames; /* that come out each; empty unless all are to */
  GstCaps *frame_caps;   /* of the newest of them; NULL: none came */
  guint epoch;           /* rises with each change of these */
  FalSpread spread;
  FalPlayout *playout;
  FalFallback fallback;
  FalStillness stillness;
  FalBudget budget;
  gboolean told_unpriced; /* that no price is set for the budget */
  FalStats stats;
  Lane lanes[FAL_MAX_CONNECTIONS];
  FalWatchdog watchdogs[FAL_MAX_CONNECTIONS]; /* one for each lane */
  guint n_lanes;                              /* as was set at the start */

  GQueue orders;         /* FalOrder */
  gboolean look;         /* the send thread is to look at the sockets anew */
  gint64 told_given_up;  /* when the application was told last of frames that were given up */
  gboolean tells;        /* the send thread is about to do so */
  gboolean fresh;        /* nothing was sent on the connection yet */
  gboolean ids_refused;  /* the app takes no request ids, though they were to be sent */
  gboolean holds;        /* results wait until the state was told */
  gboolean full;         /* results wait until the next picture at the constant rate has gone */
  gboolean ticked;       /* it is time for a picture at the constant rate */

  FalFrame *newest;         /* that came from upstream and waits for a result; NULL: none */
  GstSample *newest_sample; /* of it */
  guint64 next_serial;      /* of the next frame */
  guint64 newest_serial;    /* of the newest one that waits for a result */
  gint64 hold;              /* as FalOutputView has it */
  guint64 last_download;    /* number of the last download */
  GstStructure *feedback;   /* what the next request takes from the last result; or NULL */
  gint64 drain_deadline;    /* G_MAXINT64: not draining */

  QueryState query_state;
  GstQuery *query;       /* of upstream, which waits meanwhile; NULL: none */
  gboolean query_result; /* downstream has answered it */
  guint64 begun, ended;  /* numbers of the requests that the send thread took and let go of last */
  guint64 awaited;       /* upstream waits for the end of this one; 0: of none */

  /* Atomic: the source pad's task takes no mutex for it. */
  guint pushed[FAL_RESULT_N_KINDS]; /* buffers that went downstream, by FalResultKind, not counted
                                       yet */
  guint repeated;  /* of them, not for the first time */
  gint has_drops;  /* there are frames to tell of */
  gint crowded;    /* Crowded */
};

/* ---- frames that show nothing new ---- */

/* @frame, number @serial, as it is judged. */
static FalCandidate
make_candidate_locked (const FalSharedState *state, const FalFrame *frame, guint64 serial)
{
  return (FalCandidate) {
    .serial = serial,
    .time = GST_CLOCK_TIME_IS_VALID (frame->running) ? frame->running
                                                     : (GstClockTime) frame->arrival * GST_USECOND,
    .cue = gst_sample_get_info (frame->sample),
    .part = frame->part,
    .asked_for = frame->inputs != NULL || fal_pacer_has_repeat (state->pacer),
    .kept = !fal_pacer_is_leaky (state->pacer),
  };
}

/* What is to become of the frame that goes next. */
static FalStillnessVerdict
judge_next_locked (const FalSharedState *state)
{
  const FalFrame *next = fal_pacer_peek_next (state->pacer);
  FalCandidate candidate;

  if (next == NULL || !fal_stillness_is_on (&state->stillness))
    return FAL_STILLNESS_GOES;
  candidate = make_candidate_locked (state, next, fal_pacer_get_next (state->pacer));
  return fal_stillness_judge (&state->stillness, &candidate, fal_pacer_get_outcome (state->pacer));
}

/* Whether the connection has something to do, or is to be made: a frame that may show nothing new
 * is no reason. */
static gboolean
is_busy_locked (const FalSharedState *state)
{
  return fal_pacer_is_busy (state->pacer) && (fal_pacer_get_in_flight (state->pacer) > 0 ||
                                                 judge_next_locked (state) == FAL_STILLNESS_GOES);
}

/* Whether there is a connection over which requests may go. */
static gboolean
is_online_locked (const FalSharedState *state)
{
  for (guint i = 0; i < state->n_lanes; i++)
    if (fal_watchdog_is_online (&state->watchdogs[i]))
      return TRUE;
  return FALSE;
}

/* When the frame that goes next is sent, or looked at: where there is no connection that need not
 * wait, since it says whether one is needed. */
static gint64
get_request_time_locked (const FalSharedState *state, gint64 now)
{
  FalStillnessVerdict verdict = judge_next_locked (state);

  if (verdict == FAL_STILLNESS_RESTS ||
      (verdict == FAL_STILLNESS_LOOK && !is_online_locked (state)))
    return now;
  return verdict == FAL_STILLNESS_WAITS ? G_MAXINT64 : fal_pacer_next_time (state->pacer, now);
}

/* ---- who waits for what ---- */

/* Those that are ended on somebody's wish are all ended together. */
static gboolean
is_closing_locked (const FalSharedState *state)
{
  for (guint i = 0; i < state->n_lanes; i++)
    if (fal_watchdog_is_closing (&state->watchdogs[i]))
      return TRUE;
  return FALSE;
}

/* Whether the frame that goes next is one that the budget has no more money for; to look at it
 * costs nothing. */
static gboolean
is_unpaid_locked (const FalSharedState *state, gint64 now)
{
  return !fal_budget_allows_request (&state->budget, now) &&
         judge_next_locked (state) == FAL_STILLNESS_GOES;
}

static gboolean
shows_all_locked (const FalSharedState *state)
{
  return state->settings->enabled && fal_settings_shows_all_frames (state->settings);
}

/* Whether the picture of a frame is needed when its result is here. */
static gboolean
lays_on_locked (const FalSharedState *state, const FalFrame *frame)
{
  if (frame->comes_out)
    return !frame->gone;
  return state->settings->composite != FAL_COMPOSITE_NONE;
}

/* The frames that are kept for their results. */
typedef struct {
  const FalFrame *last; /* that was counted: one may have several results */
  guint n;
  guint64 bytes;
} Held;

static void
count_held (gpointer data, gpointer user)
{
  const FalFrame *frame = data;
  Held *held = user;

  if (frame == held->last || frame->sample == NULL)
    return;
  held->last = frame;
  held->n++;
  held->bytes += gst_buffer_get_size (gst_sample_get_buffer (frame->sample));
}

static Held
count_held_locked (const FalSharedState *state)
{
  Held held = { NULL };

  fal_pacer_foreach_sent (state->pacer, count_held, &held);
  fal_output_queue_foreach_frame (state->queue, count_held, &held);
  return held;
}

/* Whether the frames that wait for their results take all the memory that they may. Where all come
 * out their queue sees to that. One may wait in any case. */
static gboolean
holds_too_much_locked (const FalSharedState *state)
{
  Held held;

  if (state->settings->composite == FAL_COMPOSITE_NONE || shows_all_locked (state))
    return FALSE;
  held = count_held_locked (state);
  return held.n > 0 && held.bytes >= state->settings->max_held_bytes;
}

/* Whether nothing is to be sent for the time being. What waits to go out may be waiting for the
 * frame that goes again. */
static gboolean
is_held_locked (const FalSharedState *state, gint64 now)
{
  return !fal_flow_goes_out (&state->flow) || is_closing_locked (state) ||
         is_unpaid_locked (state, now) ||
         ((fal_output_queue_is_full (state->queue, now) || holds_too_much_locked (state)) &&
             !fal_pacer_has_repeat (state->pacer));
}

/* Whether upstream's next frame can be taken. One that passes is never dropped: it waits for room,
 * as it would in an element that only hands it on. Where no frame is lost, it does not overtake
 * those that are under way; one that passes for want of a region waits for them in the queue. */
static gboolean
has_room_locked (const FalSharedState *state)
{
  gboolean passes = !state->settings->enabled || fal_fallback_is_bridging (&state->fallback);

  if (shows_all_locked (state))
    return fal_frame_queue_has_room (state->frames) &&
           (state->route != FAL_ROUTE_SEND || fal_pacer_has_room (state->pacer));
  if (passes && !fal_output_queue_has_room (state->queue))
    return FALSE;
  if (state->settings->enabled && state->route == FAL_ROUTE_PASS)
    return fal_output_queue_has_room_in_turn (state->queue);
  if (state->settings->enabled)
    return fal_pacer_has_room (state->pacer);
  return fal_pacer_is_leaky (state->pacer) || !fal_pacer_is_busy (state->pacer);
}

/* Whether frames may be sent at all. */
static gboolean
is_active_locked (const FalSharedState *state)
{
  return state->settings->enabled && !fal_flow_is_spent (&state->flow);
}

static gint64
get_limit_time_locked (const FalSharedState *state)
{
  return fal_flow_is_spent (&state->flow)
             ? G_MAXINT64
             : fal_watchdog_get_limit_time (state->watchdogs, state->n_lanes);
}

/* When the stream ends, since its budget is used up: by time; or because a frame waits that may not
 * go any more, and those before it, which are paid for, are answered. */
static gint64
get_budget_time_locked (const FalSharedState *state, gint64 now)
{
  if (fal_flow_is_spent (&state->flow))
    return G_MAXINT64;
  if (fal_pacer_get_waiting (state->pacer) > 0 && !fal_pacer_awaits_answer (state->pacer) &&
      is_unpaid_locked (state, now))
    return 0;
  return fal_budget_get_end_time (&state->budget);
}

static gint64
get_idle_time_locked (const FalSharedState *state)
{
  gboolean busy = is_busy_locked (state), spent = fal_flow_is_spent (&state->flow);
  gint64 time = G_MAXINT64;

  for (guint i = 0; i < state->n_lanes; i++)
    time = MIN (time, fal_watchdog_get_idle_time (&state->watchdogs[i], busy, spent));
  return time;
}

/* When a connection that a frame waits for the end of is ended here, since the app does not. */
static gint64
get_quiet_time_locked (const FalSharedState *state, guint lane)
{
  return fal_pacer_awaits_end (state->pacer, lane)
             ? fal_watchdog_get_quiet_time (&state->watchdogs[lane])
             : G_MAXINT64;
}

/* A connection that has nothing to say is no silence while another one brings results. */
static gint64
get_reminder_time_locked (const FalSharedState *state)
{
  gboolean busy = fal_pacer_awaits_answer (state->pacer), online = FALSE;
  gint64 time = 0;

  for (guint i = 0; i < state->n_lanes; i++) {
    const FalWatchdog *watchdog = &state->watchdogs[i];

    if (!fal_watchdog_is_online (watchdog))
      continue;
    online = TRUE;
    time = MAX (time, fal_watchdog_get_reminder_time (watchdog, busy));
  }
  return online ? time : G_MAXINT64;
}

/* When frames that were given up are to be told of: at most once a second, but before the stream
 * ends. */
static gint64
get_given_up_time_locked (const FalSharedState *state)
{
  if (!fal_pacer_has_given_up (state->pacer))
    return G_MAXINT64;
  return state->drain_deadline == G_MAXINT64 ? state->told_given_up + G_USEC_PER_SEC : 0;
}

/* When a request can go or comes to its end unanswered, or the connection does. */
static gint64
get_work_time_locked (const FalSharedState *state, gint64 now)
{
  gint64 next = is_held_locked (state, now) ? G_MAXINT64 : get_request_time_locked (state, now);

  next = MIN (next, get_given_up_time_locked (state));
  next = MIN (next, fal_pacer_next_expiry (state->pacer));
  for (guint i = 0; i < state->n_lanes; i++) {
    next = MIN (next, fal_watchdog_get_cut_time (&state->watchdogs[i]));
    next = MIN (next, get_quiet_time_locked (state, i));
  }
  next = MIN (next, get_idle_time_locked (state));
  next = MIN (next, get_reminder_time_locked (state));
  next = MIN (next, fal_budget_get_tell_time (&state->budget));
  next = MIN (next, get_budget_time_locked (state, now));
  return MIN (next, get_limit_time_locked (state));
}

/* The oldest frame that may still come out. What answers one that did goes nowhere. */
static guint64
get_oldest_locked (const FalSharedState *state)
{
  guint64 gone = fal_frame_queue_get_gone (state->frames);

  return MIN (
      fal_pacer_get_oldest_after (state->pacer, gone), fal_frame_queue_get_first (state->frames));
}

/* Whether something else than what the model owes is shown. Where every frame comes out each keeps
 * its place, and is shown as a fallback when its turn comes. */
static gboolean
is_replaced_locked (const FalSharedState *state, gint64 now)
{
  return !shows_all_locked (state) &&
         (fal_fallback_is_bridging (&state->fallback) ||
             fal_fallback_get_shown (&state->fallback, now) != FAL_FALLBACK_NONE);
}

/* Then nothing but gaps fill in. */
static gboolean
is_fill_due_locked (const FalSharedState *state, gint64 now)
{
  if (shows_all_locked (state) &&
      fal_fallback_get_shown (&state->fallback, now) != FAL_FALLBACK_NONE)
    return FALSE;
  return fal_fallback_is_due (&state->fallback, now);
}

static FalOutputView
get_view_locked (const FalSharedState *state, gint64 now)
{
  return (FalOutputView) {
    .oldest = get_oldest_locked (state),
    .newest = state->newest_serial,
    .replaced = is_replaced_locked (state, now),
    .fill_due = is_fill_due_locked (state, now),
    .now = now,
    .in_order = !fal_pacer_is_leaky (state->pacer),
    .hold = state->hold,
  };
}

/* Whether no frame follows those that wait. */
static gboolean
frames_end_locked (const FalSharedState *state)
{
  return !shows_all_locked (state) || fal_output_queue_ends (state->queue) ||
         fal_flow_is_spent (&state->flow);
}

/* When the first of the frames may go that come out each. */
static gint64
get_frame_time_locked (const FalSharedState *state)
{
  if (state->holds || state->full)
    return G_MAXINT64;
  return fal_frame_queue_get_time (state->frames, frames_end_locked (state));
}

/* Whether a result is to be laid on one of them. */
static gboolean
has_answer_locked (const FalSharedState *state)
{
  return !state->holds && fal_output_queue_has_answer (state->queue);
}

/* Whether a frame is first, and not what waits in the output queue. */
static gboolean
is_frame_first_locked (const FalSharedState *state)
{
  guint64 first = fal_frame_queue_get_first (state->frames);

  return first != G_MAXUINT64 && first < fal_output_queue_get_first (state->queue);
}

static FalOutputKind
peek_output_locked (const FalSharedState *state, gint64 now)
{
  FalOutputView view = get_view_locked (state, now);
  FalOutputKind kind = fal_output_queue_peek (state->queue, &view);

  if (kind != FAL_OUTPUT_EVENT && is_frame_first_locked (state))
    return get_frame_time_locked (state) <= now ? FAL_OUTPUT_FRAME : FAL_OUTPUT_NOTHING;

  /* After the end nobody may listen any more. */
  if (kind == FAL_OUTPUT_EVENT && fal_output_queue_ends_next (state->queue) &&
      (state->tells || fal_pacer_has_given_up (state->pacer)))
    return FAL_OUTPUT_NOTHING;
  return kind == FAL_OUTPUT_RESULT && (state->holds || state->full) ? FAL_OUTPUT_NOTHING : kind;
}

static gboolean
upstream_may_go_locked (const FalSharedState *state)
{
  return !fal_flow_takes_frames (&state->flow) || has_room_locked (state);
}

/* Whether upstream's frames go by, in order, so that what they are is downstream's to say. */
static gboolean
passes_frames_locked (const FalSharedState *state)
{
  return !state->settings->enabled && fal_flow_goes_out (&state->flow) &&
         fal_flow_takes_frames (&state->flow);
}

static gboolean
query_is_over_locked (const FalSharedState *state)
{
  return state->query_state == QUERY_ENDED ||
         (state->query_state == QUERY_WAITS && !passes_frames_locked (state));
}

static gboolean
upstream_has_work_locked (const FalSharedState *state)
{
  if (state->query != NULL)
    return query_is_over_locked (state);
  if (state->awaited > 0)
    return state->ended >= state->awaited || !state->running;
  return upstream_may_go_locked (state);
}

static gboolean
sender_has_work_locked (const FalSharedState *state, gint64 now)
{
  return !state->running || state->look || get_work_time_locked (state, now) < state->sender.until;
}

/* When something may go out that waits only for its time, or the drain is over. */
static gint64
get_output_time_locked (const FalSharedState *state, gint64 now)
{
  FalOutputView view = get_view_locked (state, now);
  gint64 time = state->holds || state->full
                    ? G_MAXINT64
                    : fal_output_queue_get_result_time (state->queue, &view);

  if (is_frame_first_locked (state))
    time = get_frame_time_locked (state);
  return MIN (time, state->drain_deadline);
}

static gboolean
output_has_work_locked (const FalSharedState *state, gint64 now)
{
  return !fal_flow_goes_out (&state->flow) || state->ticked || has_answer_locked (state) ||
         get_output_time_locked (state, now) < state->output.until ||
         peek_output_locked (state, now) != FAL_OUTPUT_NOTHING;
}

/* ---- orders ---- */

static void
push_order_locked (FalSharedState *state, const FalOrder *order)
{
  g_queue_push_tail (&state->orders, g_memdup2 (order, sizeof *order));
}

static void
order_locked (FalSharedState *state, guint lane, FalOrderKind kind)
{
  if (state->running)
    push_order_locked (state, &(FalOrder) { .kind = kind, .lane = lane });
}

/* Frames that wait ask for the connections, each once. */
static void
want_connections_locked (FalSharedState *state)
{
  if (!state->running || fal_flow_is_spent (&state->flow) || !is_busy_locked (state) ||
      is_held_locked (state, g_get_monotonic_time ()))
    return;
  for (guint i = 0; i < state->n_lanes; i++)
    if (state->lanes[i].dialer != FAL_DIALER_FAILED && fal_watchdog_want (&state->watchdogs[i]))
      order_locked (state, i, FAL_ORDER_CONNECT);
}

static void
close_connection_locked (FalSharedState *state, guint lane, FalOrderKind kind)
{
  if (!state->running)
    return;
  fal_watchdog_close (&state->watchdogs[lane]);
  order_locked (state, lane, kind);
}

static void
close_connections_locked (FalSharedState *state, FalOrderKind kind)
{
  for (guint i = 0; i < state->n_lanes; i++)
    close_connection_locked (state, i, kind);
}

/* The connections are closed, unless a frame comes before that, or other members need them. */
static void
release_connections_locked (FalSharedState *state)
{
  gint64 now = g_get_monotonic_time ();

  for (guint i = 0; state->running && i < state->n_lanes; i++)
    if (fal_watchdog_release (&state->watchdogs[i], now))
      order_locked (state, i, FAL_ORDER_RELEASE);
}

/* Connections that are shared are paid for by those that use them. */
static void
share_connections_locked (FalSharedState *state)
{
  for (guint i = 0; state->stats.shared && i < state->n_lanes; i++)
    order_locked (state, i, FAL_ORDER_SHARE);
}

/* Nothing of this connection counts any more. FAL_FAULT_ASKED: it is made anew without a warning;
 * other faults the send thread finds, while the session runs. */
static void
give_up_connection_locked (FalSharedState *state, guint lane, FalFaultKind kind)
{
  if (!fal_watchdog_give_up (&state->watchdogs[lane], kind, g_get_monotonic_time ()))
    return;
  state->lanes[lane].generation++;
  fal_pacer_set_online (state->pacer, lane, FALSE);
  if (kind == FAL_FAULT_ASKED)
    close_connection_locked (state, lane, FAL_ORDER_CLOSE);
  else
    push_order_locked (state, &(FalOrder) { .kind = FAL_ORDER_FAIL, .lane = lane, .fault = kind });
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
  return fal_pacer_has_dropped (state->pacer) || fal_output_queue_has_dropped (state->queue) ||
         fal_frame_queue_has_dropped (state->frames);
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

static gboolean
may_come (guint64 serial, gpointer user)
{
  const FalSharedState *state = user;

  return fal_pacer_may_answer (state->pacer, serial) ||
         fal_output_queue_has_result (state->queue, serial);
}

/* Who has something to do now. */
static Calls
find_calls_locked (FalSharedState *state)
{
  gint64 now = state->sender.waits || state->output.waits ? g_get_monotonic_time () : 0;
  Calls calls = { 0 };

  fal_frame_queue_settle (state->frames, may_come, state);
  g_atomic_int_set (&state->has_drops, has_drops_locked (state));
  want_connections_locked (state);
  if (state->upstream.waits)
    calls.upstream = call (&state->upstream, upstream_has_work_locked (state));
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
  fal_frame_queue_clear (state->frames);
  fal_spread_reset (&state->spread);
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

static guint
get_max_in_flight (const FalSettings *settings, gboolean leaky)
{
  if (settings->max_in_flight > 0)
    return settings->max_in_flight;
  if (fal_settings_get_block_size (settings) > 0)
    return BLOCKS_IN_FLIGHT * fal_settings_get_block_size (settings);
  return leaky ? FAL_WINDOW_MAX_UNANSWERED : FILE_IN_FLIGHT;
}

/* How long an answer is waited for: as long as the connection needs that needs longest. */
static gint64
get_patience_locked (const FalSharedState *state)
{
  gint64 patience = 0;

  for (guint i = 0; i < state->n_lanes; i++)
    patience = MAX (patience, fal_watchdog_get_patience (&state->watchdogs[i]));
  return patience;
}

static void
configure_pacer_locked (FalSharedState *state)
{
  const FalSettings *settings = state->settings;
  gboolean leaky = is_leaky_locked (state);
  gboolean trusted = settings->max_in_flight > 0 || fal_settings_get_block_size (settings) > 0;
  FalPacerConfig config = {
    .throttle_interval = fal_settings_get_throttle_interval (settings) * G_TIME_SPAN_MILLISECOND,
    .max_waiting = MAX (settings->max_buffering, 1),
    .max_in_flight = get_max_in_flight (settings, leaky),
    .adaptive = leaky && !trusted,
    .trusted = trusted,
    .block_size = fal_settings_get_block_size (settings),
    .first_block = fal_settings_get_first_block (settings),
    .opens = fal_settings_opens_first (settings),
    .streaming = fal_settings_is_streaming (settings),
    .leaky = leaky,
    .identified = sends_ids_locked (state),
    .echo_known = fal_settings_get_app_profile (settings)->echoes_request_id == 1,
    .request_timeout = get_patience_locked (state),
  };

  fal_pacer_configure (state->pacer, &config);
}

/* Whether the delay of results is found here. Where they are to bear the time at which they come
 * there is none. */
static gboolean
finds_delay_locked (const FalSharedState *state)
{
  return state->settings->latency_mode == FAL_LATENCY_MODE_AUTO && state->live &&
         state->settings->timestamp_mode != FAL_TIMESTAMP_MODE_ARRIVAL;
}

/* The delay that was found; else what was set, or nothing. */
static GstClockTime
get_latency_locked (const FalSharedState *state)
{
  if (finds_delay_locked (state))
    return fal_playout_get_delay (state->playout) * GST_USECOND;
  return fal_timeline_get_latency (
      state->settings->timestamp_mode, state->live, state->settings->latency);
}

/* A result whose delay was found comes as one that is stamped on arrival, but so much sooner that
 * it has the time of its frame unless it is late. */
static FalTimestampMode
get_mode_locked (const FalSharedState *state)
{
  if (shows_all_locked (state)) /* each keeps its own time */
    return FAL_TIMESTAMP_MODE_INPUT;
  if (finds_delay_locked (state) && state->settings->timestamp_mode == FAL_TIMESTAMP_MODE_AUTO)
    return FAL_TIMESTAMP_MODE_ARRIVAL;
  return fal_timeline_resolve (
      state->settings->timestamp_mode, state->live, state->settings->latency);
}

/* Whether no sink waits for anything, as in a recording. */
static gboolean
is_unsynchronised_locked (const FalSharedState *state)
{
  return state->pipeline_latency == 0;
}

/* The delay that sinks keep, of what was found or set, µs. */
static gint64
get_held_locked (const FalSharedState *state)
{
  gint64 room = -1, delay = get_latency_locked (state) / GST_USECOND;

  if (GST_CLOCK_TIME_IS_VALID (state->pipeline_latency) && !is_unsynchronised_locked (state))
    room = (state->pipeline_latency - MIN (state->pipeline_latency, state->upstream_latency)) /
           GST_USECOND;
  return fal_playout_get_held (delay, room);
}

/* For how long a result whose delay was found keeps the time of its frame, µs: where nobody waits
 * for it, it is never late. */
static gint64
get_hold_locked (const FalSharedState *state)
{
  if (is_unsynchronised_locked (state))
    return state->settings->max_latency * G_TIME_SPAN_MILLISECOND;
  return get_held_locked (state);
}

/* Within how many microseconds results are promised; -1: they are not. */
static gint64
get_promise_locked (const FalSharedState *state)
{
  if (finds_delay_locked (state))
    return fal_playout_get_delay (state->playout);
  return state->settings->latency < 0 ? -1 : state->settings->latency * G_TIME_SPAN_MILLISECOND;
}

/* Whether sinks have results wait for the time of their frame and a delay. */
static gboolean
is_delayed_locked (const FalSharedState *state)
{
  return state->live &&
         (finds_delay_locked (state) || (state->settings->latency >= 0 &&
                                            get_mode_locked (state) == FAL_TIMESTAMP_MODE_INPUT));
}

/* For how long after its frame came a result waits for those of older frames, which another
 * connection owes: no longer than a sink would have it wait. */
static gint64
find_hold_locked (const FalSharedState *state)
{
  if (state->n_lanes == 1 || !is_delayed_locked (state))
    return 0;
  return MAX (get_held_locked (state) - RENDERING, 0);
}

/* How long after its time a frame waits for its result, where each comes out: as long as sinks have
 * it wait, and where none is lost as long as it takes. */
static gint64
get_frame_delay_locked (const FalSharedState *state)
{
  if (!state->live || !is_leaky_locked (state))
    return G_MAXINT64;
  if (finds_delay_locked (state))
    return get_hold_locked (state);
  return is_delayed_locked (state) ? get_held_locked (state) : 0;
}

/* An app that takes blocks answers none before it has a whole one. */
static void
configure_frames_locked (FalSharedState *state)
{
  const FalSettings *settings = state->settings;
  FalFrameQueueConfig config = {
    .delay = get_frame_delay_locked (state),
    .max_bytes = settings->max_held_bytes,
    .least = 2 + 2 * fal_settings_get_block_size (settings),
    .drops = state->live && is_leaky_locked (state),
  };

  fal_frame_queue_configure (state->frames, &config);
}

static void
configure_playout_locked (FalSharedState *state)
{
  const FalSettings *settings = state->settings;

  fal_playout_configure (state->playout, MAX (settings->latency, 0) * G_TIME_SPAN_MILLISECOND,
      settings->max_latency * G_TIME_SPAN_MILLISECOND);
}

/* Of a block each frame counts. */
static void
configure_stillness_locked (FalSharedState *state)
{
  const FalSettings *settings = state->settings;
  FalStillnessConfig config = {
    .threshold = fal_settings_get_block_size (settings) > 0 ? 0 : settings->change_threshold,
    .most = settings->max_unchanged_time * GST_MSECOND,
  };

  fal_stillness_configure (&state->stillness, &config);
}

/* How long a result may wait for its time, µs: as long as sinks wait for it, or the ticks of a
 * constant rate, which nobody behind may wait for. -1: nobody knows. */
static gint64
get_wait_locked (const FalSharedState *state)
{
  gint64 wait = -1;

  if (GST_CLOCK_TIME_IS_VALID (state->pipeline_latency))
    wait = state->pipeline_latency / GST_USECOND;
  if (state->settings->output_framerate.n > 0 && is_delayed_locked (state))
    wait = MAX (wait, get_held_locked (state));
  return wait;
}

static void
configure_budget_locked (FalSharedState *state)
{
  const FalSettings *settings = state->settings;
  const FalBudgetConfig config = {
    .per_second = settings->price_per_second,
    .per_request = settings->price_per_request,
    .limit = settings->budget,
  };

  fal_budget_configure (&state->budget, &config, g_get_monotonic_time ());
  state->told_unpriced &= fal_budget_lacks_price (&state->budget);
}

static void
configure_locked (FalSharedState *state)
{
  const FalSettings *settings = state->settings;
  FalFallbackConfig fallback = {
    .mode = settings->fallback,
    .timeout = settings->fallback_timeout * G_TIME_SPAN_MILLISECOND,
    .at_once = settings->output_framerate.n > 0,
    .drops_frames = is_leaky_locked (state),
  };
  FalOutputQueueConfig queue = {
    .latency = get_wait_locked (state),
    .leaky = is_leaky_locked (state),
    .lanes = state->n_lanes,
  };
  FalWatchdogConfig watchdog = {
    .idle_timeout = settings->idle_timeout * G_TIME_SPAN_MILLISECOND,
    .session_limit = settings->session_limit * G_TIME_SPAN_SECOND,
    .request_timeout = settings->request_timeout * G_TIME_SPAN_MILLISECOND,
  };

  for (guint i = 0; i < state->n_lanes; i++)
    fal_watchdog_configure (&state->watchdogs[i], &watchdog);
  configure_pacer_locked (state);
  configure_playout_locked (state);
  state->hold = find_hold_locked (state);
  configure_stillness_locked (state);
  configure_budget_locked (state);
  fallback.latency = get_promise_locked (state);
  fal_spread_configure (&state->spread, fal_settings_get_block_size (settings),
      fal_settings_get_throttle_interval (settings) * G_TIME_SPAN_MILLISECOND);
  fal_output_queue_configure (state->queue, &queue);
  configure_frames_locked (state);
  fal_fallback_configure (&state->fallback, &fallback);
}

/* One that cannot be read changes nothing. */
static void
configure_region_locked (FalSharedState *state)
{
  const FalSettings *settings = state->settings;
  FalRegion *region = fal_region_new (settings->region, settings->region_margin);

  if (region == NULL)
    return;
  fal_region_unref (state->region);
  state->region = region;
  state->told_outside = FALSE;
}

/* Lets go of the connections where nothing is under way on them. */
static void
release_when_idle_locked (FalSharedState *state)
{
  if (!fal_pacer_is_busy (state->pacer))
    release_connections_locked (state);
}

/* Frames pass from now on. What is under way comes to an end first where no frame may be lost. */
static void
disable_locked (FalSharedState *state)
{
  if (fal_pacer_is_leaky (state->pacer)) {
    fal_pacer_flush (state->pacer);
    fal_output_queue_forget_answered (state->queue);
    release_connections_locked (state);
  } else {
    fal_pacer_drain (state->pacer);
  }
  release_when_idle_locked (state);
  forget_newest_locked (state);
}

/* Whether what a result becomes is another than by @old, so that the one that stands is not shown
 * as it should be. */
static gboolean
shows_otherwise_locked (const FalSharedState *state, const FalSettings *old)
{
  const FalSettings *settings = state->settings;

  return settings->composite != old->composite ||
         settings->composite_frames != old->composite_frames || settings->feather != old->feather ||
         g_strcmp0 (settings->background, old->background) != 0;
}

/* @old gave way to the settings of now. */
static void
apply_locked (FalSharedState *state, const FalSettings *old, FalConcerns concerns)
{
  configure_locked (state);
  if (shows_otherwise_locked (state, old))
    fal_stillness_owe (&state->stillness);
  if (concerns & FAL_CONCERN_REGION)
    configure_region_locked (state);
  if (concerns & FAL_CONCERN_ENABLED) {
    fal_stillness_owe (&state->stillness);
    if (old->enabled)
      disable_locked (state);
    fal_fallback_set_enabled (&state->fallback, state->settings->enabled);
    share_connections_locked (state);
  }
  if (concerns & FAL_CONCERN_CONNECTION)
    order_locked (state, 0, FAL_ORDER_CONFIGURE);
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
  if (concerns & FAL_CONCERN_REQUEST)
    fal_stillness_owe (&state->stillness);
  if (concerns & ~FAL_CONCERN_REQUEST)
    apply_locked (state, old, concerns);
  *latency_changed = get_latency_locked (state) != latency ||
                     (state->live && (concerns & FAL_CONCERN_ENABLED) != 0);
  if (concerns & ~FAL_CONCERN_REQUEST)
    unlock (state);
  else
    unlock_quietly (state);
  return concerns;
}

gboolean
fal_shared_state_runs (FalSharedState *state)
{
  gboolean runs;

  lock (state);
  runs = state->running;
  unlock_quietly (state);
  return runs;
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
fal_shared_state_set_upstream (FalSharedState *state, gboolean live, GstClockTime latency)
{
  lock (state);
  state->live = live;
  state->upstream_latency = latency;
  configure_locked (state);
  unlock (state);
}

void
fal_shared_state_set_pipeline_latency (FalSharedState *state, GstClockTime latency)
{
  lock (state);
  state->pipeline_latency = latency;
  configure_locked (state);
  unlock (state);
}

gboolean
fal_shared_state_set_earliest (FalSharedState *state, GstClockTime earliest)
{
  gboolean drops;

  lock (state);
  drops = state->settings->enabled && fal_pacer_is_leaky (state->pacer);
  if (get_mode_locked (state) == FAL_TIMESTAMP_MODE_INPUT)
    fal_pacer_set_earliest (state->pacer, earliest);
  unlock (state);
  return drops;
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
  state->stats.between += n[FAL_RESULT_BETWEEN];
  state->stats.repeated += g_atomic_int_and (&state->repeated, 0);
}

static gboolean
is_shared_locked (const FalSharedState *state)
{
  const gchar *key = state->settings->connection_key;

  return key != NULL && *key != '\0';
}

/* ---- life ---- */

static void
sleeper_init (Sleeper *sleeper)
{
  g_cond_init (&sleeper->cond);
  sleeper->until = G_MAXINT64;
}

static FalFrameQueue *
make_frame_queue (void)
{
  const FalFrameQueueKinds kinds = {
    .frame_free = (GDestroyNotify) fal_frame_unref,
    .result_free = (GDestroyNotify) fal_result_free,
    .layer_ref = (GBoxedCopyFunc) fal_layer_source_ref,
    .layer_unref = (GBoxedFreeFunc) fal_layer_source_unref,
  };

  return fal_frame_queue_new (&kinds);
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
  state->n_lanes = 1;
  state->pacer = fal_pacer_new ((GDestroyNotify) fal_frame_unref, state->n_lanes);
  state->queue = fal_output_queue_new ();
  state->frames = make_frame_queue ();
  state->playout = fal_playout_new ();
  state->region = fal_region_new (NULL, 0);
  fal_flow_reset (&state->flow);
  fal_fallback_reset (&state->fallback);
  state->pipeline_latency = GST_CLOCK_TIME_NONE;
  state->drain_deadline = G_MAXINT64;
  state->next_serial = FIRST_SERIAL;
  return state;
}

void
fal_shared_state_free (FalSharedState *state)
{
  fal_pacer_free (state->pacer);
  fal_output_queue_free (state->queue);
  fal_frame_queue_free (state->frames);
  gst_clear_caps (&state->frame_caps);
  fal_playout_free (state->playout);
  fal_stillness_reset (&state->stillness);
  fal_region_unref (state->region);
  fal_settings_unref (state->settings);
  g_mutex_clear (&state->mutex);
  g_cond_clear (&state->upstream.cond);
  g_cond_clear (&state->sender.cond);
  g_cond_clear (&state->output.cond);
  g_free (state);
}

static void
reset_lane_locked (FalSharedState *state, guint lane)
{
  fal_watchdog_reset (&state->watchdogs[lane]);
  state->lanes[lane].dialer = FAL_DIALER_IDLE;
  state->lanes[lane].told_warming = FALSE;
  state->lanes[lane].paid = (FalPaidTime) { 0 };
  state->lanes[lane].stats = (FalLaneStats) { 0 };
}

void
fal_shared_state_start (FalSharedState *state)
{
  lock (state);
  fal_pacer_free (state->pacer);
  state->n_lanes = state->settings->connections;
  state->pacer = fal_pacer_new ((GDestroyNotify) fal_frame_unref, state->n_lanes);
  state->stats =
      (FalStats){ .started = g_get_monotonic_time (), .shared = is_shared_locked (state) };
  fal_flow_reset (&state->flow);
  fal_output_queue_free (state->queue);
  state->queue = fal_output_queue_new ();
  fal_frame_queue_free (state->frames);
  state->frames = make_frame_queue ();
  fal_spread_reset (&state->spread);
  fal_playout_reset (state->playout);
  fal_fallback_reset (&state->fallback);
  fal_stillness_reset (&state->stillness);
  for (guint i = 0; i < state->n_lanes; i++)
    reset_lane_locked (state, i);
  fal_budget_reset (&state->budget);
  state->told_unpriced = FALSE;
  g_atomic_int_set (&state->crowded, NOT_CROWDED);
  state->live = state->ids_refused = state->holds = FALSE;
  state->ticked = state->full = FALSE;
  state->upstream_latency = 0;
  state->pipeline_latency = GST_CLOCK_TIME_NONE;
  state->next_serial = FIRST_SERIAL;
  state->newest_serial = 0;
  state->told_given_up = 0;
  state->tells = FALSE;
  state->drain_deadline = G_MAXINT64;
  state->running = TRUE;
  configure_locked (state);
  configure_region_locked (state);
  order_locked (state, 0, FAL_ORDER_CONFIGURE);
  if (!state->settings->enabled)
    share_connections_locked (state);
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

/* What is not sent is not paid for. @order is taken. */
static void
drop_order_locked (FalSharedState *state, FalOrder *order)
{
  if (order->is_request)
    fal_budget_take_back_request (&state->budget);
  fal_order_free (order);
}

/* The times of a session that is over stand still. */
static void
end_times_locked (FalSharedState *state, gint64 now)
{
  state->stats.run_time = now - state->stats.started;
  state->stats.started = 0;
  for (guint i = 0; i < state->n_lanes; i++) {
    FalConnectionCounts *connection = &state->lanes[i].stats.counts;

    if (connection->connected_since != 0)
      connection->connected_time += now - connection->connected_since;
    connection->connected_since = 0;
  }
}

static FalDialerState
get_state_locked (const FalSharedState *state)
{
  FalDialerState dialer = state->lanes[0].dialer;

  for (guint i = 1; i < state->n_lanes; i++)
    dialer = fal_dialer_state_combine (dialer, state->lanes[i].dialer);
  return dialer;
}

/* Nothing is left of the lane's connection but its counts. */
static void
give_up_lane_locked (FalSharedState *state, guint lane)
{
  fal_pacer_set_online (state->pacer, lane, FALSE);
  fal_watchdog_reset (&state->watchdogs[lane]);
  state->lanes[lane].dialer = FAL_DIALER_IDLE;
  g_clear_pointer (&state->lanes[lane].guard, fal_socket_guard_unref);
}

gboolean
fal_shared_state_give_up (FalSharedState *state)
{
  gboolean was_busy;

  lock (state);
  was_busy = get_state_locked (state) != FAL_DIALER_IDLE;
  count_pushed_locked (state);
  end_times_locked (state, g_get_monotonic_time ());
  for (guint i = 0; i < state->n_lanes; i++)
    give_up_lane_locked (state, i);
  fal_pacer_abandon (state->pacer, FALSE);
  fal_output_queue_free (state->queue);
  state->queue = fal_output_queue_new ();
  fal_frame_queue_clear (state->frames);
  forget_newest_locked (state);
  g_clear_pointer (&state->feedback, gst_structure_free);
  g_clear_pointer (&state->wakeup, g_source_unref);
  g_clear_pointer (&state->context, g_main_context_unref);
  while (state->orders.length > 0)
    drop_order_locked (state, g_queue_pop_head (&state->orders));
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
    close_connections_locked (state, again ? FAL_ORDER_RECONNECT : FAL_ORDER_CLOSE);
  unlock (state);
}

void
fal_shared_state_clear (FalSharedState *state)
{
  lock (state);
  clear_locked (state);
  unlock (state);
}

/* The counts of all connections together, as they are now. */
static void
sum_connections_locked (FalSharedState *state, gint64 now)
{
  FalStats *stats = &state->stats;

  stats->connection = (FalConnectionCounts) { 0 };
  stats->opened = 0;
  for (guint i = 0; i < state->n_lanes; i++) {
    const FalConnectionCounts *counts = &state->lanes[i].stats.counts;

    fal_stats_sum_connection (&stats->connection, counts, now);
    stats->opened += counts->connections > 0;
  }
}

static void
reset_lane_stats_locked (FalSharedState *state, guint lane, gint64 now)
{
  FalLaneStats *stats = &state->lanes[lane].stats;
  FalConnectionCounts base = { 0 };

  fal_stats_sum_connection (&base, &stats->counts, now);
  *stats = (FalLaneStats) { .counts = stats->counts, .base = base };
}

void
fal_shared_state_reset_stats (FalSharedState *state)
{
  FalStats *stats = &state->stats;
  gint64 now = g_get_monotonic_time ();

  lock (state);
  count_pushed_locked (state);
  fal_pacer_reset_counts (state->pacer);
  fal_playout_reset_changes (state->playout);
  sum_connections_locked (state, now);
  *stats = (FalStats){
    .started = stats->started ? now : 0,
    .shared = stats->shared,
    .connection_base = stats->connection,
  };
  for (guint i = 0; i < state->n_lanes; i++)
    reset_lane_stats_locked (state, i, now);
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

gint
fal_shared_state_get_delay (FalSharedState *state)
{
  gint delay = -1;

  lock (state);
  if (state->running && finds_delay_locked (state))
    delay = fal_playout_get_delay (state->playout) / G_TIME_SPAN_MILLISECOND;
  unlock_quietly (state);
  return delay;
}

guint
fal_shared_state_get_room (FalSharedState *state)
{
  guint room;

  lock (state);
  room = state->settings->enabled ? G_MAXUINT : FAL_OUTPUT_QUEUE_FEW;
  unlock_quietly (state);
  return room;
}

FalDialerState
fal_shared_state_get_state (FalSharedState *state)
{
  FalDialerState dialer;

  lock (state);
  dialer = get_state_locked (state);
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

/* Requests may not go over the lane yet, since the app did not say that it is ready. */
static gboolean
awaits_ready_locked (const FalSharedState *state, guint lane)
{
  return state->running && fal_watchdog_awaits_ready (&state->watchdogs[lane]);
}

static gboolean
any_awaits_ready_locked (const FalSharedState *state)
{
  for (guint i = 0; i < state->n_lanes; i++)
    if (awaits_ready_locked (state, i))
      return TRUE;
  return FALSE;
}

gboolean
fal_shared_state_is_awaited (FalSharedState *state, FalDialerState dialer)
{
  gboolean awaited = TRUE;

  lock (state);
  if (dialer == FAL_DIALER_IDLE) /* not by the counts, which may begin anew */
    awaited = state->settings->enabled && state->next_serial == FIRST_SERIAL;
  else if (dialer == FAL_DIALER_WARMING_UP)
    awaited = fal_pacer_get_in_flight (state->pacer) > 0 ||
              (fal_pacer_get_waiting (state->pacer) > 0 && any_awaits_ready_locked (state));
  unlock_quietly (state);
  return awaited;
}

static void
note_playout_locked (FalSharedState *state)
{
  gint64 delay = get_latency_locked (state) / GST_USECOND;

  if (finds_delay_locked (state))
    delay = get_held_locked (state);
  state->stats.playout_delay = delay / (gdouble) G_TIME_SPAN_MILLISECOND;
  state->stats.playout_changes = fal_playout_get_changes (state->playout);
}

static FalCost
get_cost_locked (const FalSharedState *state, gint64 now)
{
  FalCost cost;

  fal_budget_get_cost (&state->budget, now, &cost);
  return cost;
}

gboolean
fal_shared_state_lacks_price (FalSharedState *state)
{
  gboolean lacks;

  lock (state);
  lacks = state->running && !state->told_unpriced && fal_budget_lacks_price (&state->budget);
  state->told_unpriced |= lacks;
  unlock_quietly (state);
  return lacks;
}

/* The frames that are kept because of their results. */
static void
note_held_locked (FalSharedState *state)
{
  state->stats.held = fal_frame_queue_get_length (state->frames);
  if (state->settings->composite != FAL_COMPOSITE_NONE && !shows_all_locked (state))
    state->stats.held += count_held_locked (state).n;
}

static GstStructure *
make_stats_locked (FalSharedState *state, gint64 now)
{
  GstStructure *structure;

  sum_connections_locked (state, now);
  state->stats.cost = get_cost_locked (state, now).cost;
  structure = fal_stats_to_structure (&state->stats, state->pacer, now);
  for (guint i = 0; i < state->n_lanes; i++)
    fal_stats_add_lane (
        structure, &state->lanes[i].stats, state->lanes[i].dialer, state->pacer, i, now);
  return structure;
}

GstStructure *
fal_shared_state_get_stats (FalSharedState *state)
{
  GstStructure *structure;
  gint64 now;

  lock (state);
  now = g_get_monotonic_time ();
  count_pushed_locked (state);
  note_playout_locked (state);
  note_held_locked (state);
  structure = make_stats_locked (state, now);
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

/* The next frame that nothing came of (transfer full). One that comes out without having been
 * answered is none. */
static FalFrame *
pop_lost_locked (FalSharedState *state)
{
  FalFrame *frame;

  while ((frame = pop_dropped_locked (state))) {
    if (!frame->comes_out)
      return frame;
    fal_frame_unref (frame);
  }
  frame = fal_frame_queue_pop_dropped (state->frames);
  if (frame != NULL)
    g_atomic_int_compare_and_exchange (&state->crowded, NOT_CROWDED, CROWDED);
  return frame;
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
  while ((frame = pop_lost_locked (state))) {
    /* The picture is let go of before anything else is done with it. */
    if (!fal_pacer_keeps_frame (state->pacer, frame))
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

/* @frame (taken), number @serial, goes by. */
static void
pass_locked (FalSharedState *state, FalFrame *frame, guint64 serial)
{
  FalResult *result = g_new0 (FalResult, 1);

  *result = (FalResult){ .kind = FAL_RESULT_PASS, .frame = frame, .serial = serial };
  fal_output_queue_push_result (state->queue, result);
}

static guint64
get_size (GstSample *sample)
{
  return gst_buffer_get_size (gst_sample_get_buffer (sample));
}

/* When @frame would be shown if nothing waited: as late as upstream takes to bring it. */
static gint64
get_due_locked (const FalSharedState *state, const FalFrame *frame)
{
  if (!GST_CLOCK_TIME_IS_VALID (frame->running) || !GST_CLOCK_TIME_IS_VALID (frame->arrived))
    return frame->arrival;
  return frame->arrival +
         GST_CLOCK_DIFF (frame->arrived, frame->running + state->upstream_latency) / GST_USECOND;
}

/* @frame waits for its result, and comes out. */
static void
queue_frame_locked (FalSharedState *state, FalFrame *frame)
{
  FalFrameMark mark = {
    .serial = state->next_serial, /* that the frame is about to get */
    .time = frame->running,
    .due = get_due_locked (state, frame),
    .bytes = get_size (frame->sample),
    .passes = frame->route == FAL_ROUTE_PASS,
  };
  GstCaps *caps = gst_sample_get_caps (frame->sample);

  if (state->frame_caps == NULL || !gst_caps_is_equal (state->frame_caps, caps))
    state->epoch++;
  gst_caps_replace (&state->frame_caps, caps);
  mark.epoch = state->epoch;
  frame->comes_out = TRUE;
  fal_frame_queue_push (state->frames, fal_frame_ref (frame), &mark);
}

/* The model was just switched on, and its first result takes a while: until then the frames that it
 * gets go by, too. */
static void
bridge_locked (FalSharedState *state, const FalFrame *frame)
{
  pass_locked (state, fal_frame_new (gst_sample_ref (frame->sample), frame->arrival),
      state->next_serial); /* that the frame is about to get */
}

/* Until when a frame that passes in its turn waits for the results of older ones: until sinks show
 * it; where they do not wait, for as long as those may take. */
static gint64
get_turn_locked (const FalSharedState *state, const FalFrame *frame, gint64 now)
{
  gint64 trip = fal_percentiles_get_last (&state->stats.round_trip) * G_TIME_SPAN_MILLISECOND;

  if (is_delayed_locked (state))
    return frame->arrival + get_held_locked (state);
  return now + MIN (2 * trip, FAL_FALLBACK_GAP);
}

/* @frame (taken) has no region, and goes by. Until a model that was just switched on answers all
 * do, and none waits. */
static void
pass_in_turn_locked (FalSharedState *state, FalFrame *frame, gint64 now)
{
  FalResult *result = g_new0 (FalResult, 1);

  *result = (FalResult) {
    .kind = FAL_RESULT_PASS,
    .frame = frame,
    .serial = state->next_serial++,
    .in_turn = !fal_fallback_is_bridging (&state->fallback),
    .size = gst_buffer_get_size (gst_sample_get_buffer (frame->sample)),
  };
  if (result->in_turn)
    result->complete = get_turn_locked (state, frame, now);
  fal_fallback_note_idle (&state->fallback, now);
  fal_stillness_note_passed (&state->stillness, result->serial);
  forget_newest_locked (state);
  fal_output_queue_push_result (state->queue, result);
}

/* What stands for the result that does not come, for the newest frame. */
static FalResult *
make_fallback_locked (FalSharedState *state, gint64 now)
{
  const FalFrame *first = fal_frame_queue_peek_first (state->frames);
  const FalFrame *oldest = first ? first : fal_pacer_peek_oldest (state->pacer);
  GstClockTime trip = fal_percentiles_get_last (&state->stats.round_trip) * GST_MSECOND;
  FalResult *result = g_new0 (FalResult, 1);

  *result = (FalResult){
    .kind = FAL_RESULT_FALLBACK,
    .frame = fal_frame_new (gst_sample_ref (state->newest_sample), state->newest->arrival),
    .serial = state->newest_serial,
    .count = 1,
    .arrived = GST_CLOCK_TIME_NONE,
    .fallback = fal_fallback_get_shown (&state->fallback, now),
    .outlook = { oldest ? oldest->running : GST_CLOCK_TIME_NONE, state->newest->running,
        fal_fallback_get_patience (&state->fallback, trip, now) },
  };
  result->frame->arrived = state->newest->arrived;
  result->frame->part = state->newest->part;
  fal_fallback_note_filled (&state->fallback, now);
  return result;
}

/* One for each frame waits where a sink has them wait, so that what is shown in place of results
 * moves on like these; gaps are told once the output has nothing else to do. */
static void
queue_fallback_locked (FalSharedState *state, gint64 now)
{
  FalResult *result;

  if (shows_all_locked (state) || !fal_fallback_is_due (&state->fallback, now) ||
      fal_fallback_get_shown (&state->fallback, now) == FAL_FALLBACK_NONE ||
      !fal_output_queue_takes_fallback (state->queue))
    return;
  result = make_fallback_locked (state, now);
  result->complete = now;
  result->arrived = result->frame->arrived;
  fal_output_queue_push_result (state->queue, result);
}

/* What downstream said of the time up to which it waits holds no more where time goes back. */
static void
follow_time_locked (FalSharedState *state, const FalFrame *frame)
{
  if (state->newest != NULL && frame->running < state->newest->running)
    fal_pacer_set_earliest (state->pacer, 0);
}

/* @before was to go next. Where a newer frame dropped it, the inputs that "send" gave it are for
 * the one that goes next now. */
static void
inherit_inputs_locked (FalSharedState *state, FalFrame *before)
{
  FalFrame *next = fal_pacer_peek_next (state->pacer);

  if (before != NULL && next != before && next->inputs == NULL)
    next->inputs = g_steal_pointer (&before->inputs);
}

/* As fal_pacer_peek_next(), with a reference. */
static FalFrame *
get_next_locked (const FalSharedState *state)
{
  FalFrame *next = fal_pacer_peek_next (state->pacer);

  return next ? fal_frame_ref (next) : NULL;
}

/* @frame becomes the newest. */
static void
note_newest_locked (FalSharedState *state, FalFrame *frame)
{
  follow_time_locked (state, frame);
  forget_newest_locked (state);
  state->newest = fal_frame_ref (frame);
  state->newest_sample = gst_sample_ref (frame->sample);
  if (fal_fallback_is_bridging (&state->fallback) && !frame->comes_out)
    bridge_locked (state, frame);
}

/* The time of @frame, in its place among the results. */
static void
queue_gap_locked (FalSharedState *state, const FalFrame *frame)
{
  GstEvent *gap;

  if (frame->segment.format != GST_FORMAT_TIME || !GST_CLOCK_TIME_IS_VALID (frame->pts))
    return;
  gap = gst_event_new_gap (frame->pts, frame->duration);
  gst_event_set_gap_flags (gap, GST_GAP_FLAG_MISSING_DATA);
  fal_flow_mark_event (&state->flow, gap);
  fal_output_queue_push_gap (state->queue, gap, state->next_serial);
}

/* Nothing is sent of @frame (taken), and the last result stands. Where no frame is lost downstream
 * hears of each; elsewhere of the time that is filled with nothing, as of any other silence. */
static void
hold_locked (FalSharedState *state, FalFrame *frame, gint64 now)
{
  fal_pacer_skip (state->pacer);
  note_newest_locked (state, frame);
  if (fal_pacer_is_leaky (state->pacer)) {
    state->newest_serial = state->next_serial++;
    fal_fallback_note_held (&state->fallback, state->newest_serial, now);
    queue_fallback_locked (state, now);
  } else {
    queue_gap_locked (state, frame);
  }
  fal_frame_unref (frame);
}

/* @frame is taken. */
static void
send_frame_locked (FalSharedState *state, FalFrame *frame, gint64 now)
{
  g_autoptr (FalFrame) before = get_next_locked (state);

  note_newest_locked (state, frame);
  offer_locked (state, frame, now);
  inherit_inputs_locked (state, before);
  queue_fallback_locked (state, now);
}

/* @frame (taken) comes out, whatever becomes of it. */
static void
take_shown_locked (FalSharedState *state, FalFrame *frame, gint64 now)
{
  queue_frame_locked (state, frame);
  if (frame->route == FAL_ROUTE_SEND) {
    send_frame_locked (state, frame, now);
    return;
  }
  if (frame->route == FAL_ROUTE_HOLD) {
    fal_pacer_skip (state->pacer);
    note_newest_locked (state, frame);
  } else {
    forget_newest_locked (state);
  }
  state->next_serial++;
  fal_fallback_note_idle (&state->fallback, now);
  fal_frame_unref (frame);
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
  if (shows_all_locked (state)) {
    take_shown_locked (state, frame, now);
    return;
  }
  switch (frame->route) {
  case FAL_ROUTE_SEND:
    send_frame_locked (state, frame, now);
    break;
  case FAL_ROUTE_PASS:
    pass_in_turn_locked (state, frame, now);
    break;
  case FAL_ROUTE_HOLD:
    hold_locked (state, frame, now);
    break;
  }
}

FalRegion *
fal_shared_state_dup_region (FalSharedState *state, FalRegionAbsent *absent)
{
  FalRegion *region = NULL;

  lock (state);
  if (state->settings->enabled && !fal_region_is_whole (state->region))
    region = fal_region_ref (state->region);
  *absent = state->settings->region_absent;
  unlock_quietly (state);
  return region;
}

gboolean
fal_shared_state_keeps_passing (FalSharedState *state)
{
  gboolean keeps;

  lock (state);
  keeps = is_delayed_locked (state);
  unlock_quietly (state);
  return keeps;
}

gboolean
fal_shared_state_lacks_room (FalSharedState *state, guint *held)
{
  if (!g_atomic_int_compare_and_exchange (&state->crowded, CROWDED, TOLD_CROWDED))
    return FALSE;
  lock (state);
  *held = fal_frame_queue_get_length (state->frames);
  unlock_quietly (state);
  return TRUE;
}

gboolean
fal_shared_state_note_outside (FalSharedState *state)
{
  gboolean first;

  lock (state);
  first = !state->told_outside;
  state->told_outside = TRUE;
  unlock_quietly (state);
  return first;
}

GstFlowReturn
fal_shared_state_push (FalSharedState *state, FalFrame *frame)
{
  gint64 arrival = frame->arrival;
  GstFlowReturn returned;

  lock (state);
  state->route = frame->route;
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

  FalArea part;

  if (state->newest == NULL || state->newest->route == FAL_ROUTE_HOLD)
    return FALSE;
  if (fal_pacer_get_waiting (state->pacer) > 0) /* it is the last of them */
    return TRUE;
  part = state->newest->part;
  fal_frame_unref (state->newest);
  state->newest = fal_frame_new (gst_sample_ref (state->newest_sample), now);
  state->newest->part = part;
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
    fal_stillness_owe (&state->stillness);
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

/* ---- upstream's queries ---- */

gboolean
fal_shared_state_passes_frames (FalSharedState *state)
{
  gboolean passes;

  lock (state);
  passes = passes_frames_locked (state);
  unlock_quietly (state);
  return passes;
}

guint
fal_shared_state_get_most_held (FalSharedState *state)
{
  const FalSettings *settings;
  guint held;

  lock (state);
  settings = state->settings;
  held = MAX (settings->max_buffering, 1) + 1; /* being encoded */
  if (!fal_region_is_whole (state->region) && settings->region_absent == FAL_REGION_ABSENT_PASS)
    held += FAL_OUTPUT_QUEUE_FEW;
  if (!is_leaky_locked (state))
    held += settings->connections * get_max_in_flight (settings, FALSE);
  else if (settings->fallback != FAL_FALLBACK_NONE)
    held += FAL_OUTPUT_QUEUE_FEW; /* that are shown in place of results */
  if (settings->composite != FAL_COMPOSITE_NONE)
    held += MOST_RESERVED;
  unlock_quietly (state);
  return held;
}

gboolean
fal_shared_state_pass_query (FalSharedState *state, GstQuery *query)
{
  gboolean result;

  lock (state);
  state->query = query;
  state->query_state = QUERY_WAITS;
  state->query_result = FALSE;
  if (!query_is_over_locked (state))
    queue_event_locked (state, gst_event_new_custom (GST_EVENT_CUSTOM_DOWNSTREAM,
                                   gst_structure_new_empty (FAL_SHARED_STATE_QUERY)));
  while (!query_is_over_locked (state))
    sleep_locked (state, &state->upstream, G_MAXINT64);
  result = state->query_result;
  state->query = NULL;
  state->query_state = QUERY_NONE;
  unlock (state);
  return result;
}

GstQuery *
fal_shared_state_take_query (FalSharedState *state)
{
  GstQuery *query = NULL;

  lock (state);
  if (state->query_state == QUERY_WAITS && passes_frames_locked (state)) {
    state->query_state = QUERY_TAKEN;
    query = state->query;
  }
  unlock_quietly (state);
  return query;
}

void
fal_shared_state_finish_query (FalSharedState *state, gboolean result)
{
  lock (state);
  state->query_state = QUERY_ENDED;
  state->query_result = result;
  unlock (state);
}

gboolean
fal_shared_state_holds_most (FalSharedState *state)
{
  gboolean holds;

  lock (state);
  holds = state->settings->composite != FAL_COMPOSITE_NONE &&
          MAX (fal_frame_queue_get_length (state->frames), count_held_locked (state).n) >=
              MOST_RESERVED;
  unlock_quietly (state);
  return holds;
}

/* ---- upstream's memory ---- */

/* A sample among those that are held, and what takes its place. */
typedef struct {
  const GPtrArray *copies; /* GstSample that are no originals any more */
  GstSample *original, *copy;
} Exchange;

static void
find_original (gpointer data, gpointer user)
{
  const FalFrame *frame = data;
  Exchange *exchange = user;

  if (exchange->original == NULL && frame->sample != NULL &&
      !g_ptr_array_find ((GPtrArray *) exchange->copies, frame->sample, NULL))
    exchange->original = frame->sample;
}

static void
replace_sample (GstSample **sample, const Exchange *exchange)
{
  if (*sample != exchange->original)
    return;
  gst_sample_unref (*sample);
  *sample = gst_sample_ref (exchange->copy);
}

static void
replace_original (gpointer data, gpointer user)
{
  replace_sample (&((FalFrame *) data)->sample, user);
}

static void
foreach_frame_locked (FalSharedState *state, GFunc function, gpointer user)
{
  fal_pacer_foreach (state->pacer, function, user);
  fal_output_queue_foreach_frame (state->queue, function, user);
  fal_frame_queue_foreach (state->frames, function, user);
  if (state->newest != NULL)
    function (state->newest, user);
}

/* The next one that is to be copied (a reference); NULL: all are. */
static GstSample *
take_original (FalSharedState *state, const GPtrArray *copies)
{
  Exchange exchange = { copies };

  lock (state);
  foreach_frame_locked (state, find_original, &exchange);
  if (exchange.original == NULL && state->newest_sample != NULL &&
      !g_ptr_array_find ((GPtrArray *) copies, state->newest_sample, NULL))
    exchange.original = state->newest_sample;
  if (exchange.original != NULL)
    gst_sample_ref (exchange.original);
  unlock_quietly (state);
  return exchange.original;
}

static void
put_copy (FalSharedState *state, GstSample *original, GstSample *copy)
{
  Exchange exchange = { NULL, original, copy };

  lock (state);
  foreach_frame_locked (state, replace_original, &exchange);
  if (state->newest_sample != NULL)
    replace_sample (&state->newest_sample, &exchange);
  unlock_quietly (state);
}

static GstStructure *
copy_structure (const GstStructure *structure)
{
  return structure ? gst_structure_copy (structure) : NULL;
}

static GstSample *
copy_sample (GstSample *sample)
{
  g_autoptr (GstBuffer) copy = gst_buffer_copy_deep (gst_sample_get_buffer (sample));

  return gst_sample_new (copy, gst_sample_get_caps (sample), gst_sample_get_segment (sample),
      copy_structure (gst_sample_get_info (sample)));
}

/* The send thread has the picture that it encodes. It needs no more than a moment, but an
 * application's handler may take longer. */
static void
wait_for_encoder (FalSharedState *state)
{
  gint64 until = g_get_monotonic_time () + MAX_ENCODING;

  lock (state);
  state->awaited = state->begun;
  while (state->awaited > 0 && !upstream_has_work_locked (state) && g_get_monotonic_time () < until)
    sleep_locked (state, &state->upstream, until);
  state->awaited = 0;
  unlock (state);
}

void
fal_shared_state_let_go (FalSharedState *state)
{
  g_autoptr (GPtrArray) copies = g_ptr_array_new_with_free_func ((GDestroyNotify) gst_sample_unref);
  GstSample *original;

  while ((original = take_original (state, copies))) {
    g_ptr_array_add (copies, copy_sample (original));
    put_copy (state, original, copies->pdata[copies->len - 1]);
    gst_sample_unref (original);
  }
  wait_for_encoder (state);
}

/* The session is over before upstream ends it: EOS goes out, and upstream gets it with its next
 * frame. */
static void
spend_locked (FalSharedState *state, gboolean keeps_results)
{
  fal_flow_spend (&state->flow);
  if (keeps_results) {
    fal_pacer_flush (state->pacer);
    fal_output_queue_close_answered (state->queue);
    forget_newest_locked (state);
  } else {
    forget_frames_locked (state);
  }
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
    if (state->query_state == QUERY_WAITS) /* its place is gone */
      state->query_state = QUERY_ENDED;
  } else if (fal_flow_is_spent (&state->flow)) {
    spend_locked (state, FALSE);
  }
  unlock (state);
}

/* ---- the send thread ---- */

void
fal_work_clear (FalWork *work)
{
  for (guint i = 0; i < G_N_ELEMENTS (work->guards); i++)
    g_clear_pointer (&work->guards[i], fal_socket_guard_unref);
  g_clear_pointer (&work->sample, gst_sample_unref);
  g_clear_pointer (&work->frame, fal_frame_unref);
  g_clear_pointer (&work->feedback, gst_structure_free);
  g_clear_pointer (&work->inputs, gst_structure_free);
  gst_clear_buffer (&work->metas);
}

/* Gives up what waited too long, or lets it go again. Where a late reply could then be taken for
 * another frame's, or the connection brought nothing at all meanwhile, it is made anew, and the end
 * of the connection tells of it. */
static gboolean
find_expired_in_lane_locked (FalSharedState *state, guint lane, gint64 now, FalWork *work)
{
  const FalWatchdog *watchdog = &state->watchdogs[lane];
  gboolean warming = state->lanes[lane].dialer == FAL_DIALER_WARMING_UP;
  gint64 sent = fal_pacer_get_oldest_sent (state->pacer, lane);
  FalFaultKind kind = fal_watchdog_judge_silence (watchdog, warming, sent, now);
  guint n = fal_pacer_expire (state->pacer, lane, kind == FAL_FAULT_LOADING, now);

  if (n == 0)
    return FALSE;
  if (fal_watchdog_is_useless (watchdog, kind, fal_pacer_echoes (state->pacer),
          fal_pacer_tells_apart (state->pacer), now)) {
    give_up_connection_locked (state, lane, kind);
    state->look = TRUE; /* so that the frames are told of */
    return FALSE;
  }
  work->kind = FAL_WORK_EXPIRED;
  work->expired = n;
  work->loading = warming;
  work->greeted = fal_watchdog_has_greeted (watchdog);
  work->told = state->lanes[lane].told_warming;
  state->lanes[lane].told_warming |= warming;
  return TRUE;
}

/* The last result stands for @frame (taken), number @serial, whose time goes out in its turn. */
static void
queue_standing_locked (FalSharedState *state, FalFrame *frame, guint64 serial, gint64 now)
{
  FalResult *result = g_new0 (FalResult, 1);

  g_clear_pointer (&frame->sample, gst_sample_unref);
  *result = (FalResult) {
    .kind = FAL_RESULT_STANDING,
    .frame = frame,
    .serial = serial,
    .in_turn = TRUE,
    .complete = now,
  };
  fal_output_queue_push_result (state->queue, result);
}

/* The frame that goes next is not sent. Where every frame comes out it does so with what stands;
 * else, where none may be lost, its time goes out. */
static void
drop_unchanged_locked (FalSharedState *state, gint64 now)
{
  guint64 serial = fal_pacer_get_next (state->pacer);
  FalFrame *frame = fal_pacer_drop_unchanged (state->pacer);

  if (fal_pacer_get_outcome (state->pacer) == FAL_OUTCOME_ANSWERED)
    fal_fallback_note_standing (&state->fallback, now);
  if (frame->comes_out)
    fal_frame_queue_stand (state->frames, serial, fal_pacer_get_last (state->pacer));
  if (frame->comes_out || fal_pacer_is_leaky (state->pacer))
    fal_frame_unref (frame);
  else
    queue_standing_locked (state, frame, serial, now);
}

/* Takes out the frames that show nothing new. TRUE: the next one may go. */
static gboolean
settle_next_locked (FalSharedState *state, gint64 now)
{
  FalStillnessVerdict verdict;

  while ((verdict = judge_next_locked (state)) == FAL_STILLNESS_RESTS)
    drop_unchanged_locked (state, now);
  /* Should it give way to another one until there is a connection, that one goes. */
  if (verdict == FAL_STILLNESS_GOES && fal_pacer_peek_next (state->pacer) != NULL)
    fal_stillness_owe (&state->stillness);
  return verdict == FAL_STILLNESS_GOES;
}

static gboolean
find_look_locked (FalSharedState *state, gint64 now, FalWork *work)
{
  FalFrame *next;

  if (judge_next_locked (state) != FAL_STILLNESS_LOOK || get_request_time_locked (state, now) > now)
    return FALSE;
  next = fal_pacer_peek_next (state->pacer);
  work->kind = FAL_WORK_LOOK;
  work->frame = fal_frame_ref (next);
  work->sample = gst_sample_ref (next->sample);
  work->serial = fal_pacer_get_next (state->pacer);
  state->begun++;
  return TRUE;
}

/* @frame is sent: the next ones are compared with it, unless a newer one than @last went before. */
static void
note_compared_locked (FalSharedState *state, const FalFrame *frame, guint64 last, FalWork *work)
{
  guint64 serial = fal_pacer_get_last (state->pacer);
  FalCandidate candidate;

  work->compared = fal_stillness_is_on (&state->stillness);
  if (!work->compared || serial == last)
    return;
  work->serial = serial;
  candidate = make_candidate_locked (state, frame, serial);
  fal_stillness_note_sent (&state->stillness, &candidate);
}

static gboolean
find_expired_locked (FalSharedState *state, gint64 now, FalWork *work)
{
  for (guint i = 0; i < state->n_lanes; i++)
    if (find_expired_in_lane_locked (state, i, now, work))
      return TRUE;
  return FALSE;
}

/* A message or a request came or went over the lane: none of the connections is idle. */
static void
note_activity_locked (FalSharedState *state, guint lane, gint64 now)
{
  for (guint i = 0; i < state->n_lanes; i++)
    if (i != lane)
      fal_watchdog_note_activity (&state->watchdogs[i], now);
}

/* For how long no other frame goes, in the mean. */
static gint64
get_pause_locked (const FalSharedState *state)
{
  const FalSettings *settings = state->settings;

  if (!settings->throttle_upstream || !fal_pacer_is_leaky (state->pacer))
    return 0;
  return fal_settings_get_throttle_interval (settings) * G_TIME_SPAN_MILLISECOND / state->n_lanes;
}

static gboolean
find_request_locked (FalSharedState *state, gint64 now, FalWork *work)
{
  guint64 last = fal_pacer_get_last (state->pacer);
  FalFrame *frame;

  if (is_held_locked (state, now))
    return FALSE;
  if (!settle_next_locked (state, now))
    return find_look_locked (state, now, work);
  frame = fal_pacer_take (state->pacer, now, &work->id, &work->lane);
  if (frame == NULL)
    return FALSE;
  note_compared_locked (state, frame, last, work);
  work->kind = FAL_WORK_REQUEST;
  work->frame = fal_frame_ref (frame);
  work->sample = gst_sample_ref (frame->sample);
  work->pause = get_pause_locked (state);
  state->begun++;
  work->generation = state->lanes[work->lane].generation;
  work->first = state->fresh;
  work->feedback = copy_structure (state->feedback);
  work->inputs = copy_structure (frame->inputs);
  state->fresh = FALSE;
  fal_watchdog_note_request (&state->watchdogs[work->lane], now);
  note_activity_locked (state, work->lane, now);
  if (work->id != 0)
    fal_budget_note_request (&state->budget);
  return TRUE;
}

static gboolean
find_cut_locked (FalSharedState *state, gint64 now, FalWork *work)
{
  for (guint i = 0; i < state->n_lanes; i++) {
    FalWatchdog *watchdog = &state->watchdogs[i];

    if (fal_watchdog_get_cut_time (watchdog) > now)
      continue;
    fal_watchdog_note_cut (watchdog);
    work->kind = FAL_WORK_CUT;
    work->lane = i;
    work->fault = fal_watchdog_get_fault (watchdog);
    return TRUE;
  }
  return FALSE;
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

static gboolean
find_cost_locked (FalSharedState *state, gint64 now, FalWork *work)
{
  if (!fal_budget_tell (&state->budget, now))
    return FALSE;
  work->kind = FAL_WORK_COST;
  work->cost = get_cost_locked (state, now);
  return TRUE;
}

static gboolean
find_budget_locked (FalSharedState *state, gint64 now, FalWork *work)
{
  if (get_budget_time_locked (state, now) > now)
    return FALSE;
  work->kind = FAL_WORK_BUDGET;
  work->cost = get_cost_locked (state, now);
  return TRUE;
}

static gboolean
find_silence_locked (FalSharedState *state, gint64 now, FalWork *work)
{
  if (get_reminder_time_locked (state) > now)
    return FALSE;
  work->kind = FAL_WORK_SILENCE;
  for (guint i = 0; i < state->n_lanes; i++) {
    FalWatchdog *watchdog = &state->watchdogs[i];

    if (!fal_watchdog_is_online (watchdog))
      continue;
    work->silence = MAX (work->silence, fal_watchdog_remind (watchdog, now));
    work->greeted |= fal_watchdog_has_greeted (watchdog);
  }
  return TRUE;
}

/* Ends what the peer has left without a word, and what nobody needs. */
static void
watch_connections_locked (FalSharedState *state, gint64 now)
{
  for (guint i = 0; i < state->n_lanes; i++)
    if (fal_watchdog_is_dead (
            &state->watchdogs[i], fal_pacer_get_oldest_sent (state->pacer, i), now))
      give_up_connection_locked (state, i, FAL_FAULT_DEAD);
  if (get_idle_time_locked (state) <= now)
    release_connections_locked (state);
  for (guint i = 0; i < state->n_lanes; i++)
    if (get_quiet_time_locked (state, i) <= now)
      give_up_connection_locked (state, i, FAL_FAULT_ASKED);
}

/* Frames that nothing can be had for are told of. */
static gboolean
find_given_up_locked (FalSharedState *state, gint64 now, FalWork *work)
{
  if (get_given_up_time_locked (state) > now)
    return FALSE;
  fal_pacer_take_given_up (state->pacer, &work->given_up);
  state->told_given_up = now;
  state->tells = TRUE;
  work->kind = FAL_WORK_GIVEN_UP;
  return TRUE;
}

static gboolean
find_work_locked (FalSharedState *state, gint64 now, FalWork *work)
{
  watch_connections_locked (state, now);
  return find_cut_locked (state, now, work) || find_limit_locked (state, now, work) ||
         find_cost_locked (state, now, work) || find_budget_locked (state, now, work) ||
         find_given_up_locked (state, now, work) || find_silence_locked (state, now, work) ||
         find_expired_locked (state, now, work) || find_request_locked (state, now, work);
}

static void
give_guards_locked (const FalSharedState *state, FalWork *work)
{
  for (guint i = 0; i < state->n_lanes; i++)
    work->guards[i] = state->lanes[i].guard ? fal_socket_guard_ref (state->lanes[i].guard) : NULL;
}

gboolean
fal_shared_state_wait_for_work (
    FalSharedState *state, gint64 look_time, const gint64 *heard, FalWork *work)
{
  gboolean runs;
  gint64 now;

  *work = (FalWork){ .kind = FAL_WORK_NOTHING };
  lock (state);
  state->ended = state->begun; /* nothing is left of the work before */
  state->tells = FALSE;
  for (guint i = 0; heard != NULL && i < state->n_lanes; i++)
    if (heard[i] != 0)
      fal_watchdog_note_heard (&state->watchdogs[i], heard[i]);
  while (state->running && !find_work_locked (state, now = g_get_monotonic_time (), work) &&
         now < look_time && !state->look)
    sleep_locked (state, &state->sender, MIN (look_time, get_work_time_locked (state, now)));
  state->look = FALSE;
  give_guards_locked (state, work);
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
end_unsent_locked (FalSharedState *state, const FalWork *work)
{
  if (work->invalid)
    fal_pacer_drop_invalid (state->pacer, work->id);
  else
    fal_pacer_fail (state->pacer, work->id);
}

static void
fail_request_locked (FalSharedState *state, const FalWork *work)
{
  gboolean stands = work->generation == state->lanes[work->lane].generation;

  if (work->id != 0) {
    fal_budget_take_back_request (&state->budget);
    end_unsent_locked (state, work);
  } else if (stands) { /* it was to open the connection */
    fal_pacer_fail_opening (state->pacer, work->lane, work->invalid);
  }
  if (stands)
    state->fresh |= work->first;
}

/* What the frame's results need, since its own picture may be let go of. */
static void
note_picture_locked (FalFrame *frame, const FalWork *work)
{
  frame->layout = work->layout;
  if (frame->metas == NULL && work->metas != NULL)
    frame->metas = gst_buffer_ref (work->metas);
}

void
fal_shared_state_finish_request (
    FalSharedState *state, const FalWork *work, GBytes *message, gint64 duration)
{
  FalOrder order = {
    .kind = FAL_ORDER_SEND,
    .lane = work->lane,
    .message = message,
    .generation = work->generation,
    .is_request = work->id != 0,
  };

  lock (state);
  if (message == NULL)
    fail_request_locked (state, work);
  else
    fal_percentiles_add (&state->stats.encode, duration);
  note_picture_locked (work->frame, work);
  if (!fal_pacer_keeps (state->pacer, work->id) && !lays_on_locked (state, work->frame))
    g_clear_pointer (&work->frame->sample, gst_sample_unref);
  if (message != NULL)
    push_order_locked (state, &order);
  unlock (state);
}

void
fal_shared_state_note_change (FalSharedState *state, const FalWork *work, guint change)
{
  lock (state);
  fal_stillness_note_change (&state->stillness, work->serial, change);
  unlock_quietly (state); /* the caller is the one that has something to do now */
}

void
fal_shared_state_spend (FalSharedState *state, gboolean keeps_results)
{
  lock (state);
  spend_locked (state, keeps_results);
  share_connections_locked (state);
  release_connections_locked (state);
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
  const FalWatchdog *watchdog = &state->watchdogs[order->lane];

  if (order->kind == FAL_ORDER_SEND)
    return fal_watchdog_is_online (watchdog) &&
           order->generation == state->lanes[order->lane].generation;
  return order->kind != FAL_ORDER_FAIL || fal_watchdog_is_given_up (watchdog);
}

FalOrder *
fal_shared_state_take_order (FalSharedState *state)
{
  FalOrder *order;

  lock (state);
  state->called = FALSE;
  while ((order = g_queue_pop_head (&state->orders)) && !still_counts_locked (state, order))
    drop_order_locked (state, order);
  unlock (state);
  return order;
}

static void
note_counts_locked (FalSharedState *state, guint lane, const FalConnectionCounts *counts)
{
  state->lanes[lane].stats.counts = *counts;
  fal_watchdog_note_connected_time (
      &state->watchdogs[lane], counts->connected_since, counts->connected_time);
}

void
fal_shared_state_note_counts (FalSharedState *state, guint lane, const FalConnectionCounts *counts)
{
  lock (state);
  note_counts_locked (state, lane, counts);
  unlock_quietly (state);
}

/* What the member pays for of all connections together. */
static void
sum_paid_times_locked (FalSharedState *state, gint64 now)
{
  FalPaidTime sum = state->lanes[0].paid;

  for (guint i = 1; i < state->n_lanes; i++)
    fal_paid_time_add (&sum, &state->lanes[i].paid, now);
  fal_budget_note_paid_time (&state->budget, &sum);
}

void
fal_shared_state_note_paid_time (FalSharedState *state, guint lane, const FalPaidTime *paid)
{
  lock (state);
  state->lanes[lane].paid = *paid;
  sum_paid_times_locked (state, g_get_monotonic_time ());
  unlock (state);
}

gboolean
fal_shared_state_uses_connection (FalSharedState *state)
{
  gboolean uses;

  lock (state);
  uses = is_active_locked (state);
  unlock_quietly (state);
  return uses;
}

FalDialerState
fal_shared_state_note_state (FalSharedState *state, guint lane, FalDialerState dialer)
{
  FalDialerState all;

  lock (state);
  state->lanes[lane].dialer = dialer;
  if (dialer != FAL_DIALER_FAILED)
    fal_flow_allow_connections (&state->flow);
  all = get_state_locked (state);
  unlock_quietly (state);
  return all;
}

/* Whether the app keeps something of a connection's first message, or of its last result. */
static gboolean
has_state_locked (const FalSharedState *state)
{
  const gchar *start = fal_settings_get_start_fields (state->settings);
  const gchar *feedback = fal_settings_get_feedback_fields (state->settings);

  return (start && *start != '\0') || (feedback && *feedback != '\0');
}

/* Requests may go over the lane. */
static void
go_online_locked (FalSharedState *state, guint lane)
{
  fal_watchdog_note_online (&state->watchdogs[lane]);
  state->fresh = TRUE;
  if (has_state_locked (state))
    fal_stillness_owe (&state->stillness);
  fal_pacer_set_online (state->pacer, lane, TRUE);
}

static void
set_guard_locked (FalSharedState *state, guint lane, FalSocketGuard *guard)
{
  g_clear_pointer (&state->lanes[lane].guard, fal_socket_guard_unref);
  state->lanes[lane].guard = guard ? fal_socket_guard_ref (guard) : NULL;
  state->look = TRUE;
}

void
fal_shared_state_note_opened (FalSharedState *state, guint lane, const FalConnectionCounts *counts,
    FalSocketGuard *guard, gboolean ready)
{
  lock (state);
  fal_watchdog_note_opened (&state->watchdogs[lane], g_get_monotonic_time ());
  configure_pacer_locked (state); /* with the patience that it has now */
  state->lanes[lane].generation++;
  set_guard_locked (state, lane, guard);
  note_counts_locked (state, lane, counts);
  if (ready)
    go_online_locked (state, lane);
  unlock (state);
}

void
fal_shared_state_note_ready (FalSharedState *state, guint lane)
{
  lock (state);
  if (awaits_ready_locked (state, lane))
    go_online_locked (state, lane);
  unlock (state);
}

void
fal_shared_state_note_greeting (FalSharedState *state, guint lane)
{
  lock (state);
  fal_watchdog_note_greeting (&state->watchdogs[lane]);
  unlock_quietly (state);
}

/* What was in flight goes again where it must; so does the newest frame, whose picture is brought
 * back for it. */
static void
lose_requests_locked (FalSharedState *state, guint lane, gboolean died)
{
  FalFrame *newest = state->newest;

  fal_pacer_lose (state->pacer, lane, died, newest ? state->newest_serial : 0);
  if (newest != NULL && newest->sample == NULL && fal_pacer_peek_next (state->pacer) == newest)
    newest->sample = gst_sample_ref (state->newest_sample);
}

gboolean
fal_shared_state_note_ended (FalSharedState *state, guint lane, const FalConnectionCounts *counts,
    gboolean fatal, gboolean died)
{
  gboolean running;

  lock (state);
  running = state->running;
  fal_watchdog_note_ended (&state->watchdogs[lane]);
  set_guard_locked (state, lane, NULL);
  state->holds = FALSE;
  fal_pacer_set_online (state->pacer, lane, FALSE);
  lose_requests_locked (state, lane, died);
  fal_output_queue_close_answered (state->queue);
  note_counts_locked (state, lane, counts);
  if (fatal)
    state->lanes[lane].dialer = FAL_DIALER_FAILED;
  unlock (state);
  return running;
}

void
fal_shared_state_fail_flow (FalSharedState *state)
{
  lock (state);
  fal_flow_give_up (&state->flow);
  unlock (state);
}

void
fal_shared_state_note_message (FalSharedState *state, guint lane, const FalConnectionCounts *counts)
{
  gint64 now = g_get_monotonic_time ();

  lock (state);
  fal_watchdog_note_message (&state->watchdogs[lane], now);
  note_activity_locked (state, lane, now);
  note_counts_locked (state, lane, counts);
  unlock_quietly (state);
}

gboolean
fal_shared_state_needs_connection (FalSharedState *state, guint lane)
{
  gboolean needs;

  lock (state);
  needs = fal_watchdog_needs (&state->watchdogs[lane], is_active_locked (state),
      is_busy_locked (state), g_get_monotonic_time ());
  unlock_quietly (state);
  return needs;
}

void
fal_shared_state_keep_connection (FalSharedState *state, guint lane)
{
  lock (state);
  fal_watchdog_keep (&state->watchdogs[lane]);
  unlock (state);
}

static gboolean
counts_replies_locked (const FalSharedState *state, guint lane)
{
  return state->running && !fal_watchdog_is_given_up (&state->watchdogs[lane]);
}

/* The result of the reply's picture number @i, with the reply's @fields (taken; or NULL). */
static FalResult *
make_result_locked (FalSharedState *state, const FalReply *reply, guint i, GstStructure *fields,
    const FalResult *base)
{
  const FalImage *image = reply->images->pdata[i];
  FalResult *result = g_memdup2 (base, sizeof *base);

  fal_frame_ref (result->frame);
  result->layout = result->frame->layout;
  result->metas = result->frame->metas ? gst_buffer_ref (result->frame->metas) : NULL;
  result->picture = image->bytes ? g_bytes_ref (image->bytes) : NULL;
  result->download = image->link ? ++state->last_download : 0;
  result->complete = image->bytes ? base->received : 0;
  result->size = RESULT_SIZE;
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
make_room_locked (FalSharedState *state)
{
  state->stats.late += fal_output_queue_make_room (state->queue, g_get_monotonic_time ());
}

/* A result whose frame's time it does not carry is shown as if it had come in its turn. */
static void
spread_locked (FalSharedState *state, FalResult *result)
{
  guint waiting = fal_output_queue_get_length (state->queue) + 1;
  gint64 time = result->complete;

  if (result->complete == 0 || get_mode_locked (state) != FAL_TIMESTAMP_MODE_ARRIVAL ||
      finds_delay_locked (state))
    return;
  result->complete = fal_spread_place (&state->spread, result->sent, waiting, time);
  if (GST_CLOCK_TIME_IS_VALID (result->arrived))
    result->arrived += (result->complete - time) * GST_USECOND;
}

static void
queue_results_locked (FalSharedState *state, FalReply *reply, const FalResult *base)
{
  guint n = MIN (reply->images->len, MAX_PICTURES);

  state->stats.fields_dropped += reply->dropped;
  take_feedback_locked (state, reply);
  for (guint i = 0; i < n; i++) {
    /* The last one needs no copy, since nobody reads the reply's fields after it. */
    GstStructure *fields =
        i + 1 < n ? copy_structure (reply->fields) : g_steal_pointer (&reply->fields);
    FalResult *result = make_result_locked (state, reply, i, fields, base);

    result->size += reply->fields_size;
    if (i + 1 == n) /* the message is in memory until the last of them is gone */
      result->size += reply->size;
    spread_locked (state, result);
    fal_output_queue_push_result (state->queue, result);
  }
  make_room_locked (state);
  fal_output_queue_count_answered (state->queue, n);
  state->stats.results += n;
  state->stats.invalid += reply->images->len - n;
}

/* The first results of a request. */
static void
take_first_results_locked (FalSharedState *state, FalReply *reply, FalResult *base)
{
  gboolean streams = fal_settings_is_streaming (state->settings);

  /* Upstream may need the memory of a frame that does not go again. */
  if (!lays_on_locked (state, base->frame))
    g_clear_pointer (&base->frame->sample, gst_sample_unref);
  base->count = streams ? 0 : MIN (reply->images->len, MAX_PICTURES);
  fal_output_queue_set_answered (state->queue, base, reply->request_id, streams);
  queue_results_locked (state, reply, base);
  fal_frame_unref (base->frame);
}

/* The reply is to the request that @match names. */
static void
take_answer_locked (FalSharedState *state, FalReply *reply, const FalPacerAnswer *match,
    const FalReception *reception)
{
  FalResult base = {
    .received = reception->received,
    .arrived = reception->running,
    .frame = match->frame,
    .serial = match->serial,
    .sent = match->sent,
  };

  fal_percentiles_add (&state->stats.round_trip, base.received - base.sent);
  fal_percentiles_add (&state->lanes[reception->lane].stats.round_trip, base.received - base.sent);
  if (reply->inference >= 0)
    state->stats.inference_last = reply->inference;
  if (base.frame != NULL) /* else it was flushed away */
    take_first_results_locked (state, reply, &base);
}

/* One more for the request that was answered last. FALSE: it is not. */
static gboolean
take_further_locked (
    FalSharedState *state, FalReply *reply, guint in_flight, gint64 now, GstClockTime running)
{
  FalResult base;

  if (!fal_output_queue_continue_answered (state->queue, reply->request_id, in_flight, now, &base))
    return FALSE;
  base.arrived = running;
  queue_results_locked (state, reply, &base);
  return TRUE;
}

/* How the reply came. A doubtful one that is settled came before. */
static FalReception
receive_locked (const FalSharedState *state, const FalReception *reception)
{
  FalReception received = *reception;

  if (reception->generation != 0)
    return received;
  received.generation = state->lanes[reception->lane].generation;
  received.received = g_get_monotonic_time ();
  return received;
}

static FalMatch
take_reply_locked (
    FalSharedState *state, FalReply *reply, const FalReception *reception, FalAnswer *answer)
{
  gboolean settled = reception->generation != 0;
  guint in_flight = fal_pacer_get_in_flight (state->pacer);
  FalPacerAnswer match;
  FalPacerLane lane;

  fal_pacer_get_lane (state->pacer, reception->lane, &lane);
  answer->in_flight = lane.in_flight;
  answer->reception = receive_locked (state, reception);
  fal_pacer_answer (state->pacer, reception->lane, reply->request_id, settled,
      answer->reception.received, &match);
  answer->echoed = match.echoed;
  answer->over =
      match.match == FAL_MATCH_ANSWERS || (match.match == FAL_MATCH_LATE && lane.in_flight == 0);
  if (match.match == FAL_MATCH_ANSWERS)
    take_answer_locked (state, reply, &match, &answer->reception);
  else if (match.match != FAL_MATCH_DOUBTFUL &&
           take_further_locked (
               state, reply, in_flight, answer->reception.received, answer->reception.running))
    return FAL_MATCH_ANSWERS;
  return match.match;
}

/* After the end of the stream nothing comes of a reply but that its request is over: that of a
 * frame that was flushed away, which the end did not wait for. */
static FalMatch
match_reply_locked (
    FalSharedState *state, FalReply *reply, const FalReception *reception, FalAnswer *answer)
{
  FalMatch match;

  if (reception->generation != 0 &&
      reception->generation != state->lanes[reception->lane].generation)
    return FAL_MATCH_FOREIGN;
  match = take_reply_locked (state, reply, reception, answer);
  return fal_flow_is_over (&state->flow) ? FAL_MATCH_LATE : match;
}

static void
note_result_locked (FalSharedState *state, guint lane)
{
  FalWatchdog *watchdog = &state->watchdogs[lane];
  gint64 patience = fal_watchdog_get_patience (watchdog);

  fal_watchdog_note_result (watchdog);
  state->lanes[lane].told_warming = FALSE;
  if (fal_watchdog_get_patience (watchdog) != patience)
    configure_pacer_locked (state);
}

/* An answer brought no picture that could stand for the frames that follow. */
static void
note_useless_locked (FalSharedState *state)
{
  state->stats.invalid++;
  fal_stillness_owe (&state->stillness);
}

static void
answer_locked (
    FalSharedState *state, FalReply *reply, const FalReception *reception, FalAnswer *answer)
{
  guint n = reply->images->len;
  guint64 before = state->last_download;
  FalMatch match = match_reply_locked (state, reply, reception, answer);

  answer->known = match == FAL_MATCH_ANSWERS;
  answer->doubtful = match == FAL_MATCH_DOUBTFUL;
  answer->first = answer->known && state->lanes[reception->lane].dialer == FAL_DIALER_WARMING_UP;
  answer->first_download = state->last_download > before ? before + 1 : 0;
  if (match == FAL_MATCH_LATE)
    state->stats.late += MAX (n, 1);
  if (match == FAL_MATCH_FOREIGN)
    state->stats.foreign += MAX (n, 1);
  if (answer->known && n == 0)
    note_useless_locked (state);
  if (answer->known)
    note_result_locked (state, reception->lane);
  state->holds |= answer->first;
}

/* Neither a picture nor an id of ours: the app said something, and answers nothing with it. */
static gboolean
is_message_locked (const FalSharedState *state, guint lane, const FalReply *reply)
{
  return reply->images->len == 0 && !reply->names_pictures &&
         !fal_pacer_has_sent (state->pacer, lane, reply->request_id);
}

void
fal_shared_state_answer (
    FalSharedState *state, FalReply *reply, const FalReception *reception, FalAnswer *answer)
{
  *answer = (FalAnswer){ 0 };
  lock (state);
  if (is_message_locked (state, reception->lane, reply))
    state->stats.ignored++;
  else if (counts_replies_locked (state, reception->lane))
    answer_locked (state, reply, reception, answer);
  unlock (state);
}

void
fal_shared_state_note_foreign (FalSharedState *state, const FalReply *reply)
{
  lock (state);
  state->stats.foreign += MAX (reply->images->len, 1);
  unlock_quietly (state);
}

void
fal_shared_state_note_ignored (FalSharedState *state)
{
  lock (state);
  state->stats.ignored++;
  unlock_quietly (state);
}

void
fal_shared_state_release_results (FalSharedState *state)
{
  lock (state);
  state->holds = FALSE;
  unlock (state);
}

gboolean
fal_shared_state_counts_replies (FalSharedState *state, guint lane)
{
  gboolean counts;

  lock (state);
  counts = counts_replies_locked (state, lane);
  unlock_quietly (state);
  return counts;
}

gboolean
fal_shared_state_note_failed_reply (
    FalSharedState *state, guint lane, const gchar *request_id, gboolean unreadable, gboolean *over)
{
  gint64 now = g_get_monotonic_time ();
  gboolean counts;

  lock (state);
  counts = counts_replies_locked (state, lane);
  *over = counts && fal_pacer_fail_answered (state->pacer, lane, request_id, now) &&
          !fal_pacer_has_sent (state->pacer, lane, request_id);
  state->stats.invalid += counts && unreadable;
  unlock (state);
  return counts;
}

gboolean
fal_shared_state_fail_oldest (FalSharedState *state, guint lane)
{
  gboolean counts;

  lock (state);
  counts = counts_replies_locked (state, lane);
  if (counts)
    fal_pacer_fail_oldest (state->pacer, lane);
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
fal_shared_state_drop_ids (FalSharedState *state, guint lane, const FalReply *reply)
{
  gboolean refused;

  lock (state);
  refused = counts_replies_locked (state, lane) && refuses_ids_locked (state, reply);
  if (refused) {
    state->ids_refused = TRUE;
    configure_pacer_locked (state);
    /* By an order, since libsoup is still delivering the message. */
    close_connections_locked (state, FAL_ORDER_CLOSE);
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
  /* Of several connections it is not known which result was just before. */
  last = state->n_lanes == 1 ? fal_output_queue_peek_newest (state->queue) : NULL;
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
fal_shared_state_take_picture (
    FalSharedState *state, guint64 number, GBytes *picture, GstClockTime running)
{
  gboolean awaited;

  lock (state);
  awaited = fal_output_queue_set_picture (
      state->queue, number, picture, g_get_monotonic_time (), running);
  if (awaited && picture == NULL)
    note_useless_locked (state);
  make_room_locked (state);
  unlock (state);
  return awaited;
}

/* ---- the source pad's task ---- */

static void
note_event_leaves_locked (FalSharedState *state, GstEvent *event)
{
  if (GST_EVENT_TYPE (event) != GST_EVENT_EOS)
    return;
  state->drain_deadline = G_MAXINT64;
  fal_flow_note_end (&state->flow);
  if (fal_flow_is_over (&state->flow))
    fal_output_queue_clear_results (state->queue);
  forget_newest_locked (state); /* nothing is shown in its place after the end */
}

/* ---- frames that come out each ---- */

/* How long after the first frame that needs it, which came @ahead before its own, the result was
 * ready, or will be. */
static gint64
get_frame_lag_locked (const FalSharedState *state, const FalResult *result, GstClockTime ahead)
{
  const FalFrame *frame = result->frame;
  gint64 lag = result->complete - frame->arrival;

  if (GST_CLOCK_TIME_IS_VALID (frame->running) && GST_CLOCK_TIME_IS_VALID (result->arrived))
    lag = GST_CLOCK_DIFF (frame->running + state->upstream_latency, result->arrived) / GST_USECOND;
  return lag + (gint64) (ahead / GST_USECOND) +
         fal_percentiles_get_last (&state->stats.decode) * G_TIME_SPAN_MILLISECOND;
}

static void
note_frame_lag_locked (FalSharedState *state, gint64 lag, FalOutput *output)
{
  if (!finds_delay_locked (state) ||
      !fal_playout_note (state->playout, lag, g_get_monotonic_time ()))
    return;
  configure_locked (state);
  output->latency_changed = TRUE;
}

/* @result (taken) is for a frame that comes out in any case, or did already. */
static void
give_to_frame_locked (FalSharedState *state, FalResult *result, gint64 now, FalOutput *output)
{
  FalResult given = *result;
  gboolean first = !result->further && result->index == 0;
  FalLayerSource *source =
      fal_layer_source_new (result->picture, &result->layout, &result->frame->part);
  g_autoptr (FalFrame) frame = fal_frame_ref (result->frame);
  GstClockTime ahead;
  FalFrameAnswer answer = fal_frame_queue_answer (
      state->frames, result->serial, frame->running, result, source, &ahead);

  given.frame = frame;
  fal_fallback_note_result (&state->fallback, now);
  if (answer == FAL_FRAME_LATE && first) {
    state->stats.late++;
    output->overdue = given.complete - frame->arrival;
  }
  if (first && answer != FAL_FRAME_SURPLUS)
    note_frame_lag_locked (state, get_frame_lag_locked (state, &given, ahead), output);
}

static void
collect_answers_locked (FalSharedState *state, gint64 now, FalOutput *output)
{
  while (has_answer_locked (state))
    give_to_frame_locked (state, fal_output_queue_take_answer (state->queue), now, output);
  fal_frame_queue_settle (state->frames, may_come, state);
}

/* What is shown of a frame without a result: what lies between those beside it, the last one for a
 * while, or the fallback. */
static FalResultKind
choose_kind_locked (const FalSharedState *state, const FalFrameTurn *turn, gint64 now)
{
  if (((const FalFrame *) turn->frame)->route == FAL_ROUTE_PASS)
    return FAL_RESULT_PASS;
  if (turn->result != NULL)
    return FAL_RESULT_ANSWER;
  if (turn->after != NULL)
    return FAL_RESULT_BETWEEN;
  if (turn->before != NULL && (turn->stands || !fal_fallback_is_silent (&state->fallback, now)))
    return FAL_RESULT_BETWEEN;
  return FAL_RESULT_FALLBACK;
}

/* Where the model was just switched on frames go by until its first result. */
static FalFallbackMode
get_frame_fallback_locked (const FalSharedState *state)
{
  if (!state->settings->enabled || fal_fallback_is_bridging (&state->fallback))
    return FAL_FALLBACK_PASSTHROUGH;
  return state->settings->fallback;
}

/* The result of a frame that has none; its frame is taken. */
static FalResult *
make_turn_locked (const FalFrameTurn *turn)
{
  FalResult *result = g_new0 (FalResult, 1);

  *result = (FalResult) {
    .frame = turn->frame,
    .serial = turn->serial,
    .count = 1,
    .arrived = GST_CLOCK_TIME_NONE,
    .outlook = { GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE },
  };
  return result;
}

/* @turn is taken. NULL: nothing is shown of the frame. */
static FalResult *
show_frame_locked (FalSharedState *state, FalFrameTurn *turn, gint64 now)
{
  FalResultKind kind = choose_kind_locked (state, turn, now);
  g_autoptr (FalResult) result = turn->result;

  if (result == NULL)
    result = make_turn_locked (turn);
  else
    fal_frame_unref (turn->frame);
  result->kind = kind;
  result->running = result->frame->running;
  result->before = turn->before;
  result->after = turn->after;
  result->weight = turn->weight;
  result->fallback = get_frame_fallback_locked (state);
  if (kind != FAL_RESULT_ANSWER && kind != FAL_RESULT_PASS &&
      state->settings->composite == FAL_COMPOSITE_NONE)
    return NULL;
  if (kind == FAL_RESULT_FALLBACK && result->fallback == FAL_FALLBACK_NONE)
    return NULL;
  return g_steal_pointer (&result);
}

/* What is laid on its frame gets the frame's picture, which the session may let go of meanwhile. */
static void
lend_sample_locked (FalSharedState *state, FalResult *result)
{
  const FalFrame *frame = result->frame;

  if (state->settings->composite != FAL_COMPOSITE_NONE && frame->sample != NULL)
    result->sample = gst_sample_ref (frame->sample);
}

/* @frame came out, or nothing is shown of it: its own picture is needed only to send it. */
static void
note_gone_locked (FalSharedState *state, FalFrame *frame)
{
  frame->gone = TRUE;
  if (!fal_pacer_keeps_frame (state->pacer, frame))
    g_clear_pointer (&frame->sample, gst_sample_unref);
}

/* Where nothing is shown of this one the next may be due. */
static void
take_frame_turn_locked (FalSharedState *state, gint64 now, FalOutput *output)
{
  g_autoptr (FalFrame) frame = NULL;
  FalFrameTurn turn;

  if (!fal_frame_queue_take (state->frames, frames_end_locked (state), now, &turn))
    return;
  frame = fal_frame_ref (turn.frame);
  output->result = show_frame_locked (state, &turn, now);
  if (output->result != NULL)
    lend_sample_locked (state, output->result);
  if (output->result == NULL || output->result->kind != FAL_RESULT_PASS)
    note_gone_locked (state, frame);
}

/* ---- what goes out ---- */

/* Something goes out. */
static void
take_queued_locked (FalSharedState *state, gint64 now, FalOutput *output)
{
  FalOutputView view = get_view_locked (state, now);
  FalOutputKind kind = fal_output_queue_take (state->queue, &view, &output->event, &output->result);

  if (kind == FAL_OUTPUT_EVENT)
    note_event_leaves_locked (state, output->event);
  else if (kind == FAL_OUTPUT_FILL)
    output->result = make_fallback_locked (state, now);
  else if (output->result->kind == FAL_RESULT_ANSWER)
    fal_fallback_note_result (&state->fallback, now);
}

static gboolean
goes_out (const FalOutput *output)
{
  return output->event != NULL || output->result != NULL;
}

/* FALSE: nothing goes out yet. */
static gboolean
take_output_locked (FalSharedState *state, FalOutput *output)
{
  gint64 now = g_get_monotonic_time ();
  FalOutputKind kind;

  state->stats.late += fal_output_queue_drop_overtaken (state->queue);
  collect_answers_locked (state, now, output);
  while (!goes_out (output) && (kind = peek_output_locked (state, now)) != FAL_OUTPUT_NOTHING) {
    if (kind == FAL_OUTPUT_FRAME)
      take_frame_turn_locked (state, now, output);
    else
      take_queued_locked (state, now, output);
  }
  if (output->result != NULL && output->result->sample == NULL)
    lend_sample_locked (state, output->result);
  return goes_out (output);
}

/* Asked before a wait and not after it: what is ready goes out first, and a flush may have ended
 * the drain in the moment in which its time was over. */
static gboolean
drain_is_over_locked (const FalSharedState *state)
{
  return state->drain_deadline != G_MAXINT64 && state->drain_deadline <= g_get_monotonic_time ();
}

/* A late reply without an id could be taken for another frame's. */
static void
close_unanswered_locked (FalSharedState *state)
{
  for (guint i = 0; !fal_pacer_echoes (state->pacer) && i < state->n_lanes; i++) {
    FalPacerLane lane;

    fal_pacer_get_lane (state->pacer, i, &lane);
    if (lane.in_flight > 0 && fal_watchdog_is_online (&state->watchdogs[i]))
      give_up_connection_locked (state, i, FAL_FAULT_ASKED);
  }
}

/* The drain timeout is past: the stream ends without what is still missing. How many frames that
 * are. */
static guint
end_drain_locked (FalSharedState *state)
{
  guint missing = fal_pacer_get_waiting (state->pacer) + fal_pacer_get_in_flight (state->pacer) +
                  fal_output_queue_get_length (state->queue);

  state->drain_deadline = G_MAXINT64;
  close_unanswered_locked (state);
  fal_pacer_abandon (state->pacer, TRUE);
  fal_output_queue_clear_results (state->queue);
  return shows_all_locked (state) ? 0 : missing; /* they come out without their results */
}

/* What is ready is taken before, so that a tick shows it. */
static gboolean
take_tick_locked (FalSharedState *state, FalOutput *output)
{
  output->ticked = state->ticked;
  state->ticked = FALSE;
  return output->ticked;
}

static void
describe_output_locked (const FalSharedState *state, FalOutput *output)
{
  GstClockTime held = get_held_locked (state) * GST_USECOND;

  output->settings = fal_settings_ref (state->settings);
  output->mode = get_mode_locked (state);
  output->live = state->live;
  output->every_frame = !fal_pacer_is_leaky (state->pacer);
  output->upstream_latency = state->upstream_latency;
  output->finds_delay = finds_delay_locked (state);
  if (output->finds_delay && output->mode == FAL_TIMESTAMP_MODE_ARRIVAL)
    output->held = get_hold_locked (state) * GST_USECOND;
  if (is_delayed_locked (state))
    output->delay = held;
}

void
fal_shared_state_wait_for_output (FalSharedState *state, gboolean full, FalOutput *output)
{
  *output = (FalOutput){ 0 };
  lock (state);
  state->full = full;
  /* While downstream was busy with the last result, none was waited for. */
  if (state->drain_deadline != G_MAXINT64)
    renew_deadline_locked (state);
  while (fal_flow_goes_out (&state->flow) && !take_output_locked (state, output) &&
         !take_tick_locked (state, output) && !output->latency_changed) {
    if (drain_is_over_locked (state))
      output->missing += end_drain_locked (state);
    else
      sleep_locked (state, &state->output, get_output_time_locked (state, g_get_monotonic_time ()));
  }
  describe_output_locked (state, output);
  unlock (state);
}

gboolean
fal_shared_state_note_lag (FalSharedState *state, gint64 lag, gboolean first, gboolean shown)
{
  gboolean changed;

  lock (state);
  state->stats.late += shown && lag > get_hold_locked (state);
  changed = first && fal_playout_note (state->playout, lag, g_get_monotonic_time ());
  if (changed)
    configure_locked (state);
  unlock (state);
  return changed;
}

static void
count_rendered_locked (FalSharedState *state, FalRendered rendered, gint64 age, gint64 duration)
{
  switch (rendered) {
  case FAL_RENDERED:
    fal_percentiles_add (&state->stats.decode, duration);
    fal_percentiles_add (&state->stats.age, age);
    break;
  case FAL_RENDERED_TOO_LATE:
    state->stats.late++;
    break;
  case FAL_RENDERED_BROKEN:
    note_useless_locked (state);
    break;
  }
}

void
fal_shared_state_note_rendered (
    FalSharedState *state, FalResultKind kind, FalRendered rendered, gint64 age, gint64 duration)
{
  if (kind == FAL_RESULT_PASS || kind == FAL_RESULT_FALLBACK)
    return;
  lock (state);
  fal_frame_queue_note_lead (state->frames, duration);
  if (kind == FAL_RESULT_ANSWER)
    count_rendered_locked (state, rendered, age, duration);
  unlock_quietly (state);
}

void
fal_shared_state_note_pushed (FalSharedState *state, FalResultKind kind, gboolean repeated)
{
  g_atomic_int_inc (&state->pushed[kind]);
  if (repeated)
    g_atomic_int_inc (&state->repeated);
}

void
fal_shared_state_note_tick (FalSharedState *state)
{
  lock (state);
  state->ticked = TRUE;
  unlock (state);
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
