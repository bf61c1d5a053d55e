/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The session: one mutex between four threads. Upstream's pushes frames, the send
 * thread encodes and hands them on when the pacer says so, the net thread carries
 * requests out and replies in, the source pad's task pulls results. */
#include "session-private.h"
#include "window.h"

/* Between two warnings about single frames. */
#define WARNING_INTERVAL G_USEC_PER_SEC
/* How long the net thread may take for a polite end, µs. */
#define NET_PATIENCE (80 * G_TIME_SPAN_MILLISECOND)
/* Of a file, whose frames do not age: enough that the model need not wait for the next one. */
#define FILE_IN_FLIGHT 2

void
fal_event_item_free (EventItem *item)
{
  gst_event_unref (item->event);
  g_free (item);
}

void
fal_session_clear_results (FalSession *session)
{
  g_queue_clear_full (&session->results, (GDestroyNotify) fal_result_free);
}

/* Attached rather than invoked: before the net thread runs, an invocation would run here. */
void
fal_session_hop (FalSession *session, GSourceFunc function, gpointer data, GDestroyNotify destroy)
{
  g_autoptr (GSource) source = g_idle_source_new ();

  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, function, data, destroy);
  g_source_attach (source, session->context);
}

void
fal_session_wake_all (FalSession *session)
{
  g_cond_broadcast (&session->room);
  g_cond_broadcast (&session->work);
  g_cond_broadcast (&session->output);
}

FalSettings *
fal_session_dup_settings (FalSession *session)
{
  FalSettings *settings;

  g_mutex_lock (&session->lock);
  settings = fal_settings_ref (session->settings);
  g_mutex_unlock (&session->lock);
  return settings;
}

void
fal_session_warn (FalSession *session, const GError *error)
{
  gint64 now = g_get_monotonic_time ();
  gboolean due;

  g_mutex_lock (&session->lock);
  due = now - session->last_warning >= WARNING_INTERVAL;
  if (due)
    session->last_warning = now;
  g_mutex_unlock (&session->lock);
  if (due)
    session->callbacks.trouble (session->user, FALSE, error, NULL);
}

static gboolean
on_want (gpointer data)
{
  FalSession *session = data;

  fal_connection_want (session->connection);
  return G_SOURCE_REMOVE;
}

gboolean
fal_session_is_held (const FalSession *session)
{
  return session->flow != GST_FLOW_OK || session->results.length >= FAL_SESSION_MAX_RESULTS;
}

void
fal_session_call_for_connection (FalSession *session)
{
  if (!session->running || session->online || session->wanted || fal_session_is_held (session))
    return;
  if (fal_pacer_get_waiting (session->pacer) + fal_pacer_get_in_flight (session->pacer) == 0)
    return;
  session->wanted = TRUE;
  fal_session_hop (session, on_want, session, NULL);
}

/* With the lock held. */
static void
configure_pacer (FalSession *session)
{
  const FalSettings *settings = session->settings;
  gboolean leaky =
      settings->leaky == FAL_LEAKY_AUTO ? session->live : settings->leaky == FAL_LEAKY_DOWNSTREAM;
  FalPacerConfig config = {
    .throttle_interval = settings->throttle_interval * G_TIME_SPAN_MILLISECOND,
    .max_waiting = MAX (settings->max_buffering, 1),
    .max_in_flight = settings->max_in_flight ? settings->max_in_flight
                     : leaky                 ? FAL_WINDOW_MAX_UNANSWERED
                                             : FILE_IN_FLIGHT,
    .adaptive = settings->max_in_flight == 0 && leaky,
    .leaky = leaky,
    .identified = fal_settings_sends_request_id (settings),
    .echo_known = fal_settings_get_preset (settings)->echoes_request_id == 1,
    .request_timeout = settings->request_timeout * G_TIME_SPAN_MILLISECOND,
  };

  fal_pacer_configure (session->pacer, &config);
  fal_session_wake_all (session);
}

/* ---- life ---- */

FalSession *
fal_session_new (const FalSessionEvents *events, gpointer user, FalSettings *settings)
{
  FalSession *session = g_new0 (FalSession, 1);

  session->callbacks = *events;
  session->user = user;
  session->settings = fal_settings_ref (settings);
  session->pacer = fal_pacer_new ((GDestroyNotify) fal_frame_unref);
  session->renderer = fal_renderer_new ();
  session->flow = GST_FLOW_FLUSHING;
  session->drain_deadline = G_MAXINT64;
  session->next_serial = 1;
  g_mutex_init (&session->lock);
  g_cond_init (&session->room);
  g_cond_init (&session->work);
  g_cond_init (&session->output);
  g_queue_init (&session->events);
  g_queue_init (&session->results);
  return session;
}

void
fal_session_free (FalSession *session)
{
  fal_session_stop (session);
  fal_renderer_free (session->renderer);
  fal_pacer_free (session->pacer);
  fal_settings_unref (session->settings);
  g_mutex_clear (&session->lock);
  g_cond_clear (&session->room);
  g_cond_clear (&session->work);
  g_cond_clear (&session->output);
  g_free (session);
}

gboolean
fal_session_start (FalSession *session, GError **error)
{
  g_autoptr (FalSettings) settings = fal_session_dup_settings (session);

  session->endpoint = fal_settings_validate (settings, error);
  if (session->endpoint == NULL)
    return FALSE;
  session->base_uri = g_strdup (session->endpoint->base_uri);
  session->context = g_main_context_new ();
  session->loop = g_main_loop_new (session->context, FALSE);
  g_mutex_lock (&session->lock);
  fal_pacer_free (session->pacer);
  session->pacer = fal_pacer_new ((GDestroyNotify) fal_frame_unref);
  session->stats = (FalStats){ .started = g_get_monotonic_time () };
  session->running = session->net_alive = TRUE;
  session->wanted = session->online = FALSE;
  session->doomed = 0;
  session->live = session->refused = FALSE;
  session->state = FAL_DIALER_IDLE;
  session->next_serial = 1;
  configure_pacer (session);
  g_mutex_unlock (&session->lock);
  fal_renderer_reset (session->renderer);
  session->net_thread = g_thread_new ("fal-net", fal_session_net_main, session);
  session->send_thread = g_thread_new ("fal-send", fal_session_send_main, session);
  return TRUE;
}

static gboolean
on_quit (gpointer data)
{
  g_main_loop_quit (data);
  return G_SOURCE_REMOVE;
}

/* A server that floods keeps libsoup reading, so that the thread's loop comes to nothing else: its
 * socket is then shut down from here. */
static void
join_net_thread (FalSession *session)
{
  gint64 patience = g_get_monotonic_time () + NET_PATIENCE;
  FalGuard *guard;

  fal_session_hop (session, on_quit, session->loop, NULL);
  g_mutex_lock (&session->lock);
  guard = session->guard ? fal_guard_ref (session->guard) : NULL;
  while (session->net_alive && g_cond_wait_until (&session->output, &session->lock, patience))
    ;
  if (session->net_alive && guard)
    fal_guard_cut (guard);
  g_mutex_unlock (&session->lock);
  g_clear_pointer (&guard, fal_guard_unref);
  g_thread_join (g_steal_pointer (&session->net_thread));
}

void
fal_session_stop (FalSession *session)
{
  gboolean was_idle;

  if (session->net_thread == NULL)
    return;
  g_mutex_lock (&session->lock);
  session->running = FALSE;
  session->flow = GST_FLOW_FLUSHING;
  fal_session_wake_all (session);
  g_mutex_unlock (&session->lock);
  g_thread_join (g_steal_pointer (&session->send_thread));
  join_net_thread (session);
  g_clear_pointer (&session->loop, g_main_loop_unref);
  g_clear_pointer (&session->context, g_main_context_unref);
  g_clear_pointer (&session->base_uri, g_free);
  g_mutex_lock (&session->lock);
  was_idle = session->state == FAL_DIALER_IDLE;
  session->online = FALSE;
  session->state = FAL_DIALER_IDLE;
  session->stats.run_time = g_get_monotonic_time () - session->stats.started;
  session->stats.started = 0;
  fal_pacer_abandon (session->pacer, FALSE);
  fal_session_clear_results (session);
  g_queue_clear_full (&session->events, (GDestroyNotify) fal_event_item_free);
  g_mutex_unlock (&session->lock);
  if (!was_idle)
    session->callbacks.state_changed (session->user, FAL_DIALER_IDLE);
}

void
fal_session_update (FalSession *session, FalSettings *settings)
{
  g_autoptr (FalSettings) old = NULL;

  g_mutex_lock (&session->lock);
  /* Threads that set properties at once may come here in another order. */
  if (settings->version > session->settings->version) {
    old = session->settings;
    session->settings = fal_settings_ref (settings);
    configure_pacer (session);
    if (session->running)
      fal_session_hop (session, fal_session_configure_connection, session, NULL);
  }
  g_mutex_unlock (&session->lock);
}

void
fal_session_set_live (FalSession *session, gboolean live)
{
  g_mutex_lock (&session->lock);
  session->live = live;
  configure_pacer (session);
  g_mutex_unlock (&session->lock);
}

/* ---- questions ---- */

GstClockTime
fal_session_get_latency (FalSession *session)
{
  GstClockTime latency;

  g_mutex_lock (&session->lock);
  latency = fal_timeline_get_latency (
      session->settings->timestamp_mode, session->live, session->settings->latency);
  g_mutex_unlock (&session->lock);
  return latency;
}

FalDialerState
fal_session_get_state (FalSession *session)
{
  FalDialerState state;

  g_mutex_lock (&session->lock);
  state = session->state;
  g_mutex_unlock (&session->lock);
  return state;
}

void
fal_session_get_counts (FalSession *session, FalSessionCounts *counts)
{
  g_mutex_lock (&session->lock);
  counts->in = fal_pacer_get_counts (session->pacer)->in;
  counts->out = session->stats.out;
  counts->dropped = fal_stats_count_dropped (session->pacer);
  counts->in_flight = fal_pacer_get_in_flight (session->pacer);
  g_mutex_unlock (&session->lock);
}

GstStructure *
fal_session_get_stats (FalSession *session)
{
  GstStructure *structure;

  g_mutex_lock (&session->lock);
  structure = fal_stats_to_structure (&session->stats, session->pacer, g_get_monotonic_time ());
  g_mutex_unlock (&session->lock);
  return structure;
}
