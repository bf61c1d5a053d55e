/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The session: one mutex between four threads. Upstream's pushes frames, the send
 * thread encodes and hands them on when the pacer says so, the net thread carries
 * requests out and replies in, the source pad's task pulls results. */
#include "session-private.h"
#include "fal/policy/window.h"

/* Of a file, whose frames do not age: enough that the model need not wait for the next one. */
#define FILE_IN_FLIGHT 2

void
fal_event_item_free (EventItem *item)
{
  gst_event_unref (item->event);
  g_free (item);
}

void
fal_session_clear_newest (FalSession *session)
{
  g_clear_pointer (&session->newest, fal_frame_unref);
  g_clear_pointer (&session->newest_sample, gst_sample_unref);
}

void
fal_session_clear_results (FalSession *session)
{
  g_queue_clear_full (&session->results, (GDestroyNotify) fal_result_free);
}

void
fal_session_forget_frames (FalSession *session)
{
  fal_pacer_flush (session->pacer);
  fal_session_clear_results (session);
  fal_session_clear_answered (session);
  fal_session_clear_newest (session);
}

void
fal_session_wake_all (FalSession *session)
{
  g_cond_broadcast (&session->room);
  g_cond_broadcast (&session->work);
  g_cond_broadcast (&session->output);
}

void
fal_session_note_progress (FalSession *session)
{
  fal_session_call_sender (session);
  fal_session_call_task (session);
  fal_session_call_upstream (session);
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

const gchar *
fal_session_get_api_key (FalSession *session, const FalSettings *settings, FalKeyOrigin *origin)
{
  gboolean is_set = settings->api_key && settings->api_key_origin == FAL_KEY_FROM_PROPERTY;
  gboolean from_file = session->api_key_origin == FAL_KEY_FROM_FILE && session->api_key && !is_set;

  *origin = from_file ? FAL_KEY_FROM_FILE : settings->api_key_origin;
  return from_file ? session->api_key : settings->api_key;
}

static gboolean
on_want (gpointer data)
{
  FalSession *session = data;

  fal_connection_want (fal_shared_connection_get_connection (session->line));
  return G_SOURCE_REMOVE;
}

gboolean
fal_session_is_held (const FalSession *session)
{
  return session->flow != GST_FLOW_OK || session->closing ||
         session->results.length >= FAL_SESSION_MAX_RESULTS;
}

void
fal_session_call_for_connection (FalSession *session)
{
  if (!session->running || session->online || session->wanted || fal_session_is_held (session))
    return;
  if (session->spent || !fal_session_is_busy (session))
    return;
  session->wanted = TRUE;
  fal_shared_connection_hop (session->line, on_want, session, NULL);
}

gboolean
fal_session_sends_ids (const FalSession *session)
{
  return fal_settings_sends_request_id (session->settings) && !session->ids_refused;
}

void
fal_session_configure_pacer (FalSession *session)
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
    .identified = fal_session_sends_ids (session),
    .echo_known = fal_settings_get_app_profile (settings)->echoes_request_id == 1,
    .request_timeout = settings->request_timeout * G_TIME_SPAN_MILLISECOND,
  };

  fal_pacer_configure (session->pacer, &config);
  session->bridging &= leaky;
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
  session->renderer = fal_result_buffer_new ();
  session->filler = fal_fallback_picture_new ();
  fal_fallback_reset (&session->outage);
  session->flow = GST_FLOW_FLUSHING;
  session->drain_deadline = G_MAXINT64;
  session->asleep_until = G_MININT64;
  session->next_serial = 1;
  g_mutex_init (&session->lock);
  g_cond_init (&session->room);
  g_cond_init (&session->work);
  g_cond_init (&session->output);
  g_queue_init (&session->events);
  g_queue_init (&session->results);
  g_queue_init (&session->overtaken);
  g_queue_init (&session->fetches);
  return session;
}

void
fal_session_free (FalSession *session)
{
  fal_session_stop (session);
  fal_result_buffer_free (session->renderer);
  fal_fallback_picture_free (session->filler);
  fal_pacer_free (session->pacer);
  fal_settings_unref (session->settings);
  g_mutex_clear (&session->lock);
  g_cond_clear (&session->room);
  g_cond_clear (&session->work);
  g_cond_clear (&session->output);
  g_free (session);
}

static void
clear_addresses (FalSession *session)
{
  g_clear_pointer (&session->base_uri, g_free);
  g_clear_pointer (&session->address, g_free);
  g_clear_pointer (&session->api_key, g_free);
  g_clear_pointer (&session->server_error, g_free);
}

/* With the lock held. */
static void
reset (FalSession *session)
{
  fal_pacer_free (session->pacer);
  session->pacer = fal_pacer_new ((GDestroyNotify) fal_frame_unref);
  session->stats = (FalStats){ .started = g_get_monotonic_time () };
  session->wanted = session->online = session->closing = FALSE;
  session->doomed = 0;
  session->live = session->refused = session->ids_refused = FALSE;
  session->ended = session->spent = session->told_warming = FALSE;
  session->state = FAL_DIALER_IDLE;
  session->seqnum = GST_SEQNUM_INVALID;
  session->next_serial = 1;
  session->newest_serial = session->filled_serial = session->barrier = 0;
  fal_fallback_reset (&session->outage);
  session->passing = session->bridging = FALSE;
  fal_session_configure_pacer (session);
}

gboolean
fal_session_start (FalSession *session, GError **error)
{
  g_autoptr (FalSettings) settings = fal_session_dup_settings (session);
  g_autoptr (GError) fault = NULL;
  g_autofree gchar *api_key =
      fal_preflight_dup_api_key (settings, &session->api_key_origin, &fault);
  g_autoptr (FalEndpoint) endpoint = NULL;

  if (fault == NULL)
    endpoint = fal_preflight_check (
        settings, api_key, session->callbacks.has_provider (session->user), &fault);
  if (endpoint == NULL) {
    g_propagate_error (error, g_steal_pointer (&fault));
    return FALSE;
  }
  session->base_uri = g_strdup (endpoint->base_uri);
  session->address = fal_endpoint_describe (endpoint);
  session->api_key = g_steal_pointer (&api_key);
  g_mutex_lock (&session->lock);
  reset (session);
  g_mutex_unlock (&session->lock);
  fal_result_buffer_reset (session->renderer);
  fal_fallback_picture_reset (session->filler);
  session->in_outage = FALSE;
  if (!fal_session_connect (session, g_steal_pointer (&endpoint), error)) {
    clear_addresses (session);
    return FALSE;
  }
  /* With the settings that were found good, whatever is set before the thread looks. */
  session->composer = fal_request_builder_new ();
  fal_request_builder_set_settings (session->composer, settings, NULL);
  session->send_thread = g_thread_new ("fal-send", fal_session_send_main, session);
  return TRUE;
}

/* With the lock held: gives up everything that waits. */
static void
give_up (FalSession *session)
{
  session->online = FALSE;
  session->state = FAL_DIALER_IDLE;
  session->stats.run_time = g_get_monotonic_time () - session->stats.started;
  session->stats.started = 0;
  fal_pacer_abandon (session->pacer, FALSE);
  fal_session_clear_results (session);
  fal_session_clear_answered (session);
  fal_session_clear_newest (session);
  g_clear_pointer (&session->feedback, gst_structure_free);
  g_clear_pointer (&session->last_token, g_free);
  g_clear_pointer (&session->guard, fal_socket_guard_unref);
  g_queue_clear_full (&session->events, (GDestroyNotify) fal_event_item_free);
  g_queue_clear_full (&session->overtaken, (GDestroyNotify) fal_frame_unref);
}

void
fal_session_stop (FalSession *session)
{
  gboolean was_idle;

  if (session->line == NULL)
    return;
  g_mutex_lock (&session->lock);
  session->running = FALSE;
  session->flow = GST_FLOW_FLUSHING;
  fal_session_wake_all (session);
  g_mutex_unlock (&session->lock);
  g_thread_join (g_steal_pointer (&session->send_thread));
  g_clear_pointer (&session->composer, fal_request_builder_free);
  fal_session_disconnect (session);
  clear_addresses (session);
  g_mutex_lock (&session->lock);
  was_idle = session->state == FAL_DIALER_IDLE;
  give_up (session);
  g_mutex_unlock (&session->lock);
  if (!was_idle)
    session->callbacks.state_changed (session->user, FAL_DIALER_IDLE);
}

void
fal_session_set_earliest (FalSession *session, GstClockTime earliest)
{
  const FalSettings *settings;

  g_mutex_lock (&session->lock);
  settings = session->settings;
  if (fal_timeline_resolve (settings->timestamp_mode, session->live, settings->latency) ==
      FAL_TIMESTAMP_MODE_INPUT)
    fal_pacer_set_earliest (session->pacer, earliest);
  g_cond_signal (&session->work);
  g_mutex_unlock (&session->lock);
}

void
fal_session_set_live (FalSession *session, gboolean live)
{
  g_mutex_lock (&session->lock);
  session->live = live;
  fal_session_configure_pacer (session);
  g_mutex_unlock (&session->lock);
}

static gboolean
on_close (gpointer data)
{
  FalSession *session = data;

  fal_connection_close (fal_shared_connection_get_connection (session->line));
  return G_SOURCE_REMOVE;
}

gboolean
fal_session_is_busy (const FalSession *session)
{
  return fal_pacer_get_waiting (session->pacer) + fal_pacer_get_in_flight (session->pacer) > 0;
}

/* Whether the member needs the connection, and has not asked for its end itself. Where it does not,
 * it sends nothing until its end came, or keep(). */
static gboolean
is_needed (gpointer member)
{
  FalSession *session = member;
  const FalSettings *settings;
  gint64 idle_timeout;
  gboolean needed;

  g_mutex_lock (&session->lock);
  settings = session->settings;
  idle_timeout = settings->idle_timeout * G_TIME_SPAN_MILLISECOND;
  needed = !session->closing && settings->enabled && !session->spent &&
           (fal_session_is_busy (session) || idle_timeout == 0 ||
               g_get_monotonic_time () - session->last_active < idle_timeout);
  session->closing |= !needed;
  g_mutex_unlock (&session->lock);
  return needed;
}

static void
keep (gpointer member)
{
  FalSession *session = member;

  g_mutex_lock (&session->lock);
  session->closing = FALSE;
  g_cond_signal (&session->work);
  g_mutex_unlock (&session->lock);
}

/* Others may still need the connection. A frame that came meanwhile waits for the next one. */
static gboolean
on_unneeded (gpointer data)
{
  FalSession *session = data;

  if (fal_shared_connection_any (session->line, is_needed))
    fal_shared_connection_foreach (session->line, keep);
  else
    fal_connection_close (fal_shared_connection_get_connection (session->line));
  return G_SOURCE_REMOVE;
}

void
fal_session_let_go (FalSession *session)
{
  if (!session->running || session->closing || !(session->guard || session->wanted))
    return;
  session->closing = TRUE;
  session->last_asked = g_get_monotonic_time ();
  fal_shared_connection_hop (session->line, on_unneeded, session, NULL);
}

void
fal_session_close_when_idle (FalSession *session)
{
  if (!fal_session_is_busy (session))
    fal_session_let_go (session);
}

void
fal_session_hop_close (FalSession *session)
{
  if (!session->running) /* it may have left the line before the hop is made */
    return;
  session->closing = TRUE;
  fal_shared_connection_hop (session->line, on_close, session, NULL);
}

static gboolean
on_reconnect (gpointer data)
{
  FalSession *session = data;
  FalConnection *connection = fal_shared_connection_get_connection (session->line);

  /* The session may have left when this returns, for it runs the context for a moment. */
  fal_connection_close (connection);
  fal_connection_want (connection);
  return G_SOURCE_REMOVE;
}

void
fal_session_close (FalSession *session, gboolean again)
{
  if (!again)
    fal_session_clear (session);
  g_mutex_lock (&session->lock);
  if (session->running && !(again && session->spent)) {
    session->closing = TRUE;
    fal_shared_connection_hop (session->line, again ? on_reconnect : on_close, session, NULL);
  }
  g_mutex_unlock (&session->lock);
}

/* With the lock held: frames pass from now on. What is under way comes to an end first where no
 * frame may be lost. */
static void
disable (FalSession *session)
{
  if (fal_pacer_is_leaky (session->pacer)) {
    fal_pacer_flush (session->pacer);
    fal_session_clear_answered (session);
    fal_session_let_go (session);
  }
  fal_session_close_when_idle (session);
  fal_session_clear_newest (session);
  fal_session_wake_all (session);
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
    fal_session_configure_pacer (session);
    if (old->enabled && !settings->enabled)
      disable (session);
    if (old->enabled != settings->enabled) {
      fal_fallback_reset (&session->outage);
      session->bridging =
          settings->enabled && session->passing && fal_pacer_is_leaky (session->pacer);
    }
    if (session->running)
      fal_shared_connection_hop (session->line, fal_session_configure_connection, session, NULL);
  }
  g_mutex_unlock (&session->lock);
}

void
fal_session_reset_stats (FalSession *session)
{
  FalStats *stats = &session->stats;
  gint64 now = g_get_monotonic_time ();

  g_mutex_lock (&session->lock);
  fal_pacer_reset_counts (session->pacer);
  *stats = (FalStats){
    .started = stats->started ? now : 0,
    .connection = stats->connection,
    .connection_base = stats->connection,
  };
  if (stats->connection.connected_since)
    stats->connection_base.connected_time += now - stats->connection.connected_since;
  g_mutex_unlock (&session->lock);
}

/* ---- questions ---- */

gboolean
fal_session_is_live (FalSession *session)
{
  gboolean live;

  g_mutex_lock (&session->lock);
  live = session->live;
  g_mutex_unlock (&session->lock);
  return live;
}

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
